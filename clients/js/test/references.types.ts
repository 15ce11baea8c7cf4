/** What the compiler must say of typed paths; `tsc --noEmit` fails when it does not. */
import type { ActionReference, ArrayRef, MutationReference, QueryReference, SynoviaClient } from "../src/index.js";
import { useAction, useMutation, usePaginatedQuery, useQuery, useQueryResult, useSuspenseQuery } from "../src/react/index.js";

interface Recording {
  _id: string;
  notes?: string;
  leftKnee: ArrayRef;
}

/** As `synovia codegen` writes it. */
const api = {
  recordings: {
    get: "recordings:get" as QueryReference<{ recordingId: string }, Recording>,
    listMine: "recordings:list_mine" as QueryReference<{ limit?: number }, Recording[]>,
    pageMine: "recordings:page_mine" as QueryReference<{ cursor?: string | null; limit?: number }, { items: Recording[]; nextCursor?: string | null }>,
    rename: "recordings:rename" as MutationReference<{ recordingId: string; notes: string }, null>,
  },
  mail: { send: "mail:send" as ActionReference<{ to: string }, boolean> },
};

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A>() {
  return <B>(_: B & (Equal<A, B> extends true ? unknown : never)): void => undefined;
}

export async function calls(client: SynoviaClient): Promise<void> {
  same<Recording[]>()(await client.query(api.recordings.listMine));
  same<Recording[]>()(await client.query(api.recordings.listMine, { limit: 3 }));
  same<Recording>()(await client.query(api.recordings.get, { recordingId: "x" }, { timeout: 5 }));
  same<null>()(await client.mutation(api.recordings.rename, { recordingId: "x", notes: "" }));
  same<boolean>()(await client.action(api.mail.send, { to: "a@example.org" }));
  client.onUpdate(api.recordings.listMine, {}, (recordings) => same<Recording[]>()(recordings));
  await client.query("any:path");
  await client.query("any:path", { what: 1 }, { timeout: null });

  // @ts-expect-error arguments are needed
  await client.query(api.recordings.get);
  // @ts-expect-error of another type
  await client.query(api.recordings.get, { recordingId: 7 });
  // @ts-expect-error there is no such argument
  await client.query(api.recordings.listMine, { limits: 3 });
  // @ts-expect-error a mutation is no query
  await client.query(api.recordings.rename, { recordingId: "x", notes: "" });
  // @ts-expect-error a query is no mutation
  await client.mutation(api.recordings.listMine, {});

  await client.mutation(api.recordings.rename, { recordingId: "x", notes: "new" }, {
    optimisticUpdate(store, { recordingId, notes }) {
      const recordings = store.getQuery(api.recordings.listMine, {});
      same<Recording[] | undefined>()(recordings);
      store.setQuery(api.recordings.listMine, {}, recordings?.map((one) => (one._id === recordingId ? { ...one, notes } : one)));
      // @ts-expect-error not what the query gives
      store.setQuery(api.recordings.listMine, {}, 7);
    },
  });
}

export function Hooks(): null {
  same<Recording[] | undefined>()(useQuery(api.recordings.listMine));
  same<Recording[] | undefined>()(useQuery(api.recordings.listMine, "skip"));
  same<Recording | undefined>()(useQuery(api.recordings.get, { recordingId: "x" }));
  same<Recording | undefined>()(useQueryResult(api.recordings.get, "skip").value);
  same<Recording>()(useSuspenseQuery(api.recordings.get, { recordingId: "x" }));
  same<readonly Recording[]>()(usePaginatedQuery(api.recordings.pageMine, {}, { pageSize: 10 }).results);
  useQuery("any:path");
  useQuery("any:path", { what: 1 });
  // @ts-expect-error arguments are needed
  useQuery(api.recordings.get);
  // @ts-expect-error a mutation is no query
  useQuery(api.recordings.rename, { recordingId: "x", notes: "" });

  const rename = useMutation(api.recordings.rename).withOptimisticUpdate((_, { notes }) => same<string>()(notes));
  same<Promise<null>>()(rename({ recordingId: "x", notes: "" }));
  // @ts-expect-error an argument is missing
  void rename({ recordingId: "x" });
  same<Promise<boolean>>()(useAction(api.mail.send)({ to: "" }));
  return null;
}
