/** Leads from a call or a live query to its function. */
import { linkTo } from "./route.ts";

export function FunctionLink({ path }: { path: string }) {
  return (
    <a className="reference" href={linkTo(["functions", path])}>
      open
    </a>
  );
}
