/** Choose files, and say what they are of. Files that are dropped on the window do not ask. */
import { useState, type ReactElement } from "react";
import { TextField } from "../ui/controls.tsx";
import { FormDialog } from "../ui/dialog.tsx";
import { ACCEPTED, importFiles } from "./importing.ts";
import { usePeople } from "./people.ts";
import { SubjectField, type Subject } from "./subject-field.tsx";

export function ImportDialog({ onClose }: { onClose: () => void }): ReactElement {
  const people = usePeople();
  const [files, setFiles] = useState<readonly File[]>([]);
  const [subject, setSubject] = useState<Subject>({});
  const [exerciseType, setExercise] = useState("");
  const [tags, setTags] = useState("");
  const send = async (): Promise<void> => {
    const words = tags.split(",").map((tag) => tag.trim()).filter(Boolean);
    void importFiles(files, { ...subject, exerciseType: exerciseType.trim(), tags: words });
  };
  return (
    <FormDialog title="Import recordings" submit="Import" onSubmit={send} onClose={onClose}>
      <TextField
        label="Files" type="file" multiple required accept={ACCEPTED.join(",")} hint="OpenSim, SIMM or CSV, with both knees. You can also drop files anywhere on the window."
        onChange={(event) => setFiles([...(event.target.files ?? [])])}
      />
      <SubjectField label="Who was measured?" people={people} subject={subject} onSubject={setSubject} optional />
      <TextField label="Exercise" placeholder="walking" maxLength={200} value={exerciseType} onChange={(event) => setExercise(event.target.value)} />
      <TextField label="Tags" hint="With commas between them." value={tags} onChange={(event) => setTags(event.target.value)} />
    </FormDialog>
  );
}
