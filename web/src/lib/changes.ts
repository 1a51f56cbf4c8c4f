/** What happened to a text, line by line. Pure. */

export interface Change {
  sign: "+" | "-" | " ";
  text: string;
}

const CONTEXT = 2; // unchanged lines that are shown before and after
const MOST = 2000; // lines; a longer difference is shown whole, the old and the new

/** The lines of both texts from the first to the last that differs; none where they are the same. */
export function changes(old: string, now: string): Change[] {
  const [a, b] = [old.split("\n"), now.split("\n")];
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
  const line = (sign: Change["sign"]) => (text: string) => ({ sign, text });
  const between = compared(a.slice(head, a.length - tail), b.slice(head, b.length - tail));
  if (!between.length) return [];
  const before = a.slice(Math.max(0, head - CONTEXT), head).map(line(" "));
  return [...before, ...between, ...a.slice(a.length - tail, a.length - tail + CONTEXT).map(line(" "))];
}

/** Keep the longest common part of both. */
function compared(a: string[], b: string[]): Change[] {
  const found: Change[] = [];
  const removed = (text: string) => found.push({ sign: "-", text });
  const added = (text: string) => found.push({ sign: "+", text });
  if (a.length > MOST || b.length > MOST) {
    a.forEach(removed);
    b.forEach(added);
    return found;
  }
  // common[i][j]: lines that the rests of `a` from i and of `b` from j have in common, in order
  const common = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
  const at = (i: number, j: number) => common[i]?.[j] ?? 0;
  for (let i = a.length - 1; i >= 0; i--) {
    const row = common[i] as Uint16Array;
    for (let j = b.length - 1; j >= 0; j--) row[j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
  }
  let [i, j] = [0, 0];
  while (i < a.length && j < b.length) {
    if (a[i] === b[j]) {
      found.push({ sign: " ", text: a[i] ?? "" });
      i++;
      j++;
    } else if (at(i + 1, j) >= at(i, j + 1)) removed(a[i++] ?? "");
    else added(b[j++] ?? "");
  }
  a.slice(i).forEach(removed);
  b.slice(j).forEach(added);
  return found;
}
