/** Choose files, and say what they are of. Files that are dropped on the window do not ask. */
import { useState, type ReactElement } from "react";
import { TextField } from "../ui/controls.tsx";
import { FormDialog } from "../ui/dialog.tsx";
import { ACCEPTED, importFiles } from "./importing.ts";
import { ReadingFields, type Reading } from "./reading-fields.tsx";
import { usePeople } from "./people.ts";
import { SubjectField, type Subject } from "./subject-field.tsx";

const OPTIONS = ["sampleRate", "timeUnit", "radians", "fillGaps"];

export function ImportDialog({ onClose }: { onClose: () => void }): ReactElement {
  const people = usePeople();
  const [files, setFiles] = useState<readonly File[]>([]);
  const [subject, setSubject] = useState<Subject>({});
  const [exerciseType, setExercise] = useState("");
  const [tags, setTags] = useState("");
  const [reading, setReading] = useState<Reading>({});
  const send = async (): Promise<void> => {
    const words = tags.split(",").map((tag) => tag.trim()).filter(Boolean);
    void importFiles(files, { ...subject, exerciseType: exerciseType.trim(), tags: words, reading });
  };
  return (
    <FormDialog title="Import recordings" submit="Import" onSubmit={send} onClose={onClose}>
      <TextField
        label="Files" type="file" multiple required accept={ACCEPTED.join(",")} hint="Angles of one knee or both, from OpenSim, a table (CSV, Excel), Vicon, Xsens or C3D. You can also drop files anywhere on the window."
        onChange={(event) => setFiles([...(event.target.files ?? [])])}
      />
      <SubjectField label="Who was measured?" people={people} subject={subject} onSubject={setSubject} optional />
      <TextField label="Exercise" placeholder="walking" maxLength={200} value={exerciseType} onChange={(event) => setExercise(event.target.value)} />
      <TextField label="Tags" hint="With commas between them." value={tags} onChange={(event) => setTags(event.target.value)} />
      <details className="more-fields">
        <summary>What the files do not tell</summary>
        <ReadingFields options={OPTIONS} reading={reading} onReading={setReading} />
      </details>
    </FormDialog>
  );
}
