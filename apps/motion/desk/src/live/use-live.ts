/** Follows a session and fetches its samples as they come. */
import { useEffect, useRef, useState } from "react";
import type { SynoviaClient } from "synovia-client";
import { useQueryResult, useSynovia } from "synovia-client/react";
import { api, type Growth, type LiveSession } from "../api/api.ts";
import { extremesOf } from "../plot/numbers.ts";
import { LiveBuffer, recentBatches } from "./buffer.ts";

/** So much of a session that runs already is fetched by who comes late. */
const KEPT_S = 60;

export interface Live {
  readonly growth: Growth | undefined;
  readonly error: Error | null;
  /** The same one as it grows; look at it when something is drawn. */
  readonly buffer: LiveBuffer | null;
  /** Another one each time samples have come. */
  readonly version: number;
}

export function useLive(sessionId: LiveSession["_id"]): Live {
  const client = useSynovia();
  const { value: growth, error } = useQueryResult(api.live.follow, { sessionId });
  const [version, setVersion] = useState(0);
  const buffer = useRef<LiveBuffer | null>(null);
  const fetching = useRef(false);
  const newest = useRef(growth);
  newest.current = growth;
  useEffect(() => {
    if (!growth || fetching.current) return;
    fetching.current = true;
    const changed = (): void => setVersion((before) => before + 1);
    void catchUp(client, buffer, newest, changed).finally(() => (fetching.current = false));
  }, [client, growth]);
  return { growth, error, buffer: buffer.current, version };
}

/** Fetch what is missing until nothing is. What fails is tried again when the session has grown. */
async function catchUp(client: SynoviaClient, held: { current: LiveBuffer | null }, newest: { current: Growth | undefined }, changed: () => void): Promise<void> {
  for (;;) {
    const growth = newest.current!;
    const buffer = (held.current ??= await begun(client, growth));
    const [next] = buffer.missing(growth.segments);
    if (!next) {
      const before = buffer.end;
      for (const { start, left, right } of recentBatches(growth.segments, growth.recent)) buffer.put(start, left, right);
      if (buffer.end > before) changed();
      return;
    }
    const range = { start: next.from, stop: next.to };
    const knees = [client.array(next.segment.leftKnee, range), client.array(next.segment.rightKnee, range)];
    const got = await Promise.all(knees).catch(() => null);
    if (!got) return;
    buffer.put(next.segment.start + next.from, got[0] as Float64Array, got[1] as Float64Array);
    changed();
  }
}

/** Begin a buffer near the end; of what lies before only the extremes are fetched: two numbers a segment. */
async function begun(client: SynoviaClient, { segments, recent, sampleCount, sampleRate }: Growth): Promise<LiveBuffer> {
  const buffer = new LiveBuffer(Math.max(0, sampleCount - KEPT_S * sampleRate));
  for (const { start, count, leftKnee, rightKnee } of segments) {
    const before = Math.min(count, buffer.begin - start);
    if (before <= 0) continue;
    const range = { start: 0, stop: before, points: 2 };
    const [left, right] = await Promise.all([client.array(leftKnee, range), client.array(rightKnee, range)]);
    buffer.widen(extremesOf(left as Float64Array), extremesOf(right as Float64Array));
  }
  for (const { start, left, right } of recentBatches(segments, recent)) {
    const before = Math.max(0, buffer.begin - start);
    buffer.widen(extremesOf(left.subarray(0, before)), extremesOf(right.subarray(0, before)));
  }
  return buffer;
}
