/** React hooks for Synovia. */
export { SynoviaProvider, useSynovia } from "./context.js";
export type { PageStatus } from "./pages.js";
export { useArray, type ArrayState, type UseArrayOptions } from "./use-array.js";
export { useAuth, useConnectionState, type Auth, type ConnectionInfo } from "./use-connection.js";
export { useAction, useMutation, type ActionCaller, type MutationCaller } from "./use-mutation.js";
export { usePaginatedQuery, type PageOptions, type PaginatedResult } from "./use-paginated-query.js";
export { usePresence, type PresenceResult } from "./use-presence.js";
export { useQueries, useQuery, useQueryResult, type QueryRequest, type QueryResult } from "./use-query.js";
export { useSuspenseQuery } from "./use-suspense-query.js";
export { useUpload, type Upload, type UploadStatus } from "./use-upload.js";
