/** One live query: its cost, what it has read, and the commit that last made it run again. */
import { useLive } from "../browser/live.ts";
import { FunctionLink } from "../browser/function-link.tsx";
import { linkTo } from "../browser/route.ts";
import { PATHS, type CommittedCall, type LiveQueryDetails } from "../api/hub.ts";
import { Facts } from "../ui/facts.tsx";
import { bytes, count, duration, plural } from "../ui/format.ts";
import { LogLines } from "../ui/log-lines.tsx";
import { Panel } from "../ui/panel.tsx";

export function LivePanel({ number, close }: { number: number; close: () => void }) {
  const { value: details, error } = useLive<LiveQueryDetails>(PATHS.liveQuery, { number });
  if (!details || error) {
    return (
      <Panel title="Live query" label="Live query" close={close}>
        {error && <p className="hint">{error.message}</p>}
      </Panel>
    );
  }
  const { query, reads, documents, subscribers, wokenBy, calls, isCommitKnown, lines } = details;
  const rolled = query.runs ? Math.round((100 * query.rolledForward) / query.runs) : 0;
  return (
    <Panel label={`Live query ${query.path}`} title={<code>{query.path}</code>} close={close}>
      <pre className="block" tabIndex={0}>
        {query.arguments}
      </pre>
      <Facts
        facts={[
          ["State", query.state],
          ["Runs", count(query.runs)],
          ["Last run", duration(query.last)],
          ["In all", duration(query.total)],
          ["Reads", plural(query.read, "document")],
          ["Result", bytes(query.size)],
          ["Pushed", bytes(query.pushed)],
          ["Function", <FunctionLink path={query.path} />],
        ]}
      />
      <section>
        <h3>How it was run</h3>
        <div className="share" role="img" aria-label={`${rolled} % rolled forward, the rest read anew`}>
          <i style={{ width: `${rolled}%` }} />
        </div>
        <p className="hint">
          {plural(query.rolledForward, "time")} rolled forward from the run before, {plural(query.anew, "time")} read anew from the database.
        </p>
      </section>
      <section>
        <h3>Why it last ran again</h3>
        {query.wokenAt === undefined ? (
          <p className="hint">It has not been: nothing that it has read was written since it was first asked for.</p>
        ) : (
          <>
            <p>
              By the commit <code>{query.wokenAt}</code>
              <Origin calls={calls} />
            </p>
            {wokenBy.length ? (
              <ul className="why">
                {wokenBy.map((text, place) => (
                  <li key={place}>{text}</li>
                ))}
              </ul>
            ) : (
              <p className="hint">{isCommitKnown ? "It wrote what the query had read before, and does not read any more." : "This hub does not keep any more what it wrote."}</p>
            )}
          </>
        )}
      </section>
      <section>
        <h3>What it has read</h3>
        <ul className="why">
          {reads.map((text) => (
            <li key={text}>{text}</li>
          ))}
        </ul>
        <p className="hint">{documents > 0 ? `${plural(documents, "document")} by id. ` : ""}Whatever is written there makes it run again; nothing else does.</p>
      </section>
      <LogLines lines={lines} />
      <section>
        <h3>Held by</h3>
        {subscribers.length ? (
          <ul className="why plain">
            {subscribers.map((text, place) => (
              <li key={place}>{text}</li>
            ))}
          </ul>
        ) : (
          <p className="hint">Nobody; it is kept for a while in case somebody comes back.</p>
        )}
      </section>
    </Panel>
  );
}

/** Whose a commit was: the calls that it is of, with their lines in the log. */
function Origin({ calls }: { calls: readonly CommittedCall[] }) {
  if (!calls.length) return <span className="hint">: of another hub or program, or of a call that the log does not keep.</span>;
  return (
    <>
      {" of "}
      {calls.map(({ number, path, caller }, place) => (
        <span key={number}>
          {place > 0 && ", "}
          <a href={linkTo(["logs"], { call: String(number) })}>
            <code>{path}</code>
          </a>
          {caller && ` by ${caller}`}
        </span>
      ))}
    </>
  );
}
