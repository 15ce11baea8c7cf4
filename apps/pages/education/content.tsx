/** What a program grants, beside its text: placement, hours of service, accommodations. */
import { useState, type FormEvent, type ReactElement } from "react";
import { useMutation } from "synovia-client/react";
import { Dialog, Field, Problem, useAct } from "../shared/ui.tsx";
import { api, type Accommodation, type Iep, type IepContentInput } from "./api/api.ts";

const SERVICES = {
  specialEducation: "Special education", speechTherapy: "Speech therapy", occupationalTherapy: "Occupational therapy", physicalTherapy: "Physical therapy", counseling: "Counseling",
} as const;
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
  const { act, busy, problem } = useAct();
  const send = (event: FormEvent): void => {
    event.preventDefault();
    const given = Object.fromEntries(NAMES.filter((name) => hours[name] !== "").map((name) => [name, Number(hours[name])]));
    const serviceHours = { specialEducation: 0, ...given, other: other.map((each) => ({ service: each.service, hours: Number(each.hours) })) };
    void act(() => update({ iepId: iep._id, content: { ...contentOf(iep), placement, serviceHours, accommodations } })).then((done) => done && onClose());
  };
  return (
    <Dialog title="Services and accommodations" onClose={onClose}>
      <form onSubmit={send}>
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
        <Problem error={problem} />
        <footer><button className="primary" disabled={busy}>Save</button></footer>
      </form>
    </Dialog>
  );
}

function Hours({ id, value, required, onChange }: { id?: string; value: string; required: boolean; onChange: (value: string) => void }): ReactElement {
  return <input id={id} type="number" inputMode="decimal" min="0" max="60" step="0.25" required={required} value={value} onChange={(event) => onChange(event.target.value)} />;
}

const put = <T,>(items: readonly T[], index: number, item: T): T[] => items.map((each, at) => (at === index ? item : each));
const without = <T,>(items: readonly T[], index: number): T[] => items.filter((_, at) => at !== index);
