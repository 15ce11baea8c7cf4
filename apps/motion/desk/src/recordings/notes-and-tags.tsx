/** Notes, exercise, subject and tags: shown as they will be at once, saved when the field is left. */
import { useState, type KeyboardEvent, type ReactElement } from "react";
import { useMutation } from "synovia-client/react";
import { api, type Recording } from "../api/api.ts";
import { attempt } from "../ui/act.ts";
import { TextArea, TextField } from "../ui/controls.tsx";
import { Icon } from "../ui/icons.tsx";
import { updated } from "./edits.ts";
import { SubjectChoice } from "./subject-choice.tsx";
import type { Subject } from "./subject-field.tsx";

const EXERCISES = ["walking", "running", "stairs", "squat", "sit to stand", "cycling", "heel slides"];

export function NotesAndTags({ recording, canEdit }: { recording: Recording; canEdit: boolean }): ReactElement {
  const update = useMutation(api.recordings.update).withOptimisticUpdate(updated);
  const { _id: recordingId, notes = "", exerciseType = "", tags = [] } = recording;
  const save = (change: { notes?: string; exerciseType?: string; tags?: string[] }): void => void attempt(update({ recordingId, ...change }));
  const saveSubject = ({ subjectId, subjectAlias }: Subject): void => void attempt(update({ recordingId, subjectId: subjectId ?? "", subjectAlias: subjectAlias ?? "" }));
  if (!canEdit) return <ReadOnly notes={notes} exerciseType={exerciseType} tags={tags} />;
  return (
    <section className="card" aria-label="About">
      <Draft value={notes} onSave={(text) => save({ notes: text })}>
        {(props) => <TextArea label="Notes" placeholder="The first line is the title in lists." rows={5} maxLength={10_000} {...props} />}
      </Draft>
      <SubjectChoice recording={recording} onSubject={saveSubject} />
      <Draft value={exerciseType} onSave={(text) => save({ exerciseType: text.trim() })}>
        {(props) => <TextField label="Exercise" placeholder="walking" list="exercises" maxLength={200} {...props} />}
      </Draft>
      <datalist id="exercises">{EXERCISES.map((name) => <option key={name} value={name} />)}</datalist>
      <Tags tags={tags} onTags={(next) => save({ tags: next })} />
    </section>
  );
}

interface DraftProps {
  readonly value: string;
  readonly onChange: (event: { target: { value: string } }) => void;
  readonly onBlur: () => void;
  readonly onKeyDown: (event: KeyboardEvent<HTMLElement>) => void;
}

/** A text that is being written: others' changes come in while nobody writes, Esc goes back, Ctrl+Enter saves. */
function Draft({ value, onSave, children }: { value: string; onSave: (text: string) => void; children: (props: DraftProps) => ReactElement }): ReactElement {
  const [draft, setDraft] = useState<string | null>(null);
  const save = (): void => {
    if (draft !== null && draft !== value) onSave(draft);
    setDraft(null);
  };
  const pressed = (event: KeyboardEvent<HTMLElement>): void => {
    const { key, ctrlKey, metaKey, currentTarget } = event;
    if (key === "Escape") {
      event.preventDefault();
      setDraft(null);
      queueMicrotask(() => currentTarget.blur());
    } else if (key === "Enter" && (ctrlKey || metaKey || currentTarget instanceof HTMLInputElement)) currentTarget.blur();
  };
  return children({ value: draft ?? value, onChange: ({ target }) => setDraft(target.value), onBlur: save, onKeyDown: pressed });
}

function Tags({ tags, onTags }: { tags: readonly string[]; onTags: (tags: string[]) => void }): ReactElement {
  const [text, setText] = useState("");
  const add = (): void => {
    const added = text.split(",").map((tag) => tag.trim()).filter((tag) => tag && !tags.includes(tag));
    setText("");
    if (added.length) onTags([...tags, ...new Set(added)]);
  };
  const pressed = (event: KeyboardEvent): void => {
    if (event.key === "Enter" || event.key === ",") add();
    else if (event.key === "Backspace" && !text && tags.length) onTags(tags.slice(0, -1));
    else if (event.key === "Escape") setText("");
    else return;
    event.preventDefault();
  };
  return (
    <div className="field">
      <label htmlFor="tags">Tags</label>
      <div className="tag-field">
        {tags.map((tag) => (
          <span key={tag} className="tag">
            <bdi>{tag}</bdi>
            <button type="button" aria-label={`Remove tag ${tag}`} onClick={() => onTags(tags.filter((one) => one !== tag))}><Icon name="close" size={12} /></button>
          </span>
        ))}
        <input id="tags" value={text} maxLength={100} placeholder={tags.length ? "" : "post-op, week 3, …"} onChange={(event) => setText(event.target.value)} onKeyDown={pressed} onBlur={add} />
      </div>
    </div>
  );
}

function ReadOnly({ notes, exerciseType, tags }: { notes: string; exerciseType: string; tags: readonly string[] }): ReactElement {
  return (
    <section className="card" aria-label="About">
      <h2>Notes</h2>
      <p className="prose">{notes || <span className="muted">No notes.</span>}</p>
      {exerciseType && <p><span className="muted">Exercise</span> <bdi>{exerciseType}</bdi></p>}
      {tags.length > 0 && <p className="recording-tags">{tags.map((tag) => <span key={tag} className="tag"><bdi>{tag}</bdi></span>)}</p>}
    </section>
  );
}
