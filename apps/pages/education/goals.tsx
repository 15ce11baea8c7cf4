/** Goals with what is known of their progress, live; data are entered with a thumb. */
import { useState, type FormEvent, type ReactElement } from "react";
import { useMutation, usePaginatedQuery, useQuery } from "synovia-client/react";
import { Choices, Dialog, Field, Problem, useAct } from "../shared/ui.tsx";
import { api, type Goal, type Id, type IepView, type Me, type Progress, type ProgressData } from "./api/api.ts";
import { Chart } from "./chart.tsx";
import { day, DAY, DOMAINS, LEVELS, round, SPANS, SUPPORT } from "./words.ts";

export function Goals({ studentId, staff, me }: { studentId: Id<"students">; staff: boolean; me: Me }): ReactElement {
  const versions = useQuery(api.ieps.history, { studentId });
  const newest = versions?.[0];
  const view = useQuery(api.ieps.get, newest ? { iepId: newest._id } : "skip");
  const [adding, setAdding] = useState(false);
  const [span, setSpan] = useState<keyof typeof SPANS>("0");
  const [now] = useState(() => Math.floor(Date.now() / DAY) * DAY);
  const start = span === "0" ? 0 : now - Number(span) * DAY;
  if (versions?.length === 0) return <p className="card quiet">There is no program that you may read.</p>;
  return (
    <>
      <Choices label="Span" value={span} choices={SPANS} onChoose={setSpan} />
      <div className="goals">{view?.goals.map((goal) => <GoalCard key={goal._id} goal={goal} view={view} start={start} staff={staff} me={me} />)}</div>
      {view?.goals.length === 0 && <p className="card quiet">There are no goals yet.</p>}
      {view?.mayWrite && <div><button onClick={() => setAdding(true)}>New goal</button></div>}
      {adding && newest && <GoalForm iepId={newest._id} me={me} onClose={() => setAdding(false)} />}
    </>
  );
}

interface Card {
  readonly goal: Goal;
  readonly view: IepView;
  readonly start: number;
  readonly staff: boolean;
  readonly me: Me;
}

function GoalCard({ goal, view, start, staff, me }: Card): ReactElement {
  const progress = useQuery(api.goals.progress, { goalId: goal._id, start });
  const { results } = usePaginatedQuery(api.goals.points, { goalId: goal._id }, { pageSize: 60 });
  const points = results.filter(({ recordedDate }) => recordedDate >= start);
  const master = useMutation(api.goals.setMastered);
  const [dialog, setDialog] = useState<"enter" | "edit" | null>(null);
  const close = (): void => setDialog(null);
  const { act, busy, problem } = useAct();
  return (
    <section className="card goal" aria-label={`Goal ${goal.goalNumber}`}>
      <header className="tools">
        <span className="badge accent">{DOMAINS[goal.domain]}</span>
        {goal.masteryDate && <span className="badge good">Reached {day(goal.masteryDate)}</span>}
        <span className="grow" />
        {view.mayWrite && <button className="plain" aria-label={`Edit goal ${goal.goalNumber}`} onClick={() => setDialog("edit")}>Edit</button>}
        {staff && <button className="plain" disabled={busy} onClick={() => void act(() => master({ goalId: goal._id, mastered: goal.isActive }))}>{goal.isActive ? "Mark as reached" : "Not reached after all"}</button>}
      </header>
      <h3>{goal.description}</h3>
      <Problem error={problem} />
      <Chart goal={goal} points={points} />
      {progress && <Numbers goal={goal} progress={progress} />}
      <Measured goal={goal} view={view} />
      {points.length > 0 && <Observed points={points} />}
      {staff && <button className="primary enter" onClick={() => setDialog("enter")}>Enter data</button>}
      {dialog === "enter" && <Enter goal={goal} onClose={close} />}
      {dialog === "edit" && <GoalForm iepId={goal.iepId} goal={goal} me={me} onClose={close} />}
    </section>
  );
}

function Measured({ goal, view }: { goal: Goal; view: IepView }): ReactElement {
  const { baselineData: base, targetCriteria: aim, responsibleProvider } = goal;
  const facts: [string, string | undefined][] = [
    ["Method", `${goal.evaluationMethod}, ${goal.frequency}`], ["By", view.team.find(({ id }) => id === responsibleProvider)?.name],
    ["At first", `${round(base.value)} ${base.measurement}, ${day(base.date)}${base.context && ` (${base.context})`}`],
    ["Aim", `${round(aim.target)} ${aim.measurement} within ${aim.timeframe}${aim.accuracy === undefined ? "" : `, ${round(aim.accuracy)} % right`}${aim.conditions && `, ${aim.conditions}`}`],
    ["Notes", goal.notes],
  ];
  return (
    <details>
      <summary>How it is measured</summary>
      <dl className="facts column">{facts.filter(([, text]) => text).map(([name, text]) => <div key={name}><dt>{name}</dt><dd>{text}</dd></div>)}</dl>
    </details>
  );
}

function Observed({ points }: { points: readonly ProgressData[] }): ReactElement {
  return (
    <details>
      <summary>What was observed</summary>
      <ul className="observed" tabIndex={0} aria-label="What was observed">
        {points.map((point) => (
          <li key={point._id}>
            <strong>{round(point.measurementValue)}</strong>
            <span>
              {day(point.recordedDate)} · {LEVELS[point.masteryLevel]} · {SUPPORT[point.independenceLevel]} · {point.settingType}{point.sessionDuration !== undefined && ` · ${point.sessionDuration} min`}
              {[point.promptLevel, point.context, point.observationNotes].filter(Boolean).map((text, index) => <small key={index}>{text}</small>)}
            </span>
          </li>
        ))}
      </ul>
    </details>
  );
}

function Numbers({ goal, progress: { points, latest, mean, trend, percent, projected } }: { goal: Goal; progress: Progress }): ReactElement {
  const { target, measurement } = goal.targetCriteria;
  return (
    <>
      <div className="way">
        <progress max={100} value={percent ?? 0} aria-label={`Of the way to ${target} ${measurement}`} />
        <strong>{percent === undefined ? "–" : `${round(percent, 0)} %`}</strong>
      </div>
      <dl className="facts numbers">
        <div><dt>Latest</dt><dd>{latest === undefined ? "–" : round(latest)}</dd></div>
        <div><dt>Mean of {points}</dt><dd>{mean === undefined ? "–" : round(mean)}</dd></div>
        <div><dt>A week</dt><dd>{trend === undefined ? "–" : `${trend > 0 ? "+" : ""}${round(trend)}`}</dd></div>
        <div><dt>Projected</dt><dd>{projected === undefined ? "not in sight" : day(projected)}</dd></div>
      </dl>
    </>
  );
}

function Enter({ goal, onClose }: { goal: Goal; onClose: () => void }): ReactElement {
  const record = useMutation(api.goals.record);
  const [value, setValue] = useState("");
  const [level, setLevel] = useState<keyof typeof LEVELS>("developing");
  const [support, setSupport] = useState<keyof typeof SUPPORT>("partial_support");
  const [setting, setSetting] = useState("Resource room");
  const [minutes, setMinutes] = useState("30");
  const [notes, setNotes] = useState("");
  const [context, setContext] = useState("");
  const [prompt, setPrompt] = useState("");
  const { act, busy, problem } = useAct();
  const send = (event: FormEvent): void => {
    event.preventDefault();
    const observation = {
      recordedDate: Date.now(), measurementValue: Number(value), measurementUnit: goal.targetCriteria.measurement, masteryLevel: level, independenceLevel: support,
      settingType: setting, ...(minutes && { sessionDuration: Number(minutes) }), ...(notes.trim() && { observationNotes: notes.trim() }),
      ...(context.trim() && { context: context.trim() }), ...(prompt.trim() && { promptLevel: prompt.trim() }),
    };
    void act(() => record({ goalId: goal._id, observation })).then((done) => done && onClose());
  };
  return (
    <Dialog title={`Goal ${goal.goalNumber}`} onClose={onClose}>
      <form className="enter-form" onSubmit={send}>
        <p className="quiet">{goal.description}</p>
        <Field label={goal.targetCriteria.measurement}><input className="big" type="number" inputMode="decimal" step="any" required autoFocus value={value} onChange={(event) => setValue(event.target.value)} /></Field>
        <Choices label="Level" value={level} choices={LEVELS} onChoose={setLevel} />
        <Choices label="Support" value={support} choices={SUPPORT} onChoose={setSupport} />
        <div className="pair">
          <Field label="Where"><input required maxLength={200} value={setting} onChange={(event) => setSetting(event.target.value)} /></Field>
          <Field label="Minutes"><input type="number" inputMode="numeric" min="1" max="600" value={minutes} onChange={(event) => setMinutes(event.target.value)} /></Field>
        </div>
        <Field label="Notes"><textarea maxLength={5000} rows={2} value={notes} onChange={(event) => setNotes(event.target.value)} /></Field>
        <div className="pair">
          <Field label="Occasion"><input maxLength={5000} placeholder="after the break" value={context} onChange={(event) => setContext(event.target.value)} /></Field>
          <Field label="Prompts"><input maxLength={200} placeholder="a gesture" value={prompt} onChange={(event) => setPrompt(event.target.value)} /></Field>
        </div>
        <Problem error={problem} />
        <footer><button className="primary" disabled={busy}>Save</button></footer>
      </form>
    </Dialog>
  );
}

function GoalForm({ iepId, goal, me, onClose }: { iepId: Id<"ieps">; goal?: Goal; me: Me; onClose: () => void }): ReactElement {
  const create = useMutation(api.goals.create);
  const update = useMutation(api.goals.update);
  const colleagues = useQuery(api.organizations.colleagues, {});
  const { baselineData: first, targetCriteria: aim } = goal ?? {};
  const [domain, setDomain] = useState<keyof typeof DOMAINS>(goal?.domain ?? "academic");
  const [provider, setProvider] = useState(goal?.responsibleProvider ?? me.user._id);
  const [given, setGiven] = useState({
    description: goal?.description ?? "", measurement: aim?.measurement ?? "", base: String(first?.value ?? ""), context: first?.context ?? "", target: String(aim?.target ?? ""),
    timeframe: aim?.timeframe ?? "until the program ends", accuracy: String(aim?.accuracy ?? ""), conditions: aim?.conditions ?? "", method: goal?.evaluationMethod ?? "Observation",
    frequency: goal?.frequency ?? "weekly", notes: goal?.notes ?? "",
  });
  const { act, busy, problem } = useAct();
  const of = (name: keyof typeof given, maxLength = 200) => ({
    maxLength, value: given[name], onChange: (event: { target: { value: string } }) => setGiven({ ...given, [name]: event.target.value }),
  });
  const send = (event: FormEvent): void => {
    event.preventDefault();
    const { description, measurement, base, context, target, timeframe, accuracy, conditions, method, frequency, notes } = given;
    const data = {
      domain, description, evaluationMethod: method, frequency, responsibleProvider: provider, ...(notes.trim() && { notes: notes.trim() }),
      baselineData: { measurement, date: first?.date ?? Date.now(), value: Number(base), context },
      targetCriteria: { measurement, target: Number(target), timeframe, conditions, ...(accuracy && { accuracy: Number(accuracy) }) },
    };
    void act(() => (goal ? update({ goalId: goal._id, goal: data }) : create({ iepId, goal: data }))).then((done) => done && onClose());
  };
  return (
    <Dialog title={goal ? `Goal ${goal.goalNumber}` : "New goal"} onClose={onClose}>
      <form onSubmit={send}>
        <Field label="Domain">
          <select value={domain} onChange={(event) => setDomain(event.target.value as keyof typeof DOMAINS)}>
            {Object.entries(DOMAINS).map(([value, text]) => <option key={value} value={value}>{text}</option>)}
          </select>
        </Field>
        <Field label="What shall be reached"><textarea required rows={2} {...of("description", 5000)} /></Field>
        <Field label="Measured in"><input required placeholder="words a minute" {...of("measurement")} /></Field>
        <div className="pair">
          <Field label="Now"><input type="number" step="any" required {...of("base")} /></Field>
          <Field label="Target"><input type="number" step="any" required {...of("target")} /></Field>
        </div>
        <Field label="How that was found"><input {...of("context", 5000)} /></Field>
        <div className="pair">
          <Field label="Within"><input required {...of("timeframe")} /></Field>
          <Field label="% right"><input type="number" min="0" max="100" step="any" {...of("accuracy")} /></Field>
        </div>
        <Field label="Conditions"><input placeholder="with a marker under the line" {...of("conditions", 5000)} /></Field>
        <div className="pair">
          <Field label="Method"><input required {...of("method")} /></Field>
          <Field label="How often"><input required {...of("frequency")} /></Field>
        </div>
        <Field label="Who sees to it">
          <select value={provider} onChange={(event) => setProvider(event.target.value as Id<"users">)}>
            {colleagues?.map(({ id, name }) => <option key={id} value={id}>{name}</option>)}
          </select>
        </Field>
        <Field label="Notes"><textarea rows={2} {...of("notes", 5000)} /></Field>
        <Problem error={problem} />
        <footer><button className="primary" disabled={busy}>{goal ? "Save" : "Add it"}</button></footer>
      </form>
    </Dialog>
  );
}
