/** One recording: its plot and numbers, notes and tags, and with whom it is shared. */
import { useEffect, useState, type ReactElement } from "react";
import { useMutation, useQueryResult, useSynovia } from "synovia-client/react";
import { api, type Recording } from "../api/api.ts";
import { goInstead, linkTo } from "../browser/route.ts";
import { RecordingPlot } from "../plot/recording-plot.tsx";
import { attempt } from "../ui/act.ts";
import { Badge, Button, Empty, IconButton, Skeleton } from "../ui/controls.tsx";
import { ReasonDialog } from "../ui/dialog.tsx";
import { codeOf, describe } from "../ui/errors.ts";
import { dateAndTime } from "../ui/format.ts";
import { Icon } from "../ui/icons.tsx";
import { Menu, type MenuItem } from "../ui/menu.tsx";
import { toasts } from "../ui/toasts.ts";
import { Details } from "./details.tsx";
import { exportMotion, exportTable } from "./exporting.ts";
import { nameOf, subjectOf, titleOf } from "./naming.ts";
import { NotesAndTags } from "./notes-and-tags.tsx";
import { usePeople } from "./people.ts";
import { Sharing } from "./sharing.tsx";

interface Props {
  readonly id: string;
  readonly place: string;
  readonly wide: boolean;
  readonly onWide: () => void;
  readonly onClose: () => void;
}

export function RecordingView(props: Props): ReactElement {
  const { value: recording, error } = useQueryResult(api.recordings.get, { recordingId: props.id as Recording["_id"] });
  if (error && codeOf(error) !== "client_closed") {
    return (
      <Empty icon="activity" title="Not here" action={<a className="button quiet" href={linkTo(props.place)}>Back to the list</a>}>
        {codeOf(error) === "invalid_arguments" ? "There is no such recording." : describe(error)}
      </Empty>
    );
  }
  if (!recording) return <Skeleton rows={5} />;
  return <Shown {...props} recording={recording} />;
}

function Shown({ recording, place, wide, onWide, onClose }: Props & { recording: Recording }): ReactElement {
  const people = usePeople();
  const isMine = recording.ownerId === people.me._id;
  const subject = subjectOf(people, recording);
  useEffect(() => {
    const escape = (event: KeyboardEvent): void => {
      if (event.key === "Escape" && !event.defaultPrevented && !document.querySelector("dialog[open]") && document.activeElement?.matches("input, textarea, select") !== true) onClose();
    };
    addEventListener("keydown", escape);
    return () => removeEventListener("keydown", escape);
  }, [onClose]);
  return (
    <article className="recording-view" aria-labelledby="recording-title">
      <header className="recording-head">
        <IconButton icon="back" label="Back to the list" className="back" onClick={onClose} />
        <div className="recording-title">
          <h1 id="recording-title">{titleOf(recording)}</h1>
          <p>
            <Icon name="person" size={15} /> <bdi>{subject}</bdi>
            <span aria-hidden="true"> · </span>
            {dateAndTime(recording.startTime)}
            {!isMine && <> <Badge tone="accent">by <bdi>{nameOf(people, recording.ownerId)}</bdi></Badge></>}
            {recording.isArchived && <> <Badge tone="warn">Archived</Badge></>}
          </p>
        </div>
        <Actions recording={recording} isMine={isMine} place={place} />
        <IconButton icon="expand" label={wide ? "Show the list" : "Hide the list"} className="widen" aria-pressed={wide} onClick={onWide} />
      </header>
      {recording.isArchived && recording.archiveReason && <p className="reason">Archived because: {recording.archiveReason}</p>}
      <RecordingPlot recording={recording} />
      <div className="recording-columns">
        <NotesAndTags recording={recording} canEdit={isMine && !recording.isArchived} />
        <div>
          {isMine && <Sharing recording={recording} people={people} />}
          <Details recording={recording} />
        </div>
      </div>
    </article>
  );
}

function Actions({ recording, isMine, place }: { recording: Recording; isMine: boolean; place: string }): ReactElement {
  const client = useSynovia();
  const archive = useMutation(api.recordings.archive);
  const restore = useMutation(api.recordings.restore);
  const [asking, setAsking] = useState(false);
  const { _id: recordingId, isArchived } = recording;
  const exports: MenuItem[] = [
    { label: "OpenSim motion (.mot)", icon: "download", run: () => void attempt(exportMotion(recording)) },
    { label: "Table (.csv)", icon: "download", run: () => void attempt(exportTable(client, recording)) },
  ];
  const toArchive = async (reason: string): Promise<void> => {
    await archive({ recordingId, ...(reason && { reason }) });
    if (place !== "archive") goInstead(place);
    toasts.say("Archived.", { label: "Undo", run: () => void attempt(restore({ recordingId }), "Restored.") });
  };
  return (
    <div className="actions">
      <Menu label="Export" className="button quiet" items={exports}>
        <Icon name="download" /><span>Export</span>
      </Menu>
      {isMine && !isArchived && <Button icon="archive" onClick={() => setAsking(true)}>Archive</Button>}
      {isMine && isArchived && <Button kind="primary" icon="restore" onClick={() => void attempt(restore({ recordingId }), "Restored.")}>Restore</Button>}
      {asking && (
        <ReasonDialog
          title="Archive this recording" submit="Archive" onReason={toArchive} onClose={() => setAsking(false)}
          text="It leaves all lists, also those of the people it is shared with. You can restore it for 30 days; then it is deleted for good."
        />
      )}
    </div>
  );
}
