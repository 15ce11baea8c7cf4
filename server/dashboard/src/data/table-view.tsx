/** The rows of a table: sorted by an index, filtered, searched; one of them opens beside it. */
import { useMemo, useState } from "react";
import { useSynovia } from "synovia-client/react";
import { goInstead, linkTo, useRoute } from "../browser/route.ts";
import { PATHS, type DocumentRow, type TableInfo } from "../api/hub.ts";
import { useMayChange } from "../session/use-session.ts";
import { count, plural } from "../ui/format.ts";
import { Icon } from "../ui/icons.tsx";
import { Rows, type Column } from "../ui/rows.tsx";
import { SearchField } from "../ui/search-field.tsx";
import { act } from "../ui/toasts.tsx";
import { Cell, short } from "./cell.tsx";
import { ColumnChoice, useHiddenColumns } from "./columns.tsx";
import { Conditions, conditionsOf, type Draft } from "./conditions.tsx";
import { DeleteQuestion } from "./delete-question.tsx";
import { DocumentPanel } from "./document-panel.tsx";
import { NewDocument } from "./new-document.tsx";
import { useRows } from "./pages.ts";

const ID = /^[0-9a-f]{24}$/;
/** So many documents are looked at for what is searched until somebody asks for more. */
const PATIENCE = 20_000;

export function TableView({ table, tables }: { table: TableInfo; tables: readonly TableInfo[] }) {
  const client = useSynovia();
  const mayChange = useMayChange() && table.declared && !table.system;
  const { query } = useRoute();
  const [index, setIndex] = useState<string | null>(null);
  const [descending, setDescending] = useState(true);
  const [drafts, setDrafts] = useState<readonly Draft[] | null>(null);
  const [search, setSearch] = useState("");
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [isDeleting, setDeleting] = useState(false);
  const [draft, setDraft] = useState<string | null>(null);
  const [patience, setPatience] = useState(PATIENCE);
  const [hidden, setHidden] = useHiddenColumns(table.name);
  const opened = query.get("id");

  const where = useMemo(() => {
    const conditions = conditionsOf(drafts ?? [], table);
    const wanted = search.trim();
    if (!wanted) return conditions;
    return [...conditions, ID.test(wanted) ? { field: "_id", test: "eq" as const, value: wanted } : { field: "", test: "contains" as const, value: wanted }];
  }, [drafts, search, table.name]);
  const { rows, isLoading, isEnd, index: by, examined, notes, error, more } = useRows({ table: table.name, index, descending, where });

  const isPatient = examined - rows.length < patience;
  const now = index ?? by ?? "by_id";
  const names = useMemo(() => namesOf(table, rows), [table, rows.length > 0]);
  const columns = useMemo(
    () => columnsOf(table, names.filter((name) => !hidden.has(name)), { index: now, descending, chosen, mayChange }),
    [table, names, hidden, now, descending, chosen, mayChange],
  );

  function columnsOf(
    { fields, indexes }: TableInfo,
    names: readonly string[],
    now: { index: string; descending: boolean; chosen: ReadonlySet<string>; mayChange: boolean },
  ): Column<DocumentRow>[] {
    const sorted = (name: string): string | undefined => (name === "_id" ? "by_id" : indexes.find(({ fields: [first] }) => first === name)?.name);
    const title = (name: string, words: string) => {
      const by = sorted(name);
      if (!by) return words;
      const isNow = by === now.index;
      return (
        <button className="sort" aria-pressed={isNow} title={`Sort by the index ${by}`} onClick={() => (isNow ? setDescending(!now.descending) : (setIndex(by), setDescending(false)))}>
          {words} {isNow && <Icon name={now.descending ? "down" : "up"} size={12} />}
        </button>
      );
    };
    const pick: Column<DocumentRow> = {
      name: "$pick",
      title: <span className="hidden">Chosen</span>,
      width: "38px",
      kind: "mark",
      cell: ({ id }) => (
        <input
          type="checkbox"
          aria-label={`Choose ${id}`}
          checked={now.chosen.has(id)}
          onClick={(event) => event.stopPropagation()}
          onChange={({ target }) => setChosen((before) => new Set(target.checked ? [...before, id] : [...before].filter((each) => each !== id)))}
        />
      ),
    };
    const id: Column<DocumentRow> = {
      name: "_id",
      title: title("_id", "_id"),
      width: "132px",
      cell: ({ id, misfit }) => (
        <span className="mono id" title={id}>
          {misfit && (
            <span className="misfit-mark" title={`${misfit.field || "The document"}: ${misfit.reason}`}>
              <Icon name="warning" size={13} />
              <span className="hidden">does not fit: </span>
            </span>
          )}
          {short(id)}
        </span>
      ),
    };
    const rest = names.map((name): Column<DocumentRow> => {
      const field = fields.find((each) => each.name === name);
      const isNumber = field?.kind === "number";
      return {
        name,
        title: title(name, name),
        width: isNumber || field?.kind === "bool" ? "minmax(138px, 0.7fr)" : "minmax(150px, 1fr)",
        ...(isNumber && { kind: "number" as const }),
        cell: ({ document, arrays }) => <Cell value={arrays[name] ?? document[name]} field={field} />,
      };
    });
    return [...(now.mayChange ? [pick] : []), id, ...rest];
  }

  async function remove(): Promise<void> {
    setDeleting(false);
    const ids = [...chosen];
    const isDone = await act(() => client.mutation(PATHS.delete, { table: table.name, ids }), `Deleted ${plural(ids.length, "document")}`);
    if (isDone) setChosen(new Set());
  }

  /** What is looked for anew is found by whatever index finds it. */
  function look(drafts: readonly Draft[] | null): void {
    setDrafts(drafts);
    setIndex(null);
    setPatience(PATIENCE);
  }

  const open = (id: string | undefined): void => goInstead(["data", table.name], { id });
  return (
    <div className="table-view">
      <div className="bar">
        <h1>{table.name}</h1>
        <span className="quiet">{plural(table.count, "document")}</span>
        <span className="grow" />
        {chosen.size > 0 && (
          <>
            <button className="danger" onClick={() => setDeleting(true)}>
              <Icon name="trash" /> Delete {count(chosen.size)}
            </button>
            <button onClick={() => setChosen(new Set())}>Clear</button>
          </>
        )}
        <SearchField value={search} change={(text) => (setSearch(text), setIndex(null), setPatience(PATIENCE))} placeholder="Id or text" label="Search by id or text" />
        <button aria-pressed={drafts !== null} onClick={() => look(drafts ? null : [{ field: table.fields[0]?.name ?? "_id", test: "eq", text: "" }])}>
          <Icon name="filter" /> Filter{drafts?.length ? ` ${drafts.length}` : ""}
        </button>
        <ColumnChoice names={names} hidden={hidden} change={setHidden} />
        <a className="button" href={linkTo(["data", table.name], { view: "schema" })}>
          Schema
        </a>
        {mayChange && (
          <button className="primary" onClick={() => setDraft("")}>
            <Icon name="plus" /> Add
          </button>
        )}
      </div>
      {drafts && <Conditions names={names} drafts={drafts} change={look} />}
      {notes.length > 0 && (
        <p className="notes" role="status">
          {notes.join("; ")}
        </p>
      )}
      {error && (
        <p className="alert" role="alert">
          {error.message}
        </p>
      )}
      <div className={opened || draft !== null ? "split open" : "split"}>
        <Rows
          label={`Documents of ${table.name}`}
          columns={columns}
          rows={rows}
          keyOf={({ id }) => id}
          rowClass={({ misfit }) => (misfit ? "misfit" : "")}
          selected={opened}
          open={({ id }) => (setDraft(null), open(id))}
          {...(isPatient && { more })}
          empty={!isLoading && isEnd && <Nothing isFiltered={where.length > 0} />}
          footer={
            (rows.length > 0 || !isEnd) && (
              <div className="more">
                <p role="status">
                  {isEnd ? `That is all: ${plural(rows.length, "document")}` : isPatient ? "Reading on…" : `${plural(rows.length, "document")} so far`}
                  {examined > rows.length + 1 && `, ${count(examined)} looked at`}
                </p>
                {!isEnd && !isPatient && <button onClick={() => (setPatience(2 * examined + PATIENCE), more())}>Look further</button>}
              </div>
            )
          }
        />
        {draft !== null ? (
          <NewDocument table={table} text={draft} like={opened} close={() => setDraft(null)} made={(id) => (setDraft(null), open(id))} />
        ) : (
          opened && (
            <DocumentPanel
              key={`${table.name}/${opened}`}
              table={table}
              tables={tables}
              id={opened}
              close={() => open(undefined)}
              duplicate={(text) => setDraft(text)}
              mayChange={mayChange}
            />
          )
        )}
      </div>
      {isDeleting && (
        <DeleteQuestion table={table.name} ids={[...chosen]} confirm={() => void remove()} cancel={() => setDeleting(false)} />
      )}
    </div>
  );
}

/** The columns that there are: the fields that are declared, and others that the first documents have. */
function namesOf({ fields }: TableInfo, shown: readonly DocumentRow[]): readonly string[] {
  const known = new Set(["_id", ...fields.map(({ name }) => name)]);
  const others = new Set(shown.slice(0, 100).flatMap(({ document, arrays }) => [...Object.keys(document), ...Object.keys(arrays)]));
  return [...fields.map(({ name }) => name), ...[...others].filter((name) => !known.has(name))];
}

function Nothing({ isFiltered }: { isFiltered: boolean }) {
  return (
    <div className="empty">
      <h2>{isFiltered ? "Nothing is like that" : "No documents yet"}</h2>
      <p>{isFiltered ? "No document satisfies the search and the conditions." : "What functions insert appears here as it happens."}</p>
    </div>
  );
}
