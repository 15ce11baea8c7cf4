/** A session as it grows, for who measures and for who watches. */
import { useEffect, useState, type ReactElement } from "react";
import { useMutation, useSynovia } from "synovia-client/react";
import { api, type Growth, type LiveSession, type Recording } from "../api/api.ts";
import { goInstead, linkTo } from "../browser/route.ts";
import { flexionSign } from "../plot/numbers.ts";
import { Numbers } from "../plot/numbers-panel.tsx";
import { nameOf, subjectOf, type People } from "../recordings/naming.ts";
import { usePeople } from "../recordings/people.ts";
import { Button, Empty, Skeleton } from "../ui/controls.tsx";
import { FormDialog } from "../ui/dialog.tsx";
import { codeOf, describe } from "../ui/errors.ts";
import { clock, hertz } from "../ui/format.ts";
import { Page, type PageProps } from "../ui/page.tsx";
import { toasts } from "../ui/toasts.ts";
import { FinishDialog } from "./finish-dialog.tsx";
import { LivePlot } from "./live-plot.tsx";
import { isSimulatedHere, sensors, useIsMeasuring } from "./sensor.ts";
import { useLive } from "./use-live.ts";

type SessionId = LiveSession["_id"];

export function LiveView({ id, openMenu }: { id: SessionId } & PageProps): ReactElement {
  const { growth, error, buffer } = useLive(id);
  const people = usePeople();
  if (error) {
    const text = codeOf(error) === "not_found" || codeOf(error) === "invalid_arguments" ? "It was discarded, or is not shared with you." : describe(error);
    return <Empty icon="live" title="This session is not here" action={<a className="button quiet" href={linkTo("live")}>All sessions</a>}>{text}</Empty>;
  }
  if (!growth) return <Skeleton rows={4} />;
  const isMine = growth.ownerId === people.me._id;
  const sign = flexionSign(buffer?.extremes.left ?? null, buffer?.extremes.right ?? null);
  const { recordingId } = growth;
  return (
    <Page title={subjectOf(people, growth)} text={<Status growth={growth} people={people} />} actions={isMine && !recordingId && <OwnerActions id={id} growth={growth} />} openMenu={openMenu}>
      {recordingId && <Finished place={placeOf(growth, people)} recordingId={recordingId} isMine={isMine} />}
      {buffer && <LivePlot buffer={buffer} sampleRate={growth.sampleRate} isRunning={!recordingId} />}
      {buffer && <Numbers left={buffer.extremes.left} right={buffer.extremes.right} sign={sign} scope={recordingId ? "whole recording" : "so far"} />}
    </Page>
  );
}

function placeOf({ ownerId, subjectId }: Growth, { me }: People): string {
  return ownerId === me._id ? "recordings" : subjectId === me._id ? "of-me" : "shared";
}

function Status({ growth, people }: { growth: Growth; people: People }): ReactElement {
  const { ownerId, sampleCount, sampleRate, recordingId } = growth;
  const by = ownerId === people.me._id ? "you" : <bdi>{nameOf(people, ownerId)}</bdi>;
  return (
    <>
      {!recordingId && <span className="on-air">Live</span>}{" "}
      <span className="elapsed">{clock(sampleCount / sampleRate)}</span> · measured by {by} · {hertz(sampleRate)}
    </>
  );
}

function Finished({ place, recordingId, isMine }: { place: string; recordingId: Recording["_id"]; isMine: boolean }): ReactElement {
  return (
    <div className="notice" role="status">
      <p>{isMine ? "This session is finished and saved." : "This session has been finished."}</p>
      <a className="button primary" href={linkTo(place, recordingId)}>Open the recording</a>
    </div>
  );
}

function OwnerActions({ id, growth }: { id: SessionId; growth: Growth }): ReactElement {
  const client = useSynovia();
  const isMeasuring = useIsMeasuring(id);
  const [asking, setAsking] = useState<"finish" | "discard" | null>(null);
  useEffect(() => {
    const leaving = (event: BeforeUnloadEvent): void => event.preventDefault();
    if (isMeasuring) addEventListener("beforeunload", leaving);
    return () => removeEventListener("beforeunload", leaving);
  }, [isMeasuring]);
  return (
    <>
      {isMeasuring && <span className="sensor-on">Simulated sensor</span>}
      {!isMeasuring && isSimulatedHere(id) && (
        <Button icon="live" onClick={() => sensors.start(client, id, growth.sampleCount)}>Continue the simulated sensor</Button>
      )}
      <Button onClick={() => setAsking("discard")}>Discard</Button>
      <Button kind="primary" icon="check" disabled={!growth.sampleCount} onClick={() => setAsking("finish")}>Finish</Button>
      {asking === "finish" && <FinishDialog id={id} onClose={() => setAsking(null)} />}
      {asking === "discard" && <DiscardDialog id={id} onClose={() => setAsking(null)} />}
    </>
  );
}

function DiscardDialog({ id, onClose }: { id: SessionId; onClose: () => void }): ReactElement {
  const discard = useMutation(api.live.discard);
  const send = async (): Promise<void> => {
    sensors.stop(id);
    await discard({ sessionId: id });
    goInstead("live");
    toasts.say("The session was discarded.");
  };
  return (
    <FormDialog title="Discard this session" submit="Discard" danger onSubmit={send} onClose={onClose}>
      <p>Its samples are deleted for good, for everybody who watches too.</p>
    </FormDialog>
  );
}
