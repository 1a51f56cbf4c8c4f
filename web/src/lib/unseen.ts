/** What is not seen in a text, made seen: it could hide what a name says, or turn its direction around. */

export const TURNS: Record<string, string> = {
  "\u061c": "ALM",
  "\u200e": "LRM",
  "\u200f": "RLM",
  "\u202a": "LRE",
  "\u202b": "RLE",
  "\u202c": "PDF",
  "\u202d": "LRO",
  "\u202e": "RLO",
  "\u2066": "LRI",
  "\u2067": "RLI",
  "\u2068": "FSI",
  "\u2069": "PDI",
};
const UNSEEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** `␛` for an escape, `⟨RLO⟩` for what turns the direction around. */
export const seen = (text: string): string =>
  text.replace(UNSEEN, (sign) => {
    const code = sign.charCodeAt(0);
    return code < 0x20 ? String.fromCharCode(0x2400 + code) : `⟨${TURNS[sign] ?? `U+${code.toString(16).padStart(4, "0")}`}⟩`;
  });

function show(node: Node): void {
  const texts = document.createTreeWalker(node, NodeFilter.SHOW_TEXT);
  for (let one: Node | null = node.nodeType === Node.TEXT_NODE ? node : texts.nextNode(); one; one = texts.nextNode()) {
    const text = one.nodeValue ?? "";
    // What is written in the editor stays as it is; it shows such signs itself.
    if (text.search(UNSEEN) >= 0 && !one.parentElement?.closest(".cm-editor")) one.nodeValue = seen(text);
  }
}

/** Show every text of the pages so, whatever part puts it there; before it is painted. */
export function showUnseen(root: Node): void {
  show(root);
  new MutationObserver((changes) => {
    for (const { type, target, addedNodes } of changes) {
      if (type === "characterData") show(target);
      else addedNodes.forEach(show);
    }
  }).observe(root, { childList: true, characterData: true, subtree: true });
}
