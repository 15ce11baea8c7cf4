/** A version of a student's program: its text, which several write at once, what has been agreed on, the team and signatures. */
import { useEffect, useRef, useState, type CSSProperties, type FormEvent, type ReactElement } from "react";
import { useMutation, useQuery } from "synovia-client/react";
import { bindTextarea } from "synovia-client/yjs";
import { useSharedDoc, type SharedDocState } from "synovia-client/yjs/react";
import * as Y from "yjs";
import { Dialog, Field, Problem, useAct } from "../shared/ui.tsx";
import { api, type Id, type Iep, type IepView, type Me, type StudentView } from "./api/api.ts";
import { Content, contentOf, Plans } from "./content.tsx";
import { Avatar } from "./education.tsx";
import { dateOf, day, DAY, hue, ROLES, STATUSES } from "./words.ts";

const SECTIONS = { present: "Present levels", strengths: "Strengths and interests", concerns: "Concerns of the family" };

export function Program({ view, me }: { view: StudentView; me: Me }): ReactElement {
  const versions = useQuery(api.ieps.history, { studentId: view.student._id });
  const [older, setOlder] = useState<Id<"ieps"> | null>(null);
  const [dialog, setDialog] = useState<"new" | "compare" | null>(null);
  const newest = versions?.[0];
  if (versions === undefined) return <p className="quiet centre" role="status">Loading …</p>;
  const shown = versions.find(({ _id }) => _id === older) ?? newest;
  return (
    <>
      <div className="tools">
        {versions.length > 1 && (
          <select aria-label="Version" value={shown?._id} onChange={(event) => setOlder(event.target.value as Id<"ieps">)}>
            {versions.map(({ _id, version, status, effectiveDate }) => <option key={_id} value={_id}>Version {version} · {STATUSES[status]} · from {day(effectiveDate)}</option>)}
          </select>
        )}
        {versions.length > 1 && <button onClick={() => setDialog("compare")}>Compare with the one before</button>}
        <span className="grow" />
        {me.capabilities.includes("records.write") && <button onClick={() => setDialog("new")}>New version</button>}
      </div>
      {shown ? <Version key={shown._id} id={shown._id} student={view} me={me} /> : <p className="card quiet">There is no program that you may read.</p>}
      {dialog === "new" && <NewVersion view={view} team={newest?.teamMembers ?? [me.user._id]} before={newest} onClose={() => (setDialog(null), setOlder(null))} />}
      {dialog === "compare" && shown && <Compare after={shown._id} before={versions[versions.indexOf(shown) + 1]?._id} onClose={() => setDialog(null)} />}
    </>
  );
}

function Version({ id, student, me }: { id: Id<"ieps">; student: StudentView; me: Me }): ReactElement | null {
  const view = useQuery(api.ieps.get, { iepId: id });
  const shared = useSharedDoc({
    query: "ieps:text", mutation: "ieps:writeText", presence: "ieps:room", args: { iepId: id },
    user: (who: { name: string; role: string }) => ({ name: who.name, role: who.role }),
  });
  const others = useOthers(shared);
  if (!view) return null;
  return (
    <div className="version">
      <section className="card text" aria-label="Text of the program">
        <header className="tools">
          <h2>Version {view.iep.version}</h2>
          <span className={`badge ${view.iep.status === "active" ? "good" : ""}`}>{STATUSES[view.iep.status]}</span>
          {view.isApproved ? <span className="badge accent">Approved</span> : view.isFrozen && <span className="badge warn">Signed, no longer changed</span>}
          <span className="grow" />
          <Here others={others} />
          <small className="quiet saved" role="status">{!shared.synced ? "Loading …" : shared.saved ? "All saved" : "Saving …"}</small>
        </header>
        {shared.doc && Object.entries(SECTIONS).map(([root, title]) => (
          <Section key={root} title={title} root={root} shared={shared} others={others} readOnly={!view.mayWrite} />
        ))}
        {shared.doc && <Agreements doc={shared.doc} shared={shared} others={others} readOnly={!view.mayWrite} />}
      </section>
      <Side view={view} student={student} me={me} />
    </div>
  );
}

interface Other {
  readonly id: number;
  readonly name: string;
  readonly role: string;
  readonly at?: string;
}

/** Who else is in the program, and in which part of it. */
function useOthers({ awareness }: SharedDocState): Other[] {
  const [others, setOthers] = useState<Other[]>([]);
  useEffect(() => {
    if (!awareness) return setOthers([]);
    const look = (): void => {
      const states = [...awareness.getStates()].filter(([id, state]) => id !== awareness.clientID && state["user"]);
      setOthers(states.map(([id, state]) => ({ id, ...(state["user"] as { name: string; role: string }), at: state["at"] as string })));
    };
    look();
    awareness.on("change", look);
    return () => awareness.off("change", look);
  }, [awareness]);
  return others;
}

function Here({ others }: { others: readonly Other[] }): ReactElement | null {
  if (others.length === 0) return null;
  return (
    <ul className="here" aria-label="Also here">
      {others.map(({ id, name, role }) => <li key={id} title={`${name}, ${role}`}><Avatar name={name} /><span className="hidden">{name}</span></li>)}
    </ul>
  );
}

/** Names of those who have their caret in a part. */
function At({ others, part }: { others: readonly Other[]; part: string }): ReactElement {
  return <>{others.filter(({ at }) => at === part).map(({ id, name }) => <span key={id} className="at" style={{ "--hue": hue(name) } as CSSProperties}>{name}</span>)}</>;
}

function Section({ title, root, shared, others, readOnly }: { title: string; root: string; shared: SharedDocState; others: readonly Other[]; readOnly: boolean }): ReactElement {
  return (
    <div className="field section">
      <label htmlFor={root}>{title} <At others={others} part={root} /></label>
      <Shared id={root} text={shared.doc!.getText(root)} part={root} shared={shared} readOnly={readOnly} rows={4} />
    </div>
  );
}

/** A field that is tied to a shared text, and grows with it. */
function Shared({ id, text, part, shared, readOnly, rows = 1, label }: {
  id?: string; text: Y.Text; part: string; shared: SharedDocState; readOnly: boolean; rows?: number; label?: string;
}): ReactElement {
  const field = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    const undoManager = new Y.UndoManager(text);
    const free = bindTextarea(text, field.current!, { undoManager });
    return () => (free(), undoManager.destroy());
  }, [text]);
  const be = (at: string | null) => (): void => shared.awareness?.setLocalStateField("at", at);
  return <textarea ref={field} id={id} aria-label={label} rows={rows} readOnly={readOnly} onFocus={be(part)} onBlur={be(null)} />;
}

/** A list to which everybody adds: each item is a text of its own. */
function Agreements({ doc, shared, others, readOnly }: { doc: Y.Doc; shared: SharedDocState; others: readonly Other[]; readOnly: boolean }): ReactElement {
  const list = doc.getArray<Y.Text>("agreements");
  const [items, setItems] = useState<Y.Text[]>([]);
  useEffect(() => {
    const look = (): void => setItems(list.toArray());
    look();
    list.observe(look);
    return () => list.unobserve(look);
  }, [list]);
  return (
    <div className="agreements">
      <h3>What has been agreed on</h3>
      <ul>
        {items.map((item, index) => (
          <li key={`${item._item?.id.client}:${item._item?.id.clock}`}>
            <Shared text={item} part={`agreement ${item._item?.id.clock}`} shared={shared} readOnly={readOnly} label={`Agreement ${index + 1}`} />
            <At others={others} part={`agreement ${item._item?.id.clock}`} />
            {!readOnly && <button className="plain" aria-label={`Remove agreement ${index + 1}`} onClick={() => list.delete(index)}>✕</button>}
          </li>
        ))}
      </ul>
      {!readOnly && <button onClick={() => list.push([new Y.Text()])}>Add an agreement</button>}
    </div>
  );
}

function Side({ view: { iep, team, signedBy, isApproved, mayWrite }, student, me }: { view: IepView; student: StudentView; me: Me }): ReactElement {
  const remove = useMutation(api.students.removeMember);
  const add = useMutation(api.ieps.addMember);
  const approve = useMutation(api.ieps.approve);
  const colleagues = useQuery(api.organizations.colleagues, me.capabilities.includes("records.write") ? {} : "skip");
  const [editing, setEditing] = useState(false);
  const { act, busy, problem } = useAct();
  const own = `${me.user.firstName} ${me.user.lastName}`;
  const signed = iep.approvals.some(({ userId }) => userId === me.user._id);
  const more = colleagues?.filter(({ id }) => !iep.teamMembers.includes(id)) ?? [];
  return (
    <aside className="side">
      <section className="card" aria-label="Dates and services">
        <dl className="facts column">
          <div><dt>Holds</dt><dd>{day(iep.effectiveDate)} to {day(iep.expirationDate)}</dd></div>
          <div><dt>Meeting</dt><dd>{day(iep.meetingDate)}</dd></div>
          <div><dt>Next review</dt><dd>{day(iep.nextReviewDate)}</dd></div>
          <div><dt>Placement</dt><dd>{iep.placement}</dd></div>
          <div><dt>Services</dt><dd>{services(iep.serviceHours)}</dd></div>
          {iep.accommodations.map(({ category, description, setting }, index) => <div key={index}><dt>{category}</dt><dd>{description} ({setting.toLowerCase()})</dd></div>)}
        </dl>
        {mayWrite && <button className="edit" aria-label="Edit dates, services and plans" onClick={() => setEditing(true)}>Edit</button>}
        {editing && <Content iep={iep} onClose={() => setEditing(false)} />}
      </section>
      <Plans iep={iep} />
      <section className="card" aria-label="Team">
        <h3>Team</h3>
        <Problem error={problem} />
        <ul className="people">
          {team.map(({ id, name, role }) => (
            <li key={id}>
              <Avatar name={name} /><span className="grow"><strong>{name}</strong><small>{ROLES[role]}</small></span>
              {student.mayWrite && id !== me.user._id && <button className="plain" aria-label={`Remove ${name}`} disabled={busy} onClick={() => void act(() => remove({ studentId: student.student._id, userId: id }))}>Remove</button>}
            </li>
          ))}
        </ul>
        {student.mayWrite && more.length > 0 && (
          <select aria-label="Add to the team" value="" disabled={busy} onChange={(event) => void act(() => add({ iepId: iep._id, userId: event.target.value as Id<"users"> }))}>
            <option value="">Add somebody …</option>
            {more.map(({ id, name, role }) => <option key={id} value={id}>{name}, {ROLES[role]}</option>)}
          </select>
        )}
      </section>
      <section className="card" aria-label="Signatures">
        <h3>Signatures</h3>
        <ul className="people">
          {iep.approvals.map(({ userId, role, approvedAt, signature }) => (
            <li key={userId}><span className="grow"><strong className="signature">{signature}</strong><small>{signedBy.find(({ id }) => id === userId)?.name}, {ROLES[role]} · {day(approvedAt)}</small></span></li>
          ))}
        </ul>
        {!isApproved && <p className="quiet">A teacher, an administrator and a parent sign. {mayWrite && "The first signature ends all writing."}</p>}
        {iep.status === "active" && !signed && <button disabled={busy} onClick={() => void act(() => approve({ iepId: iep._id, signature: own }))}>Sign as {own}</button>}
      </section>
    </aside>
  );
}

function services(hours: IepView["iep"]["serviceHours"]): string {
  const named: [string, number | undefined][] = [
    ["special education", hours.specialEducation], ["speech", hours.speechTherapy], ["occupational", hours.occupationalTherapy], ["physical", hours.physicalTherapy], ["counseling", hours.counseling],
  ];
  const others = hours.other.map(({ service, hours: each }): [string, number] => [service, each]);
  return [...named, ...others].filter(([, value]) => value).map(([name, value]) => `${value} h ${name}`).join(", ") || "none";
}

function NewVersion({ view, team, before, onClose }: { view: StudentView; team: Id<"users">[]; before: Iep | undefined; onClose: () => void }): ReactElement {
  const create = useMutation(api.ieps.create);
  const [today] = useState(() => Date.now());
  const [start, setStart] = useState(dateOf(today));
  const [end, setEnd] = useState(dateOf(today + 365 * DAY));
  const [meeting, setMeeting] = useState(dateOf(today - 7 * DAY));
  const [placement, setPlacement] = useState(before?.placement ?? "");
  const [hours, setHours] = useState(String(before?.serviceHours.specialEducation ?? 5));
  const { act, busy, problem } = useAct();
  const send = (event: FormEvent): void => {
    event.preventDefault();
    const dates = { effectiveDate: Date.parse(start), expirationDate: Date.parse(end), meetingDate: Date.parse(meeting), nextReviewDate: Date.parse(end) - 30 * DAY };
    const content = { ...(before && contentOf(before)), placement, serviceHours: { ...before?.serviceHours, specialEducation: Number(hours) } };
    void act(() => create({ studentId: view.student._id, dates, content, teamMembers: team })).then((done) => done && onClose());
  };
  return (
    <Dialog title="New version" onClose={onClose}>
      <form onSubmit={send}>
        <p className="quiet">{before ? "It takes the place of the version that holds now. Text, team, services, plans and goals that are not reached go on in it." : "It is the first one, and you are its team."}</p>
        <Field label="Meeting"><input type="date" required value={meeting} onChange={(event) => setMeeting(event.target.value)} /></Field>
        <div className="pair">
          <Field label="Holds from"><input type="date" required value={start} onChange={(event) => setStart(event.target.value)} /></Field>
          <Field label="until"><input type="date" required value={end} onChange={(event) => setEnd(event.target.value)} /></Field>
        </div>
        <Field label="Placement"><input required maxLength={200} value={placement} onChange={(event) => setPlacement(event.target.value)} /></Field>
        <Field label="Special education, hours a week"><input type="number" min="0" max="60" step="0.5" required value={hours} onChange={(event) => setHours(event.target.value)} /></Field>
        <Problem error={problem} />
        <footer><button className="primary" disabled={busy}>Create it</button></footer>
      </form>
    </Dialog>
  );
}

function Compare({ before, after, onClose }: { before: Id<"ieps"> | undefined; after: Id<"ieps">; onClose: () => void }): ReactElement {
  const changes = useQuery(api.ieps.compare, before ? { beforeId: before, afterId: after } : "skip");
  return (
    <Dialog title="What has changed" onClose={onClose}>
      {!before && <p className="quiet">This is the first version.</p>}
      <dl className="changes">
        {changes?.map(({ field, before: was, after: is }) => (
          <div key={field}><dt>{field.replaceAll("_", " ")}</dt><dd><del>{spelled(was, field)}</del><ins>{spelled(is, field)}</ins></dd></div>
        ))}
      </dl>
      {changes?.length === 0 && <p className="quiet">Nothing.</p>}
    </Dialog>
  );
}

function spelled(value: unknown, field: string): string {
  if (value === null || value === undefined) return "–";
  if (typeof value === "number" && field.endsWith("_date")) return day(value);
  if (Array.isArray(value)) return value.length === 0 ? "–" : value.map((each) => spelled(each, "")).join("; ");
  if (typeof value === "object") return Object.entries(value).filter(([, each]) => each !== null && !(Array.isArray(each) && each.length === 0)).map(([name, each]) => `${name.replaceAll("_", " ")}: ${spelled(each, name)}`).join(", ");
  return String(value);
}
