/** A plain text field that shows a text of Yjs: what is typed goes into the text, the caret stays where it is when others type. */
import * as Y from "yjs";
import type { Unsubscribe } from "../callbacks.js";

type Field = HTMLTextAreaElement | HTMLInputElement;

export interface BindOptions {
  /** What undoes and does again (Ctrl+Z, Ctrl+Y, Cmd+Z) in place of the browser, which would undo what others have typed. */
  readonly undoManager?: Y.UndoManager;
}

/** A piece of a text that has become another. */
export interface Edit {
  readonly at: number;
  readonly removed: number;
  readonly added: string;
}

/** Find the edit that makes one text of the other, given where the caret is after it, which says which of equal letters it was. */
export function editBetween(before: string, after: string, caret: number): Edit {
  const most = Math.min(before.length, after.length);
  let end = 0;
  const behind = Math.min(after.length - caret, most);
  while (end < behind && before[before.length - 1 - end] === after[after.length - 1 - end]) end++;
  let at = 0;
  while (at < most - end && before[at] === after[at]) at++;
  if (end === behind) while (end < most - at && before[before.length - 1 - end] === after[after.length - 1 - end]) end++;
  if (at > 0 && isHigh(before, at - 1)) at--;
  if (end > 0 && isLow(before, before.length - end)) end--;
  return { at, removed: before.length - at - end, added: after.slice(at, after.length - end) };
}

/** Whether a letter of two halves begins here: such a letter is never cut. */
const isHigh = (text: string, at: number): boolean => (text.charCodeAt(at) & 0xfc00) === 0xd800;
const isLow = (text: string, at: number): boolean => (text.charCodeAt(at) & 0xfc00) === 0xdc00;

/** Give where a place is once a text has changed. */
function moved(place: number, delta: readonly Y.YTextEvent["delta"][number][]): number {
  let at = 0;
  for (const { retain, insert, delete: removed } of delta) {
    if (at > place) break;
    if (retain !== undefined) at += retain;
    else if (typeof insert === "string") {
      if (at < place) place += insert.length;
      at += insert.length;
    } else if (removed !== undefined) place = Math.max(at, place - removed);
  }
  return place;
}

/** Tie a field to a text until the function that this gives is called. */
export function bindTextarea(text: Y.Text, field: Field, { undoManager }: BindOptions = {}): Unsubscribe {
  const binding = { text, field };
  let shown = text.toString();
  let composing = false;
  field.value = shown;

  const take = (): void => {
    if (composing) return;
    const value = field.value;
    const edit = editBetween(shown, value, field.selectionEnd ?? value.length);
    if (!edit.removed && !edit.added) return;
    shown = value;
    text.doc!.transact(() => {
      if (edit.removed) text.delete(edit.at, edit.removed);
      if (edit.added) text.insert(edit.at, edit.added);
    }, binding);
  };
  const show = (event: Y.YTextEvent, transaction: Y.Transaction): void => {
    if (transaction.origin === binding || composing) return;
    replace(event.delta);
  };
  const replace = (delta: Y.YTextEvent["delta"]): void => {
    const { selectionStart, selectionEnd, selectionDirection, scrollTop } = field;
    shown = text.toString();
    field.value = shown;
    field.setSelectionRange(moved(selectionStart ?? 0, delta), moved(selectionEnd ?? 0, delta), selectionDirection ?? "none");
    field.scrollTop = scrollTop;
  };
  // While letters are put together (input methods) the field belongs to the browser; what came meanwhile is merged after.
  const begin = (): void => void (composing = true);
  const end = (): void => {
    composing = false;
    const now = text.toString();
    if (now === shown) return take();
    const own = editBetween(shown, field.value, field.selectionEnd ?? field.value.length);
    const theirs = editBetween(shown, now, now.length);
    const at = Math.min(now.length, moved(own.at, deltaOf(theirs)));
    shown = now;
    text.doc!.transact(() => {
      const removed = Math.min(own.removed, now.length - at);
      if (removed) text.delete(at, removed);
      if (own.added) text.insert(at, own.added);
    }, binding);
    shown = text.toString();
    field.value = shown;
    field.setSelectionRange(at + own.added.length, at + own.added.length);
  };
  const key = (event: Event): void => {
    const { ctrlKey, metaKey, shiftKey, altKey, key: pressed } = event as KeyboardEvent;
    if (!undoManager || !(ctrlKey || metaKey) || altKey) return;
    const letter = pressed.toLowerCase();
    if (letter !== "z" && letter !== "y") return;
    event.preventDefault();
    if (letter === "y" || shiftKey) undoManager.redo();
    else undoManager.undo();
  };
  undoManager?.addTrackedOrigin(binding);
  const events: [string, (event: Event) => void][] = [["input", take], ["compositionstart", begin], ["compositionend", end], ["keydown", key]];
  for (const [name, listener] of events) field.addEventListener(name, listener);
  text.observe(show);
  return () => {
    for (const [name, listener] of events) field.removeEventListener(name, listener);
    text.unobserve(show);
    undoManager?.removeTrackedOrigin(binding);
  };
}

function deltaOf({ at, removed, added }: Edit): Y.YTextEvent["delta"] {
  return [{ retain: at }, ...(removed ? [{ delete: removed }] : []), ...(added ? [{ insert: added }] : [])];
}
