/** Goals with what is known of their progress, live; data are entered with a thumb. */
import { useState, type FormEvent, type ReactElement } from "react";
import { useMutation, usePaginatedQuery, useQuery } from "synovia-client/react";
import { Choices, Dialog, Field, Problem, useAct } from "../shared/ui.tsx";
import { api, type Goal, type Id, type Me, type Progress } from "./api/api.ts";
import { Chart } from "./chart.tsx";
import { day, DOMAINS, LEVELS, round, SUPPORT } from "./words.ts";

export function Goals({ studentId, staff, me }: { studentId: Id<"students">; staff: boolean; me: Me }): ReactElement {
  const versions = useQuery(api.ieps.history, { studentId });
  const newest = versions?.[0];
  const view = useQuery(api.ieps.get, newest ? { iepId: newest._id } : "skip");
  const [adding, setAdding] = useState(false);
  if (versions?.length === 0) return <p className="card quiet">There is no program that you may read.</p>;
  return (
    <>
      <div className="goals">{view?.goals.map((goal) => <GoalCard key={goal._id} goal={goal} staff={staff} />)}</div>
      {view?.goals.length === 0 && <p className="card quiet">There are no goals yet.</p>}
      {view?.mayWrite && <div><button onClick={() => setAdding(true)}>New goal</button></div>}
      {adding && newest && <NewGoal iepId={newest._id} me={me} onClose={() => setAdding(false)} />}
    </>
  );
}

function GoalCard({ goal, staff }: { goal: Goal; staff: boolean }): ReactElement {
  const progress = useQuery(api.goals.progress, { goalId: goal._id });
  const { results } = usePaginatedQuery(api.goals.points, { goalId: goal._id }, { pageSize: 60 });
  const master = useMutation(api.goals.setMastered);
  const [entering, setEntering] = useState(false);
  const { act, busy, problem } = useAct();
  return (
    <section className="card goal" aria-label={`Goal ${goal.goalNumber}`}>
      <header className="tools">
        <span className="badge accent">{DOMAINS[goal.domain]}</span>
        {goal.masteryDate && <span className="badge good">Reached {day(goal.masteryDate)}</span>}
        <span className="grow" />
        {staff && <button className="plain" disabled={busy} onClick={() => void act(() => master({ goalId: goal._id, mastered: goal.isActive }))}>{goal.isActive ? "Mark as reached" : "Not reached after all"}</button>}
      </header>
      <h3>{goal.description}</h3>
      <Problem error={problem} />
      <Chart goal={goal} points={results} />
      {progress && <Numbers goal={goal} progress={progress} />}
      {staff && <button className="primary enter" onClick={() => setEntering(true)}>Enter data</button>}
      {entering && <Enter goal={goal} onClose={() => setEntering(false)} />}
    </section>
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
  const { act, busy, problem } = useAct();
  const send = (event: FormEvent): void => {
    event.preventDefault();
    const observation = {
      recordedDate: Date.now(), measurementValue: Number(value), measurementUnit: goal.targetCriteria.measurement, masteryLevel: level, independenceLevel: support,
      settingType: setting, ...(minutes && { sessionDuration: Number(minutes) }), ...(notes.trim() && { observationNotes: notes.trim() }),
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
        <Problem error={problem} />
        <footer><button className="primary" disabled={busy}>Save</button></footer>
      </form>
    </Dialog>
  );
}

function NewGoal({ iepId, me, onClose }: { iepId: Id<"ieps">; me: Me; onClose: () => void }): ReactElement {
  const create = useMutation(api.goals.create);
  const [domain, setDomain] = useState<keyof typeof DOMAINS>("academic");
  const [description, setDescription] = useState("");
  const [measurement, setMeasurement] = useState("");
  const [base, setBase] = useState("");
  const [target, setTarget] = useState("");
  const { act, busy, problem } = useAct();
  const send = (event: FormEvent): void => {
    event.preventDefault();
    const goal = {
      domain, description, evaluationMethod: "Observation", frequency: "weekly", responsibleProvider: me.user._id,
      baselineData: { measurement, date: Date.now(), value: Number(base) }, targetCriteria: { measurement, target: Number(target), timeframe: "until the program ends" },
    };
    void act(() => create({ iepId, goal })).then((done) => done && onClose());
  };
  return (
    <Dialog title="New goal" onClose={onClose}>
      <form onSubmit={send}>
        <Field label="Domain">
          <select value={domain} onChange={(event) => setDomain(event.target.value as keyof typeof DOMAINS)}>
            {Object.entries(DOMAINS).map(([value, text]) => <option key={value} value={value}>{text}</option>)}
          </select>
        </Field>
        <Field label="What shall be reached"><textarea required maxLength={5000} value={description} onChange={(event) => setDescription(event.target.value)} /></Field>
        <Field label="Measured in"><input required maxLength={200} placeholder="words a minute" value={measurement} onChange={(event) => setMeasurement(event.target.value)} /></Field>
        <div className="pair">
          <Field label="Now"><input type="number" step="any" required value={base} onChange={(event) => setBase(event.target.value)} /></Field>
          <Field label="Target"><input type="number" step="any" required value={target} onChange={(event) => setTarget(event.target.value)} /></Field>
        </div>
        <Problem error={problem} />
        <footer><button className="primary" disabled={busy}>Add it</button></footer>
      </form>
    </Dialog>
  );
}
