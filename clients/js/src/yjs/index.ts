/** Texts and structures that several people edit at once: a provider for Yjs, and the binding of a plain text field. */
export type { Who } from "./awareness.js";
export { SharedDocProvider, type SharedChanges, type SharedDocEvents, type SharedDocOptions } from "./provider.js";
export { bindTextarea, editBetween, type BindOptions, type Edit } from "./textarea.js";
