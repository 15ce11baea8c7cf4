/** The tables, and the rows of one of them. */
import { useLive } from "../browser/live.ts";
import { linkTo, useRoute } from "../browser/route.ts";
import { PATHS, type TableInfo } from "../api/hub.ts";
import { Boundary } from "../ui/boundary.tsx";
import { compact, count } from "../ui/format.ts";
import { NotFound } from "../ui/not-found.tsx";
import { SchemaView } from "./schema-view.tsx";
import { TableView } from "./table-view.tsx";
import "./data.css";

export default function DataPage() {
  const { parts, query } = useRoute();
  const { value: tables, error } = useLive<readonly TableInfo[]>(PATHS.tables);
  if (error) throw error;
  if (!tables) return <div className="blank" role="status" aria-label="Loading" />;
  const own = tables.filter((table) => !table.system);
  const asked = parts[1];
  const table = asked === undefined ? (own[0] ?? tables[0]) : tables.find(({ name }) => name === asked);
  return (
    <div className="page data">
      <aside className="tables" aria-label="Tables">
        <TableList title="Tables" tables={own} chosen={table?.name} />
        <TableList title="Kept by Synovia" tables={tables.filter(({ system }) => system)} chosen={table?.name} />
      </aside>
      {asked !== undefined && !table && (
        <NotFound title="No such table" isPage>
          There is no table <code>{asked}</code>: it may have been renamed, or nothing was ever in it. The tables that there are stand in the list.
        </NotFound>
      )}
      {table && (
        <Boundary key={table.name}>
          {query.get("view") === "schema" ? <SchemaView table={table} /> : <TableView table={table} tables={tables} key={table.name} />}
        </Boundary>
      )}
    </div>
  );
}

function TableList({ title, tables, chosen }: { title: string; tables: readonly TableInfo[]; chosen: string | undefined }) {
  if (!tables.length) return null;
  return (
    <>
      <h2 className="label">{title}</h2>
      <ul>
        {tables.map(({ name, count: documents, declared, system }) => (
          <li key={name}>
            <a href={linkTo(["data", name])} aria-current={name === chosen ? "true" : undefined}>
              <span className="name">{name}</span>
              {!declared && !system && <span className="tag warn">not declared</span>}
              <span className="quantity" title={`${count(documents)} documents`}>
                {compact(documents)}
              </span>
            </a>
          </li>
        ))}
      </ul>
    </>
  );
}
