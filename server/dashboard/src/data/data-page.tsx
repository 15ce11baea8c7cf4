/** The tables, and the rows of one of them. */
import { useLive } from "../browser/live.ts";
import { linkTo, useRoute } from "../browser/route.ts";
import { PATHS, type TableInfo } from "../api/hub.ts";
import { Boundary } from "../ui/boundary.tsx";
import { compact, count } from "../ui/format.ts";
import { SchemaView } from "./schema-view.tsx";
import { TableView } from "./table-view.tsx";
import "./data.css";

export default function DataPage() {
  const { parts, query } = useRoute();
  const { value: tables, error } = useLive<readonly TableInfo[]>(PATHS.tables);
  if (error) throw error;
  if (!tables) return <div className="blank" role="status" aria-label="Loading" />;
  const own = tables.filter((table) => !table.system);
  const table = tables.find(({ name }) => name === parts[1]) ?? own[0] ?? tables[0];
  return (
    <div className="page data">
      <aside className="tables" aria-label="Tables">
        <TableList title="Tables" tables={own} chosen={table?.name} />
        <TableList title="Kept by Synovia" tables={tables.filter(({ system }) => system)} chosen={table?.name} />
      </aside>
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
