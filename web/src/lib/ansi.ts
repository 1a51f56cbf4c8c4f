/**
 * Terminal text as spans: colours and weights stay, every other control sequence goes. What would turn
 * the direction of the text around is shown by its name: it could hide what a line says.
 */

import { TURNS } from "./unseen";

export interface Span {
  text: string;
  tone: string; // class names, empty for plain text
}

const TONES = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];
// CSI and OSC sequences, other escapes, and control characters but the tabulator.
const SEQUENCE = /\u001b\[([0-9;:?]*)[ -/]*([@-~])|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|\u001b.?|[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

const TURN = /([\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069])/;

/** Split one line, without its newline; where `needle` stands, in either case, is toned `found`. */
export function spans(line: string, needle = ""): Span[] {
  return split(line).flatMap(({ text, tone }) =>
    text.split(TURN).flatMap((piece, index) => {
      if (index % 2) return [{ text: TURNS[piece] ?? "", tone: "control" }];
      return piece ? marked(piece, tone, needle) : [];
    }),
  );
}

function marked(text: string, tone: string, needle: string): Span[] {
  const [low, wanted] = [text.toLowerCase(), needle.toLowerCase()];
  if (!wanted || low.length !== text.length) return [{ text, tone }]; // of other lengths, places differ
  const found: Span[] = [];
  let from = 0;
  for (let at = low.indexOf(wanted); at >= 0; at = low.indexOf(wanted, from)) {
    if (at > from) found.push({ text: text.slice(from, at), tone });
    from = at + wanted.length;
    found.push({ text: text.slice(at, from), tone: `${tone} found`.trim() });
  }
  if (from < text.length) found.push({ text: text.slice(from), tone });
  return found;
}

function split(line: string): Span[] {
  const last = line.lastIndexOf("\r", line.length - 2); // a progress bar: what stands at the end is seen
  const seen = last < 0 ? line : line.slice(last + 1);
  const found: Span[] = [];
  let bold = false;
  let colour = "";
  let from = 0;
  const push = (to: number) => {
    if (to > from) found.push({ text: seen.slice(from, to), tone: [bold && "bold", colour].filter(Boolean).join(" ") });
  };
  for (const hit of seen.matchAll(SEQUENCE)) {
    push(hit.index);
    from = hit.index + hit[0].length;
    if (hit[2] !== "m") continue;
    const codes = (hit[1] || "0").split(/[;:]/).map(Number);
    for (let at = 0; at < codes.length; at++) {
      const code = codes[at] ?? 0;
      if (code === 0) [bold, colour] = [false, ""];
      else if (code === 1) bold = true;
      else if (code === 22) bold = false;
      else if (code === 39) colour = "";
      else if (code >= 30 && code <= 37) colour = TONES[code - 30] ?? "";
      else if (code >= 90 && code <= 97) colour = TONES[code - 90] ?? "";
      else if (code === 38 || code === 48) at += codes[at + 1] === 5 ? 2 : 4; // 256 and true colours: left plain
    }
  }
  push(seen.length);
  return found;
}
