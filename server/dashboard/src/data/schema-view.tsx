/** A table's fields and indexes, and how often each index was read since the hub was started. */
import { linkTo } from "../browser/route.ts";
import type { TableInfo } from "../api/hub.ts";
import { ago, count } from "../ui/format.ts";

export function SchemaView({ table }: { table: TableInfo }) {
  return (
    <div className="table-view">
      <div className="bar">
        <h1>{table.name}</h1>
        <span className="quiet">schema</span>
        <span className="grow" />
        <a className="button" href={linkTo(["data", table.name])}>
          Documents
        </a>
      </div>
      <div className="schema" role="region" aria-label="Schema" tabIndex={0}>
        <section>
          <h2 className="label">Fields</h2>
          {table.fields.length ? (
            <table>
              <thead>
                <tr>
                  <th scope="col">Name</th>
                  <th scope="col">Type</th>
                  <th scope="col">Refers to</th>
                </tr>
              </thead>
              <tbody>
                {table.fields.map(({ name, type, refersTo, required }) => (
                  <tr key={name}>
                    <td>
                      <code>{name}</code> {required && <span className="tag">required</span>}
                    </td>
                    <td>
                      <code>{type}</code>
                    </td>
                    <td>
                      {refersTo && (
                        <a className="reference" href={linkTo(["data", refersTo])}>
                          {refersTo}
                        </a>
                      )}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          ) : (
            <p className="hint">No version of the application that runs here declares this table.</p>
          )}
        </section>
        <section>
          <h2 className="label">Indexes</h2>
          <table>
            <thead>
              <tr>
                <th scope="col">Name</th>
                <th scope="col">Over</th>
                <th scope="col" className="number">
                  Scans
                </th>
                <th scope="col" className="number">
                  Documents
                </th>
                <th scope="col" className="last">
                Last
              </th>
              </tr>
            </thead>
            <tbody>
              {table.indexes.map(({ name, fields, unique, scans, documents, usedAt }) => (
                <tr key={name}>
                  <td>
                    <code>{name}</code> {unique && <span className="tag">unique</span>}
                  </td>
                  <td>
                    <code>{fields.join(", ")}</code>
                  </td>
                  <td className="number">{scans || name === "by_id" ? count(scans) : <span className="tag warn">never used</span>}</td>
                  <td className="number">{count(documents)}</td>
                  <td className="last">{usedAt ? ago(usedAt, Date.now()) : "–"}</td>
                </tr>
              ))}
            </tbody>
          </table>
          <p className="hint">
            Counted since this hub was started, what operators look at included. An index that no query uses costs every write; one over many more
            documents than its queries give would serve them better with further fields.
          </p>
        </section>
        <WholeReads table={table} />
      </div>
    </div>
  );
}

/** So many documents are read in no time, with or without an index. */
const FEW = 100;

/** Who has read all of the table for a run, and what would help. */
function WholeReads({ table: { wholeReads, count: documents } }: { table: TableInfo }) {
  if (!wholeReads.length) return null;
  return (
    <section>
      <h2 className="label">Read without an index</h2>
      <table>
        <thead>
          <tr>
            <th scope="col">Function</th>
            <th scope="col">Looks for</th>
            <th scope="col" className="number">
              Runs
            </th>
            <th scope="col" className="number">
              Gives
            </th>
            <th scope="col" className="number">
              Of
            </th>
            <th scope="col" className="last">
                Last
              </th>
          </tr>
        </thead>
        <tbody>
          {wholeReads.map(({ path, where, runs, documents: given, at }) => (
            <tr key={path}>
              <td>
                <a className="reference" href={linkTo(["functions", path])}>
                  {path}
                </a>{" "}
                {where && documents > FEW && <span className="tag warn">missing index</span>}
              </td>
              <td>{where ? <code>{where}</code> : "everything"}</td>
              <td className="number">{count(runs)}</td>
              <td className="number">{count(given)}</td>
              <td className="number">{count(documents)}</td>
              <td className="last">{ago(at, Date.now())}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p className="hint">
        Each of these looks at every document of the table when it is run. An index that begins with the fields of its condition, and <code>.using</code> it, lets it read only
        what it gives.
      </p>
    </section>
  );
}
