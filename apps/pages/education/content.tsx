/** What a program says beside its text: dates, placement, hours of service, accommodations, modifications, what comes after school. */
import { useState, type FormEvent, type ReactElement } from "react";
import { useMutation } from "synovia-client/react";
import { Dialog, Field, Problem, useAct } from "../shared/ui.tsx";
import { api, type Accommodation, type Iep, type IepContentInput, type Modification } from "./api/api.ts";
import { dateOf, itemsOf, linesOf } from "./words.ts";

const SERVICES = {
  specialEducation: "Special education", speechTherapy: "Speech therapy", occupationalTherapy: "Occupational therapy", physicalTherapy: "Physical therapy", counseling: "Counseling",
} as const;
const DATES = { meetingDate: "Meeting", effectiveDate: "Holds from", expirationDate: "Until", nextReviewDate: "Next review" } as const;
const LATER = { postSecondaryGoals: "Goals after school", transitionServices: "Services on the way", agencyInvolvement: "Agencies that help" } as const;
type Service = keyof typeof SERVICES;
const NAMES = Object.keys(SERVICES) as Service[];

/** What a version grants, as a function takes it. */
export const contentOf = ({ placement, serviceHours, accommodations, modifications, transitionPlan }: Iep): IepContentInput => ({
  placement, serviceHours, accommodations, modifications, ...(transitionPlan && { transitionPlan }),
});

export function Content({ iep, onClose }: { iep: Iep; onClose: () => void }): ReactElement {
  const update = useMutation(api.ieps.update);
  const [placement, setPlacement] = useState(iep.placement);
  const [hours, setHours] = useState(() => Object.fromEntries(NAMES.map((name) => [name, String(iep.serviceHours[name] ?? "")])) as Record<Service, string>);
  const [other, setOther] = useState(() => iep.serviceHours.other.map((each) => ({ service: each.service, hours: String(each.hours) })));
  const [accommodations, setAccommodations] = useState<readonly Accommodation[]>(iep.accommodations);
  const [modifications, setModifications] = useState<readonly Modification[]>(iep.modifications);
  const [later, setLater] = useState(() => mapped(LATER, (name) => linesOf(iep.transitionPlan?.[name] ?? [])));
  const [dates, setDates] = useState(() => mapped(DATES, (name) => dateOf(iep[name])));
  const { act, busy, problem } = useAct();
  const send = (event: FormEvent): void => {
    event.preventDefault();
    const plan = mapped(LATER, (name) => itemsOf(later[name]));
    const transition = Object.values(plan).some((items) => items.length > 0) ? { transitionPlan: plan } : {};
    const given = Object.fromEntries(NAMES.filter((name) => hours[name] !== "").map((name) => [name, Number(hours[name])]));
    const serviceHours = { specialEducation: 0, ...given, other: other.map((each) => ({ service: each.service, hours: Number(each.hours) })) };
    const content = { placement, serviceHours, accommodations, modifications, ...transition };
    void act(() => update({ iepId: iep._id, dates: mapped(DATES, (name) => Date.parse(dates[name])), content })).then((done) => done && onClose());
  };
  return (
    <Dialog title="Dates, services and plans" onClose={onClose}>
      <form onSubmit={send}>
        <div className="pair">
          {namesOf(DATES).map((name) => (
            <Field key={name} label={DATES[name]}><input type="date" required value={dates[name]} onChange={(event) => setDates({ ...dates, [name]: event.target.value })} /></Field>
          ))}
        </div>
        <Field label="Placement"><input required maxLength={200} value={placement} onChange={(event) => setPlacement(event.target.value)} /></Field>
        <fieldset>
          <legend>Hours a week</legend>
          <div className="pair">
            {NAMES.map((name) => (
              <Field key={name} label={SERVICES[name]}><Hours required={name === "specialEducation"} value={hours[name]} onChange={(value) => setHours({ ...hours, [name]: value })} /></Field>
            ))}
          </div>
          {other.map((each, index) => (
            <div key={index} className="item">
              <Field label="Other service"><input required maxLength={200} value={each.service} onChange={(event) => setOther(put(other, index, { ...each, service: event.target.value }))} /></Field>
              <Field label="Hours"><Hours required value={each.hours} onChange={(value) => setOther(put(other, index, { ...each, hours: value }))} /></Field>
              <button type="button" className="plain" aria-label={`Remove other service ${index + 1}`} onClick={() => setOther(without(other, index))}>✕</button>
            </div>
          ))}
          <button type="button" disabled={other.length >= 20} onClick={() => setOther([...other, { service: "", hours: "" }])}>Another service</button>
        </fieldset>
        <fieldset>
          <legend>Accommodations</legend>
          {accommodations.map((each, index) => (
            <div key={index} className="item accommodation" role="group" aria-label={`Accommodation ${index + 1}`}>
              <Field label="What it is about"><input required maxLength={200} placeholder="Testing" value={each.category} onChange={(event) => setAccommodations(put(accommodations, index, { ...each, category: event.target.value }))} /></Field>
              <Field label="Where"><input required maxLength={200} placeholder="All classes" value={each.setting} onChange={(event) => setAccommodations(put(accommodations, index, { ...each, setting: event.target.value }))} /></Field>
              <button type="button" className="plain" aria-label={`Remove accommodation ${index + 1}`} onClick={() => setAccommodations(without(accommodations, index))}>✕</button>
              <Field label="What is done"><textarea required maxLength={5000} rows={2} value={each.description} onChange={(event) => setAccommodations(put(accommodations, index, { ...each, description: event.target.value }))} /></Field>
            </div>
          ))}
          <button type="button" disabled={accommodations.length >= 50} onClick={() => setAccommodations([...accommodations, { category: "", description: "", setting: "" }])}>Another accommodation</button>
        </fieldset>
        <fieldset>
          <legend>Modifications</legend>
          {modifications.map((each, index) => (
            <div key={index} className="item modification" role="group" aria-label={`Modification ${index + 1}`}>
              <Field label="Subject"><input required maxLength={200} placeholder="Mathematics" value={each.subject} onChange={(event) => setModifications(put(modifications, index, { ...each, subject: event.target.value }))} /></Field>
              <button type="button" className="plain" aria-label={`Remove modification ${index + 1}`} onClick={() => setModifications(without(modifications, index))}>✕</button>
              <Field label="What is taught or tested instead"><textarea required maxLength={5000} rows={2} value={each.description} onChange={(event) => setModifications(put(modifications, index, { ...each, description: event.target.value }))} /></Field>
              <Field label="What counts as reached"><textarea required maxLength={5000} rows={2} value={each.criteria} onChange={(event) => setModifications(put(modifications, index, { ...each, criteria: event.target.value }))} /></Field>
            </div>
          ))}
          <button type="button" disabled={modifications.length >= 50} onClick={() => setModifications([...modifications, { subject: "", description: "", criteria: "" }])}>Another modification</button>
        </fieldset>
        <fieldset>
          <legend>After school, one a line</legend>
          {namesOf(LATER).map((name) => (
            <Field key={name} label={LATER[name]}><textarea maxLength={6000} rows={2} value={later[name]} onChange={(event) => setLater({ ...later, [name]: event.target.value })} /></Field>
          ))}
        </fieldset>
        <Problem error={problem} />
        <footer><button className="primary" disabled={busy}>Save</button></footer>
      </form>
    </Dialog>
  );
}

function Hours({ id, value, required, onChange }: { id?: string; value: string; required: boolean; onChange: (value: string) => void }): ReactElement {
  return <input id={id} type="number" inputMode="decimal" min="0" max="60" step="0.25" required={required} value={value} onChange={(event) => onChange(event.target.value)} />;
}

/** What a version says of modifications and of the time after school, for who reads it. */
export function Plans({ iep: { modifications, transitionPlan } }: { iep: Iep }): ReactElement | null {
  const later = namesOf(LATER).filter((name) => (transitionPlan?.[name].length ?? 0) > 0);
  if (modifications.length === 0 && later.length === 0) return null;
  return (
    <section className="card" aria-label="Modifications and transition">
      {modifications.length > 0 && <h3>Modifications</h3>}
      <dl className="facts column">
        {modifications.map(({ subject, description, criteria }, index) => <div key={index}><dt>{subject}</dt><dd>{description}<small>{criteria}</small></dd></div>)}
      </dl>
      {later.length > 0 && <h3>After school</h3>}
      <dl className="facts column">
        {later.map((name) => <div key={name}><dt>{LATER[name]}</dt><dd><ul className="dots">{transitionPlan![name].map((item) => <li key={item}>{item}</li>)}</ul></dd></div>)}
      </dl>
    </section>
  );
}

const namesOf = <K extends string>(labels: Readonly<Record<K, string>>): K[] => Object.keys(labels) as K[];
const mapped = <K extends string, T>(labels: Readonly<Record<K, string>>, of: (name: K) => T): Record<K, T> => Object.fromEntries(namesOf(labels).map((name) => [name, of(name)])) as Record<K, T>;
const put = <T,>(items: readonly T[], index: number, item: T): T[] => items.map((each, at) => (at === index ? item : each));
const without = <T,>(items: readonly T[], index: number): T[] => items.filter((_, at) => at !== index);
