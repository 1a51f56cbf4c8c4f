/** The editor of pipeline files: CodeMirror with our schema and our validator. */
import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap, type Completion, type CompletionContext, type CompletionResult } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab, isolateHistory } from "@codemirror/commands";
import { yaml } from "@codemirror/lang-yaml";
import { bracketMatching, foldGutter, foldKeymap, HighlightStyle, indentOnInput, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { type Diagnostic, linter, lintGutter, lintKeymap } from "@codemirror/lint";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { EditorState } from "@codemirror/state";
import { drawSelection, EditorView, highlightActiveLine, highlightSpecialChars, hoverTooltip, keymap, lineNumbers, type Tooltip } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { StyleModule } from "style-mod";
import { question } from "./api";
import { meaning, type Meaning, type Names, namesAt, offers, type Place, placeAt, type Schema } from "./language";

// The policy of the pages allows no style element; sheets made by script are allowed. One for each module.
const adopted = new WeakMap<StyleModule, CSSStyleSheet>();
StyleModule.mount = (root, modules) => {
  const sheets = [modules].flat().map((module) => {
    const sheet = adopted.get(module) ?? new CSSStyleSheet();
    if (!adopted.has(module)) sheet.replaceSync(module.getRules());
    adopted.set(module, sheet);
    return sheet;
  });
  root.adoptedStyleSheets = [...sheets, ...root.adoptedStyleSheets.filter((sheet) => !sheets.includes(sheet))];
};

interface Detail {
  message: string;
  lines?: number;
  actionItems?: string;
  context?: { key?: string };
}

interface Checked {
  details: Detail[]; // errors
  warnings: Detail[];
}

export interface Problem {
  line: number; // from 1
  message: string;
  isWarning: boolean; // it runs nevertheless
}

interface Options {
  parent: HTMLElement;
  label: string; // what a screen reader calls it
  describedBy: string; // the id of what says its keys
  name: string; // of the pipeline
  schema: Schema;
  names: () => Names;
  changed: (text: string) => void;
  checked: (problems: Problem[], unchecked: string) => void;
  about: (meaning: Meaning | undefined) => void; // of the key that the cursor is in
  save: () => void; // Ctrl-S
}

const QUIET_MS = 350; // without a key before the server is asked

const colours = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: "var(--brand)" },
  { tag: tags.comment, color: "var(--soft)", fontStyle: "italic" },
  { tag: tags.string, color: "var(--good)" },
  { tag: [tags.keyword, tags.bool, tags.number, tags.null], color: "var(--busy)" },
  { tag: [tags.meta, tags.labelName, tags.typeName], color: "var(--wait)" },
]);

const looks = EditorView.theme({
  "&": { height: "100%", fontSize: "13px", backgroundColor: "var(--card)", color: "var(--text)" },
  "&.cm-focused": { outline: "2px solid var(--brand)", outlineOffset: "-2px" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.5" },
  ".cm-content": { caretColor: "var(--text)" },
  ".cm-cursor": { borderLeftColor: "var(--text)" },
  ".cm-gutters": { backgroundColor: "var(--sunk)", color: "var(--soft)", borderRight: "1px solid var(--line)" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "light-dark(#0b6e6e0d, #4fc4bf12)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "light-dark(#b9dedd, #24504f)" },
  ".cm-tooltip": { backgroundColor: "var(--card)", color: "var(--text)", border: "1px solid var(--line)", borderRadius: "6px" },
  ".cm-tooltip-autocomplete > ul > li[aria-selected]": { backgroundColor: "var(--brand)", color: "var(--on-brand)" },
  ".cm-completionInfo, .cm-meaning": { padding: "0.4rem 0.6rem", maxWidth: "28rem", fontFamily: "system-ui, sans-serif" },
  ".cm-meaning p": { margin: "0 0 0.2rem" },
  ".cm-completionDetail": { color: "inherit", marginLeft: "1rem" },
  ".cm-panels": { backgroundColor: "var(--sunk)", color: "var(--text)" },
  ".cm-textfield, .cm-button": { backgroundColor: "var(--card)", backgroundImage: "none", color: "var(--text)", border: "1px solid var(--line)" },
  ".cm-searchMatch, .cm-selectionMatch": { backgroundColor: "var(--mark)" },
  ".cm-diagnostic": { borderLeft: "3px solid var(--bad)", fontFamily: "system-ui, sans-serif" },
  ".cm-lintRange-error": { backgroundImage: "none", textDecoration: "underline wavy var(--bad)", textUnderlineOffset: "3px" },
  ".cm-diagnostic-warning": { borderLeftColor: "var(--wait)" },
  ".cm-lintRange-warning": { backgroundImage: "none", textDecoration: "underline wavy var(--wait)", textUnderlineOffset: "3px" },
  ".cm-foldPlaceholder": { backgroundColor: "var(--sunk)", border: "1px solid var(--line)", color: "var(--soft)" },
  "&.cm-focused .cm-matchingBracket": { backgroundColor: "light-dark(#b9dedd, #24504f)" },
});

const linesOf = (state: EditorState) => state.doc.toString().split("\n");

function placeIn(state: EditorState, at: number): Place | undefined {
  const line = state.doc.lineAt(at);
  return placeAt(linesOf(state), line.number - 1, at - line.from);
}

const completeFrom =
  ({ schema, names }: Options) =>
  (context: CompletionContext): CompletionResult | null => {
    const reference = context.matchBefore(/\$\{\{\s*[\w.-]*/);
    if (reference) {
      const from = reference.from + (/^\$\{\{\s*/.exec(reference.text)?.[0].length ?? 0);
      const closed = context.state.sliceDoc(context.pos, context.pos + 2) === "}}";
      const options = names().variables.map((label) => ({ label, detail: "variable", type: "enum", apply: closed ? label : `${label}}}` }));
      return { from, options, validFor: /^[\w.-]*$/ };
    }
    const word = context.matchBefore(/[\w.:-]*/);
    if (!word || (word.from === word.to && !context.explicit)) return null;
    const place = placeIn(context.state, word.from);
    if (!place) return null;
    const isValue = place.key !== undefined || place.isItem;
    const found = new Map<string, Completion>();
    for (const { text, detail, info } of [...namesAt(place, linesOf(context.state), names()), ...offers(schema, place)]) {
      if (!found.has(text)) found.set(text, { label: text, detail, info: info || undefined, type: isValue ? "enum" : "property", apply: isValue ? text : `${text}: ` });
    }
    return found.size ? { from: word.from, options: [...found.values()], validFor: /^[\w.:-]*$/ } : null;
  };

/** The key of a line, and where it stands. */
function keyAt(state: EditorState, at: number): { from: number; to: number; key: string } | undefined {
  const line = state.doc.lineAt(at);
  const found = /^([\s-]*)([\w-]+):/.exec(line.text);
  if (!found) return undefined;
  const from = line.from + (found[1] ?? "").length;
  return { from, to: from + (found[2] ?? "").length, key: found[2] ?? "" };
}

function meaningOf(schema: Schema, state: EditorState, at: number): Meaning | undefined {
  const found = keyAt(state, at);
  const place = found && placeIn(state, found.from);
  return place && meaning(schema, { ...place, key: found.key });
}

const hoverFrom = ({ schema }: Options) =>
  hoverTooltip((view, at): Tooltip | null => {
    const found = keyAt(view.state, at);
    if (!found || at < found.from || at > found.to) return null;
    const told = meaningOf(schema, view.state, at);
    if (!told) return null;
    const create = () => {
      const dom = document.createElement("div");
      dom.className = "cm-meaning";
      for (const text of told.lines) dom.append(Object.assign(document.createElement("p"), { textContent: text }));
      if (told.docs) dom.append(Object.assign(document.createElement("a"), { href: told.docs, target: "_blank", rel: "noreferrer", textContent: "Documentation" }));
      return { dom };
    };
    return { pos: found.from, end: found.to, above: true, create };
  });

/** Where a problem stands: from its key, or from the first word of its line, to the end of the line. */
function placed(state: EditorState, { message, lines, actionItems, context }: Detail, severity: "error" | "warning"): Diagnostic {
  const line = state.doc.line(Math.min(state.doc.lines, Math.max(1, lines ?? 1)));
  const at = context?.key ? line.text.indexOf(context.key) : -1;
  const from = line.from + (at < 0 ? line.text.length - line.text.trimStart().length : at);
  return { from, to: Math.max(from, line.from + line.text.trimEnd().length), severity, message: actionItems ? `${message}: ${actionItems}` : message };
}

const checkWith = ({ name, checked }: Options) =>
  linter(
    async ({ state }) => {
      try {
        const answer = await question<Checked>("/pipelines/yaml/validator", { yaml: state.doc.toString(), name, outputFormat: "full" });
        const found = [...answer.details.map((one) => placed(state, one, "error")), ...answer.warnings.map((one) => placed(state, one, "warning"))];
        checked(found.map(({ from, message, severity }) => ({ line: state.doc.lineAt(from).number, message, isWarning: severity === "warning" })), "");
        return found;
      } catch (reason) {
        checked([], `not checked: ${(reason as Error).message}`);
        return [];
      }
    },
    { delay: QUIET_MS },
  );

/**
 * Type over a selection here and not in the browser, which keeps the looks of what it replaces in a style attribute:
 * the policy of the pages blocks that, and says so.
 */
const typeOver = EditorView.domEventHandlers({
  beforeinput(event, view) {
    const { state } = view;
    const text = event.data;
    if (event.inputType !== "insertText" || text === null || view.composing || state.selection.main.empty) return false;
    const { from, to } = state.selection.main;
    const insert = () => state.update(state.replaceSelection(text), { userEvent: "input.type", scrollIntoView: true });
    if (!state.facet(EditorView.inputHandler).some((handle) => handle(view, from, to, text, insert))) view.dispatch(insert());
    event.preventDefault();
    return true;
  },
});

export interface Editor {
  /** Put another text in; it can be undone, as every change. */
  replace(text: string): void;
  /** Put the cursor to the beginning of what stands in a line, from 1. */
  goTo(line: number): void;
  destroy(): void;
}

/** Make an editor of a text. */
export function createEditor(text: string, options: Options): Editor {
  const view = new EditorView({
    parent: options.parent,
    state: EditorState.create({
      doc: text,
      extensions: [
        lineNumbers(),
        highlightSpecialChars(),
        foldGutter(),
        history(),
        drawSelection(),
        indentOnInput(),
        indentUnit.of("  "),
        bracketMatching(),
        closeBrackets(),
        highlightActiveLine(),
        highlightSelectionMatches(),
        yaml(),
        syntaxHighlighting(colours),
        looks,
        autocompletion({ override: [completeFrom(options)], icons: false }),
        hoverFrom(options),
        checkWith(options),
        lintGutter(),
        typeOver,
        EditorView.contentAttributes.of({ tabindex: "0", "aria-label": options.label, "aria-describedby": options.describedBy }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) options.changed(update.state.doc.toString());
          if (update.docChanged || update.selectionSet) options.about(meaningOf(options.schema, update.state, update.state.selection.main.head));
        }),
        keymap.of([
          { key: "Mod-s", preventDefault: true, run: () => (options.save(), true) },
          ...closeBracketsKeymap,
          ...completionKeymap,
          ...lintKeymap,
          ...foldKeymap,
          ...searchKeymap,
          ...historyKeymap,
          ...defaultKeymap,
          indentWithTab, // Escape before it lets Tab leave
        ]),
      ],
    }),
  });
  return {
    replace: (next) => view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: next }, annotations: isolateHistory.of("full") }),
    goTo: (number) => {
      const line = view.state.doc.line(Math.min(view.state.doc.lines, Math.max(1, number)));
      const at = line.from + line.text.length - line.text.trimStart().length;
      view.dispatch({ selection: { anchor: at }, effects: EditorView.scrollIntoView(at, { y: "center" }) });
      view.focus();
    },
    destroy: () => view.destroy(),
  };
}
