/** A page with one document in four editors, each of which has a root of its own. */
import { EditorState as CodeState } from "@codemirror/state";
import { keymap as codeKeys } from "@codemirror/view";
import { Editor } from "@tiptap/core";
import Collaboration from "@tiptap/extension-collaboration";
import CollaborationCaret from "@tiptap/extension-collaboration-caret";
import StarterKit from "@tiptap/starter-kit";
import { basicSetup, EditorView as CodeView } from "codemirror";
import { baseKeymap } from "prosemirror-commands";
import { keymap } from "prosemirror-keymap";
import { schema } from "prosemirror-schema-basic";
import { EditorState } from "prosemirror-state";
import { EditorView } from "prosemirror-view";
import { SynoviaClient } from "synovia-client";
import { bindTextarea, SharedDocProvider } from "synovia-client/yjs";
import { yCollab, yUndoManagerKeymap } from "y-codemirror.next";
import { redo, undo, yCursorPlugin, ySyncPlugin, yUndoPlugin } from "y-prosemirror";
import * as Y from "yjs";

const asked = new URLSearchParams(location.search);
const client = new SynoviaClient("/", { token: `dev:${asked.get("name")!}@example.org` });
const doc = new Y.Doc();
const colors: Record<string, string> = { Ann: "#2a78d6", Bob: "#b8510d" };
const provider = new SharedDocProvider(client, doc, {
  query: "together:text",
  mutation: "together:write_text",
  presence: "together:room",
  args: { id: asked.get("id")! },
  user: (who: { name: string }) => ({ name: who.name, color: colors[who.name]!, colorLight: `${colors[who.name]!}33` }),
});
const place = (id: string): HTMLElement => document.getElementById(id)!;

const text = doc.getText("text");
bindTextarea(text, place("text") as HTMLTextAreaElement, { undoManager: new Y.UndoManager(text) });

const code = doc.getText("code");
new CodeView({
  // before the keys of basicSetup, which undo what others have typed, too
  state: CodeState.create({ extensions: [codeKeys.of(yUndoManagerKeymap), basicSetup, yCollab(code, provider.awareness)] }),
  parent: place("code"),
});

new EditorView(place("prose"), {
  state: EditorState.create({
    schema,
    plugins: [
      ySyncPlugin(doc.getXmlFragment("prose")),
      yCursorPlugin(provider.awareness),
      yUndoPlugin(),
      keymap({ "Mod-z": undo, "Mod-y": redo }),
      keymap(baseKeymap),
    ],
  }),
});

new Editor({
  element: place("tiptap"),
  extensions: [
    StarterKit.configure({ undoRedo: false }),
    Collaboration.configure({ document: doc, field: "tiptap" }),
    CollaborationCaret.configure({ provider }),
  ],
});

const status = place("status");
const look = (): void => {
  const { code } = (provider.error ?? {}) as { code?: string };
  status.textContent = code ?? (provider.synced ? (provider.saved ? "saved" : "saving") : "connecting");
};
provider.on("sync", look);
provider.on("saved", look);
provider.on("error", look);
look();
