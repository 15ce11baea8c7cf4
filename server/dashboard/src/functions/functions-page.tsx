/** Everything that can be called, and calling it. */
import { useMemo, useState } from "react";
import { useLive } from "../browser/live.ts";
import { linkTo, useRoute } from "../browser/route.ts";
import { PATHS, type FunctionInfo } from "../api/hub.ts";
import { Choice } from "../ui/choice.tsx";
import { plural } from "../ui/format.ts";
import { Icon } from "../ui/icons.tsx";
import { Boundary } from "../ui/boundary.tsx";
import { NotFound } from "../ui/not-found.tsx";
import { SearchField } from "../ui/search-field.tsx";
import { FunctionView } from "./function-view.tsx";
import type { Definitions } from "./schema.ts";
import "./functions.css";

const KINDS = ["query", "mutation", "action", "job", "workflow", "route", "migration"] as const;

export default function FunctionsPage() {
  const { parts } = useRoute();
  const { value: listed, error } = useLive<{ functions: readonly FunctionInfo[]; definitions: string }>(PATHS.functions);
  const [search, setSearch] = useState("");
  const [kind, setKind] = useState("");
  const definitions = useMemo(() => JSON.parse(listed?.definitions ?? "{}") as Definitions, [listed?.definitions]);
  if (error) throw error;
  if (!listed) return <div className="blank" role="status" aria-label="Loading" />;
  const wanted = search.trim().toLowerCase();
  const shown = listed.functions.filter((each) => (!kind || each.kind === kind) && (!wanted || `${each.path} ${each.docs} ${each.pattern ?? ""}`.toLowerCase().includes(wanted)));
  const modules = grouped(shown);
  const asked = parts[1];
  const chosen = listed.functions.find(({ path }) => path === asked);
  return (
    <div className="page">
      <div className="bar">
        <h1>Functions</h1>
        <span className="quiet">{plural(listed.functions.length, "function")}</span>
        <span className="grow" />
        <SearchField value={search} change={setSearch} placeholder="Name or docs" />
        <Choice label="Kind" all="Every kind" value={kind} choices={KINDS} change={setKind} />
      </div>
      <div className={asked === undefined ? "functions" : "functions open"}>
        <nav className="function-list" aria-label="Functions">
          {[...modules].map(([module, functions]) => (
            <section key={module}>
              <h2 className="label">{module}</h2>
              <ul>
                {functions.map((each) => (
                  <li key={each.path}>
                    <a href={linkTo(["functions", each.path])} aria-current={each === chosen ? "true" : undefined}>
                      <code>{each.path.slice(module.length + 1)}</code>
                      {each.cron && <Icon name="calls" size={13} />}
                      {each.internal && <span className="internal">internal</span>}
                      <span className={`tag ${each.kind}`}>{each.kind}</span>
                    </a>
                  </li>
                ))}
              </ul>
            </section>
          ))}
          {!shown.length && <p className="empty">No function is called so.</p>}
        </nav>
        {chosen ? (
          <Boundary key={chosen.path}>
            <FunctionView info={chosen} definitions={definitions} />
          </Boundary>
        ) : asked !== undefined ? (
          <NotFound title="No such function">
            The application has no function <code>{asked}</code>. <a href={linkTo(["functions"])}>All functions</a>
          </NotFound>
        ) : (
          <div className="empty function-none">
            <h2>Choose a function</h2>
            <p>See what it takes and who may call it, run it as anybody, or watch a query change.</p>
          </div>
        )}
      </div>
    </div>
  );
}

function grouped(functions: readonly FunctionInfo[]): Map<string, FunctionInfo[]> {
  const found = new Map<string, FunctionInfo[]>();
  for (const each of functions) {
    const module = each.path.split(":")[0]!;
    found.set(module, [...(found.get(module) ?? []), each]);
  }
  return found;
}
