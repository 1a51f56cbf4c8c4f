/** One variable, as a line `NAME=value` says it. */
export interface Pair {
  key: string;
  value: string;
}

/** Read `NAME=value` lines; what is no such line is left out, `refuseWrong` names it. */
export function pairsOf(text: string): Pair[] {
  return text.split("\n").filter(isPair).map((line) => {
    const at = line.indexOf("=");
    return { key: line.slice(0, at).trim(), value: line.slice(at + 1) };
  });
}

/** Throw an error that names the first line that is neither empty nor `NAME=value`. */
export function refuseWrong(text: string): void {
  const lines = text.split("\n");
  const wrong = lines.findIndex((line) => line.trim() !== "" && !isPair(line));
  if (wrong >= 0) throw new Error(`Variables, line ${wrong + 1}: write NAME=value, not ${JSON.stringify(lines[wrong])}`);
}

const isPair = (line: string) => line.trimStart().indexOf("=") > 0;
