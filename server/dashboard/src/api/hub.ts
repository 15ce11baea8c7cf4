/** What the hub's system functions take and give. The paths stand here and nowhere else. */

export const PATHS = {
  tables: "_system/data:tables",
  rows: "_system/data:rows",
  document: "_system/data:document",
  find: "_system/data:find",
  consequences: "_system/data:consequences",
  insert: "_system/data:insert",
  update: "_system/data:update",
  delete: "_system/data:delete",
  logs: "_system/logs:recent",
  call: "_system/logs:call",
  summary: "_system/logs:summary",
  functions: "_system/functions:list",
  watch: "_system/functions:watch",
  run: "_system/functions:run",
  live: "_system/live:list",
  liveQuery: "_system/live:get",
  clients: "_system/clients:list",
  client: "_system/clients:get",
  endClient: "_system/clients:end",
  scheduled: "_system/calls:list",
  crons: "_system/calls:crons",
  cancel: "_system/calls:cancel",
  retry: "_system/calls:retry",
  hub: "_system/health:hub",
  health: "_system/health:report",
} as const;

export interface FieldInfo {
  readonly name: string;
  readonly kind: "id" | "text" | "number" | "bool" | "date" | "bytes" | "array" | "list" | "map" | "choice" | "any";
  readonly type: string;
  readonly refersTo?: string;
  readonly choices: readonly string[];
  readonly required: boolean;
}

export interface IndexInfo {
  readonly name: string;
  readonly fields: readonly string[];
  readonly unique: boolean;
  readonly scans: number;
  readonly documents: number;
  readonly usedAt?: number;
}

export interface TableInfo {
  readonly name: string;
  readonly count: number;
  readonly declared: boolean;
  readonly system: boolean;
  readonly fields: readonly FieldInfo[];
  readonly indexes: readonly IndexInfo[];
  readonly wholeReads: readonly WholeRead[];
}

export interface WholeRead {
  readonly path: string;
  readonly runs: number;
  readonly documents: number;
  readonly where?: string;
  readonly at: number;
}

export interface Consequence {
  readonly table: string;
  readonly field: string;
  readonly happens: "cascade" | "unset" | "restrict";
  readonly count: number;
  readonly example: string;
}

export interface Consequences {
  readonly deleted: number;
  readonly isAllowed: boolean;
  readonly isAll: boolean;
  readonly consequences: readonly Consequence[];
}

export interface Misfit {
  readonly field: string;
  readonly reason: string;
}

export interface DocumentRow {
  readonly id: string;
  readonly document: Readonly<Record<string, unknown>>;
  readonly arrays: Readonly<Record<string, unknown>>;
  readonly misfit?: Misfit;
}

export interface DocumentPage {
  readonly rows: readonly DocumentRow[];
  readonly nextCursor?: string;
  /** By which they are in order. */
  readonly index: string;
  readonly examined: number;
  /** What is odd about the conditions, in words. */
  readonly notes: readonly string[];
}

export interface ShownFile {
  /** Where it stands in the document. */
  readonly field: string;
  readonly name: string;
  readonly type: string;
  readonly size: number;
  readonly address: string;
  readonly isImage: boolean;
}

export interface WholeDocument {
  readonly files: readonly ShownFile[];
  readonly id: string;
  readonly jsonText: string;
  readonly document: Readonly<Record<string, unknown>>;
  readonly misfit?: Misfit;
}

export interface Condition {
  readonly field: string;
  readonly test: "eq" | "ne" | "lt" | "le" | "gt" | "ge" | "contains" | "exists" | "missing";
  readonly value?: unknown;
}

export interface LogLine {
  readonly level: string;
  readonly text: string;
}

export interface Call {
  readonly number: number;
  readonly kind: string;
  readonly path: string;
  readonly caller?: string;
  readonly callerName?: string;
  readonly outcome: string;
  readonly endedAt: number;
  readonly milliseconds: number;
  readonly read: number;
  readonly written: number;
  readonly bytes: number;
  readonly message?: string;
  readonly reference?: string;
  readonly cause?: number;
  /** The application itself called it. */
  readonly inside: boolean;
  readonly scheduled: number;
  readonly more: number;
  readonly lines: readonly LogLine[];
}

export interface FunctionSummary {
  readonly kind: string;
  readonly path: string;
  readonly calls: number;
  readonly failures: number;
  readonly average: number;
  readonly slowest: number;
}

export interface CallDetails {
  readonly call: Call;
  readonly result?: string;
  readonly traceback?: string;
  readonly errorData?: unknown;
  readonly related: readonly Call[];
}

export interface FunctionInfo {
  readonly path: string;
  readonly kind: "query" | "mutation" | "action" | "job" | "workflow" | "route" | "migration";
  readonly access: string;
  readonly internal: boolean;
  readonly docs: string;
  readonly place: string;
  readonly argumentsSchema: string;
  readonly resultSchema: string;
  readonly cron?: string;
  readonly pool?: string;
  readonly isolation?: string;
  readonly methods: readonly string[];
  readonly pattern?: string;
}

export interface Answer {
  readonly result?: string;
  readonly code?: string;
  readonly message?: string;
  readonly data?: string;
  /** How long it took at the hub; of what is watched it is not told. */
  readonly milliseconds?: number;
  readonly read: number;
  readonly written: number;
}

export interface Caller {
  readonly who: "application" | "nobody" | "user";
  readonly issuer?: string;
  readonly subject?: string;
  readonly email?: string;
  readonly roles?: readonly string[];
}

export interface LiveQueryInfo {
  readonly number: number;
  readonly path: string;
  readonly arguments: string;
  readonly caller?: string;
  readonly subscribers: number;
  readonly state: string;
  readonly runs: number;
  readonly anew: number;
  readonly rolledForward: number;
  readonly average: number;
  readonly last: number;
  readonly total: number;
  readonly read: number;
  readonly size: number;
  readonly pushed: number;
  readonly wokenAt?: string;
  readonly error?: string;
}

export interface LiveQueryList {
  readonly count: number;
  readonly queries: readonly LiveQueryInfo[];
}

/** A mutation whose commit made a query run again. */
export interface CommittedCall {
  readonly number: number;
  readonly path: string;
  readonly caller?: string;
  readonly written: number;
}

export interface LiveQueryDetails {
  readonly query: LiveQueryInfo;
  readonly subscribers: readonly string[];
  readonly reads: readonly string[];
  readonly documents: number;
  readonly wokenBy: readonly string[];
  readonly calls: readonly CommittedCall[];
  readonly lines: readonly LogLine[];
  readonly isCommitKnown: boolean;
}

export interface ClientInfo {
  readonly name: string;
  readonly protocol: string;
  readonly caller?: string;
  readonly callerName?: string;
  readonly holds: number;
  readonly behind: boolean;
  readonly busy: boolean;
  readonly waiting: number;
  readonly seconds: number;
}

export interface ClientDetails {
  readonly client: ClientInfo;
  readonly asOf?: string;
  readonly head: string;
  readonly queries: readonly LiveQueryInfo[];
}

export interface ScheduledInfo {
  readonly id: string;
  readonly path: string;
  readonly arguments: string;
  readonly status: string;
  readonly runAt: number;
  readonly attempts: number;
  readonly createdAt: number;
  readonly startedAt?: number;
  readonly finishedAt?: number;
  readonly code?: string;
  readonly message?: string;
  readonly reference?: string;
  readonly cron?: string;
  readonly pool?: string;
  readonly hub: string;
  readonly done?: number;
  readonly estimate?: number;
  readonly unit?: "documents" | "steps";
  readonly isJob: boolean;
}

export interface CronInfo {
  readonly path: string;
  readonly schedule: string;
  readonly nextRun: number;
  readonly lastRun?: number;
  readonly lastStatus?: string;
  readonly message?: string;
}

export interface HubName {
  readonly hub: string;
  readonly shared: boolean;
}

export interface HubState {
  readonly application: string;
  readonly hub: string;
  readonly shared: boolean;
  readonly process: number;
  readonly startedAt: number;
  readonly at: number;
  readonly memory?: number;
  readonly report: Readonly<Record<string, unknown>>;
  readonly counters: Readonly<Record<string, number>>;
  readonly gauges: Readonly<Record<string, number>>;
  readonly limits: Readonly<Record<string, number>>;
}
