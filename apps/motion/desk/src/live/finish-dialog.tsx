import { useState, type ReactElement } from "react";
import { useMutation } from "synovia-client/react";
import { api, type LiveSession } from "../api/api.ts";
import { goInstead } from "../browser/route.ts";
import { TextArea, TextField } from "../ui/controls.tsx";
import { FormDialog } from "../ui/dialog.tsx";
import { toasts } from "../ui/toasts.ts";
import { sensors } from "./sensor.ts";

/** Save a session as a recording, with notes. */
export function FinishDialog({ id, onClose }: { id: LiveSession["_id"]; onClose: () => void }): ReactElement {
  const finish = useMutation(api.live.finish);
  const [notes, setNotes] = useState("");
  const [exerciseType, setExercise] = useState("walking");
  const [tags, setTags] = useState("");
  const send = async (): Promise<void> => {
    sensors.stop(id);
    const words = tags.split(",").map((tag) => tag.trim()).filter(Boolean);
    const recordingId = await finish({ sessionId: id, notes: notes.trim(), exerciseType: exerciseType.trim(), tags: words });
    goInstead("recordings", recordingId);
    toasts.say("The recording is saved.");
  };
  return (
    <FormDialog title="Finish and save" submit="Save recording" onSubmit={send} onClose={onClose}>
      <TextArea label="Notes" placeholder="The first line is the title in lists." rows={4} maxLength={10_000} value={notes} onChange={(event) => setNotes(event.target.value)} />
      <TextField label="Exercise" maxLength={200} value={exerciseType} onChange={(event) => setExercise(event.target.value)} />
      <TextField label="Tags" hint="With commas between them." value={tags} onChange={(event) => setTags(event.target.value)} />
    </FormDialog>
  );
}
