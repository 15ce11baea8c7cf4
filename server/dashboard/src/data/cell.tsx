/** A value in a table: short, and in the colour of its kind. */
import { ArrayRef, type StoredFile } from "synovia-client";
import { linkTo } from "../browser/route.ts";
import type { FieldInfo } from "../api/hub.ts";
import { bytes, count, moment } from "../ui/format.ts";

export function Cell({ value, field }: { value: unknown; field: FieldInfo | undefined }) {
  if (value === undefined) return <span className="nothing">–</span>;
  if (value === null) return <span className="nothing">null</span>;
  if (value instanceof ArrayRef) return <span className="tag">{value.dtype} × {value.shape.map((each) => count(Number(each))).join(" × ")}</span>;
  if (field?.kind === "id" && field.refersTo && typeof value === "string") {
    return (
      <a className="reference" href={linkTo(["data", field.refersTo], { id: value })} onClick={(event) => event.stopPropagation()} title={`Show in ${field.refersTo}`}>
        {short(value)}
      </a>
    );
  }
  if (typeof value === "boolean") return <span className="value-bool">{String(value)}</span>;
  if (typeof value === "number" || typeof value === "bigint") return <span className="value-number">{String(value)}</span>;
  if (value instanceof Date) return <span className="value-date">{moment(value.getTime())}</span>;
  if (value instanceof Uint8Array) return <span className="tag">{bytes(value.length)}</span>;
  if (typeof value === "string") return field?.kind === "choice" ? <span className="tag">{value}</span> : <>{value}</>;
  if (isFile(value)) return <span className="tag">{`${value.name}, ${bytes(value.size)}`}</span>;
  return <span className="value-structure">{inline(value)}</span>;
}

export function short(id: string): string {
  return /^[0-9a-f]{24}$/.test(id) ? `…${id.slice(-8)}` : id;
}

/** Write a value in one line; what the hub has cut is a dot dot dot. */
function inline(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => (isMore(item) ? `… ${item.$more} more` : inline(item))).join(", ")}]`;
  if (value instanceof ArrayRef) return `${value.dtype} × ${value.length}`;
  if (value instanceof Date) return value.toISOString();
  if (typeof value === "bigint") return String(value);
  if (typeof value === "object" && value !== null) {
    if ("$bytes" in value) return bytes(Number(value.$bytes));
    if ("$sealed" in value) return "sealed";
    const entries = Object.entries(value).map(([key, item]) => (key === "$more" ? `… ${item} more` : `${key}: ${inline(item)}`));
    return `{ ${entries.join(", ")} }`;
  }
  return typeof value === "string" ? `"${value}"` : String(value);
}

function isFile(value: unknown): value is StoredFile {
  return typeof value === "object" && value !== null && Object.keys(value).sort().join() === "digest,name,size,type,uploadedAt";
}

function isMore(value: unknown): value is { $more: number } {
  return typeof value === "object" && value !== null && Object.keys(value).length === 1 && "$more" in value;
}
