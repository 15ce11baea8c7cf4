/** One function: what it says of itself, and a form to call it. */
import { useMemo, useState } from "react";
import { useSynovia } from "synovia-client/react";
import { useLive } from "../browser/live.ts";
import { linkTo } from "../browser/route.ts";
import { PATHS, type Answer, type Caller, type FunctionInfo } from "../api/hub.ts";
import { useMayChange } from "../session/use-session.ts";
import { duration } from "../ui/format.ts";
import { Icon } from "../ui/icons.tsx";
import { say } from "../ui/toasts.tsx";
import { CallerForm } from "./caller-form.tsx";
import { argumentsOf, inputsOf, routeSnippet, snippet, typeOf, type Definitions, type Input, type JsonSchema } from "./schema.ts";

/** What the hub says of what needs no token. */
const EVERYBODY = "everybody";

interface Asked {
  readonly jsonText: string;
  readonly caller: Caller;
}

export function FunctionView({ info, definitions }: { info: FunctionInfo; definitions: Definitions }) {
  const canCall = info.kind === "query" || info.kind === "mutation" || info.kind === "action";
  const result = JSON.parse(info.resultSchema) as JsonSchema;
  return (
    <article className="function">
      <header>
        <button className="icon back" aria-label="Back to the list" onClick={() => (location.hash = linkTo(["functions"]))}>
          <Icon name="close" />
        </button>
        <h2>
          <code>{info.path}</code> <span className={`tag ${info.kind}`}>{info.kind}</span>
        </h2>
        <p className="hint">
          For {info.access}
          {canCall && (
            <>
              , gives <code>{typeOf(result, definitions)}</code>
            </>
          )}
          {info.cron && (
            <>
              , by itself <code>{info.cron}</code>
            </>
          )}
          {info.pool && `, in the pool ${info.pool}`}
          {info.isolation === "snapshot" && ", isolated as a snapshot"}
          {info.pattern && (
            <>
              : <code>{info.methods.join(", ")}</code> <code>{info.pattern}</code>
            </>
          )}
          , in <code>{info.place}</code>
        </p>
        {info.docs && <p className="docs">{info.docs}</p>}
      </header>
      {(info.kind === "job" || info.kind === "workflow") && <Scheduled info={info} definitions={definitions} />}
      {info.kind === "route" && <RouteForm info={info} />}
      {canCall && <CallForm info={info} definitions={definitions} />}
    </article>
  );
}

/** What is only scheduled, by functions of the application: what it takes, and where its runs are. */
function Scheduled({ info, definitions }: { info: FunctionInfo; definitions: Definitions }) {
  const inputs = inputsOf(JSON.parse(info.argumentsSchema) as JsonSchema, definitions);
  return (
    <div className="call-form">
      <p className="hint">
        Takes{" "}
        {info.kind === "job" && <>the documents of a query{inputs.length > 0 && " and "}</>}
        {inputs.length > 0 ? <code>{inputs.map(({ name, type }) => `${name}: ${type}`).join(", ")}</code> : info.kind === "workflow" && "nothing"}. A mutation begins it; those under way are in{" "}
        <a href={linkTo(["calls", "running"])}>Calls to come</a>.
      </p>
    </div>
  );
}

/** A route is called by its address, which is the application's own: only how is shown. */
function RouteForm({ info: { pattern = "/", methods, access } }: { info: FunctionInfo }) {
  const text = routeSnippet(methods, pattern, location.origin, access === EVERYBODY);
  return (
    <div className="call-form">
      <pre className="block" tabIndex={0}>
        {text}
      </pre>
      <div className="buttons">
        <button onClick={() => void navigator.clipboard.writeText(text).then(() => say("Copied for curl"))}>
          <Icon name="copy" /> Copy as curl
        </button>
        {methods.includes("GET") && !pattern.includes("{") && (
          <a className="button" href={`..${pattern}`} target="_blank" rel="noreferrer">
            Open
          </a>
        )}
      </div>
    </div>
  );
}

function CallForm({ info, definitions }: { info: FunctionInfo; definitions: Definitions }) {
  const mayChange = useMayChange();
  const client = useSynovia();
  const inputs = useMemo(() => inputsOf(JSON.parse(info.argumentsSchema) as JsonSchema, definitions), [info, definitions]);
  const [given, setGiven] = useState<Readonly<Record<string, string | boolean>>>({});
  const [caller, setCaller] = useState<Caller>({ who: "application" });
  const [watched, setWatched] = useState<Asked | null>(null);
  const [answer, setAnswer] = useState<Answer | null>(null);
  const [fault, setFault] = useState<string | null>(null);
  const [isBusy, setBusy] = useState(false);
  const isQuery = info.kind === "query";

  function asked(): Asked | null {
    try {
      setFault(null);
      return { jsonText: JSON.stringify(argumentsOf(inputs, given)), caller };
    } catch (error) {
      setFault((error as Error).message);
      return null;
    }
  }

  async function run(): Promise<void> {
    const call = asked();
    if (!call) return;
    if (isQuery) return setWatched(call);
    setBusy(true);
    try {
      setAnswer((await client.action(PATHS.run, { path: info.path, ...call })) as Answer);
    } catch (error) {
      setFault((error as Error).message);
    } finally {
      setBusy(false);
    }
  }

  async function copy(language: "python" | "typescript" | "curl"): Promise<void> {
    const call = asked();
    if (!call) return;
    await navigator.clipboard.writeText(snippet(language, info.kind, info.path, JSON.parse(call.jsonText) as Record<string, unknown>, location.origin, info.access === EVERYBODY));
    say(`Copied for ${language === "curl" ? "curl" : language === "python" ? "Python" : "TypeScript"}`);
  }

  return (
    <>
      <form
        className="call-form"
        onSubmit={(event) => {
          event.preventDefault();
          void run();
        }}
      >
        {inputs.map((input) => (
          <ArgumentField key={input.name} input={input} value={given[input.name]} change={(value) => setGiven({ ...given, [input.name]: value })} />
        ))}
        {!inputs.length && <p className="hint">It takes no arguments.</p>}
        <CallerForm caller={caller} change={setCaller} />
        <div className="buttons">
          <button className="primary" disabled={isBusy || (!isQuery && !mayChange)} title={!isQuery && !mayChange ? "This key only looks" : undefined}>
            <Icon name="play" /> {isQuery ? (watched ? "Watch again" : "Watch") : isBusy ? "Running…" : "Run"}
          </button>
          {watched && (
            <button type="button" onClick={() => setWatched(null)}>
              Stop
            </button>
          )}
          <span className="grow" />
          <div className="buttons">
            <span className="hint">Copy as</span>
            {(["python", "typescript", "curl"] as const).map((language) => (
              <button key={language} type="button" onClick={() => void copy(language)}>
                {language === "python" ? "Python" : language === "typescript" ? "TypeScript" : "curl"}
              </button>
            ))}
          </div>
        </div>
        {fault && (
          <p className="alert" role="alert">
            {fault}
          </p>
        )}
      </form>
      {watched && <Watched key={JSON.stringify(watched)} path={info.path} asked={watched} />}
      {!isQuery && answer && <AnswerView answer={answer} note={answer.milliseconds === undefined ? "" : `in ${duration(answer.milliseconds)}, ${answer.read} read, ${answer.written} written`} />}
    </>
  );
}

function ArgumentField({ input, value, change }: { input: Input; value: string | boolean | undefined; change: (value: string | boolean) => void }) {
  const { name, kind, type, isRequired, choices, initial } = input;
  const placeholder = initial !== undefined && initial !== null ? JSON.stringify(initial) : isRequired ? "" : "left out";
  return (
    <label className={kind === "checkbox" ? "argument check" : "argument"}>
      <span>
        <code>{name}</code>
        {isRequired && <b title="required">*</b>} <span className="hint">{type}</span>
      </span>
      {kind === "checkbox" ? (
        <input type="checkbox" checked={Boolean(value ?? initial)} onChange={({ target }) => change(target.checked)} />
      ) : kind === "choice" ? (
        <select value={String(value ?? "")} onChange={({ target }) => change(target.value)}>
          <option value="">{isRequired ? "choose" : placeholder}</option>
          {choices.map((each) => (
            <option key={each}>{each}</option>
          ))}
        </select>
      ) : kind === "json" ? (
        <textarea rows={3} spellCheck={false} value={String(value ?? "")} placeholder={placeholder || "JSON"} onChange={({ target }) => change(target.value)} />
      ) : (
        <input type={kind} step="any" value={String(value ?? "")} placeholder={placeholder} onChange={({ target }) => change(target.value)} />
      )}
    </label>
  );
}

function Watched({ path, asked }: { path: string; asked: Asked }) {
  const { value, error } = useLive<Answer>(PATHS.watch, { path, ...asked });
  const [changes, setChanges] = useState<{ value: Answer | undefined; count: number }>({ value: undefined, count: -1 });
  if (value !== undefined && value !== changes.value) setChanges({ value, count: changes.count + 1 });
  if (error) return <p className="alert">{error.message}</p>;
  if (!value) return <p className="hint">Asking…</p>;
  return <AnswerView answer={value} note={changes.count ? `live, changed ${changes.count} times` : "live"} isLive />;
}

function AnswerView({ answer, note, isLive = false }: { answer: Answer; note: string; isLive?: boolean }) {
  return (
    <section className="answer">
      <h3>
        <span className={answer.code ? "dot bad" : "dot good"} /> {answer.code ?? "Result"} <span className="hint">{note}</span>
        {isLive && <span className="hidden"> live</span>}
      </h3>
      {answer.message && <p className="alert">{answer.message}</p>}
      {answer.data && (
        <pre className="block" tabIndex={0}>
          {answer.data}
        </pre>
      )}
      {answer.result !== undefined && (
        <pre className="block" tabIndex={0} aria-live="polite">
          {answer.result}
        </pre>
      )}
    </section>
  );
}
