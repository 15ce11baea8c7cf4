/** The door: passes are typed or read by a scanner that types; what cannot be sent is kept, and comes in later. */
import { useEffect, useRef, useState, type FormEvent, type ReactElement } from "react";
import { useConnectionState, useMutation, useQuery } from "synovia-client/react";
import { Problem } from "../shared/ui.tsx";
import { api, type Event, type Verdict } from "./api/api.ts";

interface Scan {
  readonly scanId: string;
  readonly code: string;
  readonly scannedAt: number;
}

const WORDS = { admitted: "Admitted", already: "Already in", cancelled: "Cancelled", unknown: "Unknown pass" } as const;
const LOOKS = { admitted: "good", already: "warn", cancelled: "bad", unknown: "bad" } as const;
const AT_ONCE = 100;

/** What this browser has scanned and not told yet, kept through reloads; and who it is. */
function kept<T>(name: string, otherwise: T): T {
  return JSON.parse(localStorage.getItem(name) ?? JSON.stringify(otherwise)) as T;
}

export function Door({ event }: { event: Event }): ReactElement {
  const door = useQuery(api.passes.door, { eventId: event._id });
  const checkIn = useMutation(api.passes.checkIn);
  const { isConnected } = useConnectionState();
  const store = `events:scans:${event._id}`;
  const [waiting, setWaiting] = useState<readonly Scan[]>(() => kept<Scan[]>(store, []));
  const [scanner] = useState(() => {
    const name = kept("events:scanner", `Scanner ${crypto.randomUUID().slice(0, 4)}`);
    localStorage.setItem("events:scanner", JSON.stringify(name));
    return name;
  });
  const [last, setLast] = useState<Verdict | null>(null);
  const [problem, setProblem] = useState<unknown>(null);
  const [code, setCode] = useState("");
  const [text, setText] = useState("");
  const found = useQuery(api.passes.find, text.trim() ? { eventId: event._id, text } : "skip");
  const sending = useRef(false);

  useEffect(() => localStorage.setItem(store, JSON.stringify(waiting)), [store, waiting]);
  useEffect(() => {
    if (!isConnected || waiting.length === 0 || sending.current) return;
    sending.current = true;
    const sent = waiting.slice(0, AT_ONCE);
    const told = new Set(sent.map((scan) => scan.scanId));
    checkIn({ eventId: event._id, scanner, scans: [...sent] })
      .then((verdicts) => (setLast(verdicts.at(-1) ?? null), setProblem(null)), setProblem)
      .finally(() => {
        sending.current = false;
        setWaiting((now) => now.filter((scan) => !told.has(scan.scanId)));
      });
  }, [isConnected, waiting, checkIn, event._id, scanner]);

  const take = (read: string): void => {
    setLast(null);
    setWaiting([...waiting, { scanId: crypto.randomUUID(), code: read, scannedAt: Date.now() }]);
  };
  const scan = (submitted: FormEvent): void => {
    submitted.preventDefault();
    if (!code.trim()) return;
    take(code.trim());
    setCode("");
  };
  const share = door && door.passes > 0 ? door.admitted / door.passes : 0;
  return (
    <div className="halves">
      <section className="card" aria-label="Scan">
        <form onSubmit={scan}>
          <label className="scan">
            Code of the pass
            <input autoFocus autoComplete="off" autoCapitalize="off" spellCheck={false} value={code} onChange={(typed) => setCode(typed.target.value)} />
          </label>
          <button className="primary">Check in</button>
        </form>
        <div role="status" className={`verdict ${last ? LOOKS[last.outcome] : ""}`}>
          {last ? (
            <>
              <strong>{WORDS[last.outcome]}</strong>
              <span>{last.holder}{last.outcome === "already" && last.at != null && `, ${time(last.at)} by ${last.scanner}`}</span>
            </>
          ) : waiting.length > 0 && !isConnected ? (
            <>
              <strong>{waiting.length} kept</strong>
              <span>They are checked in when the connection is back.</span>
            </>
          ) : <span>Ready. A scanner that types works here.</span>}
        </div>
        <Problem error={problem} />
        <input type="search" aria-label="Find a guest" placeholder="Find a guest by name or e-mail" maxLength={200} value={text} onChange={(typed) => setText(typed.target.value)} />
        {found && (
          <ul className="rows" aria-label="Guests">
            {found.map((pass) => (
              <li key={pass._id}>
                <span className="grow"><strong>{pass.holder}</strong> <small>{pass.email}</small></span>
                <button onClick={() => (take(pass.code), setText(""))}>Check in</button>
              </li>
            ))}
          </ul>
        )}
        {found?.length === 0 && <p className="quiet">Nobody of that name has a pass.</p>}
      </section>
      <section className="card" aria-label="Count">
        <p className="count"><strong>{door?.admitted ?? "…"}</strong> of {door?.passes ?? "…"} are in</p>
        <div className="bar" role="img" aria-label={`${Math.round(share * 100)} percent`}><span style={{ inlineSize: `${share * 100}%` }} /></div>
        <ul className="rows">
          {door?.last.map((entry) => (
            <li key={entry._id}><span className="grow"><strong>{entry.holder}</strong></span><small>{entry.scanner}, {time(entry.scannedAt)}</small></li>
          ))}
        </ul>
        {door?.last.length === 0 && <p className="quiet">Nobody is in yet.</p>}
      </section>
    </div>
  );
}

const time = (at: number): string => new Date(at).toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" });
