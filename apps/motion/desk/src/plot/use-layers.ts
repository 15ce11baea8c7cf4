/** Fetches what a plot shows, and keeps it while the recording is open. */
import { useEffect, useMemo, useRef, useState } from "react";
import { useArray, useSynovia } from "synovia-client/react";
import type { ArrayRef, SynoviaError } from "synovia-client";
import type { Recording } from "../api/api.ts";
import { outlineOf, wantedFor, type View, type Wanted } from "./fetching.ts";
import { layerOf, pick, type Layer } from "./layers.ts";

type Knees = Pick<Recording, "leftKnee" | "rightKnee" | "sampleCount">;

/** The least time between two times of asking: a drag passes over much that nobody looks at. */
const PAUSE_MS = 100;
const KEPT = 24;

export interface Layers {
  /** The finest there is for the view; undefined while nothing is there. */
  readonly layer: Layer | undefined;
  readonly outline: Layer | undefined;
  readonly progress: number;
  /** Finer samples are on their way. */
  readonly isRefining: boolean;
  readonly error: SynoviaError | null;
}

export function useLayers({ leftKnee, rightKnee, sampleCount }: Knees, view: View, pixels: number): Layers {
  const whole = useMemo(() => outlineOf(sampleCount), [sampleCount]);
  const left = useArray(leftKnee, { points: whole.points });
  const right = useArray(rightKnee, { points: whole.points });
  const [hasLeft, hasRight] = [leftKnee !== undefined, rightKnee !== undefined];
  const outline = useMemo(() => {
    const [one, other] = [hasLeft ? left.data : null, hasRight ? right.data : null]; // undefined: on its way
    if (one === undefined || other === undefined || (one && other && one.length !== other.length)) return undefined;
    return layerOf(whole, one, other);
  }, [whole, hasLeft, hasRight, left.data, right.data]);
  const wanted = wantedFor(view, sampleCount, pixels);
  const [fine, isRefining] = useFine(leftKnee, rightKnee, wanted);
  const layer = outline && pick([outline, ...fine], view);
  return { layer, outline, progress: (left.progress + right.progress) / (Number(hasLeft) + Number(hasRight)), isRefining, error: left.error ?? right.error };
}

/** Fetch finer layers as they are wanted. One that cannot be had leaves the coarser one; the next view asks again. */
function useFine(leftKnee: ArrayRef | undefined, rightKnee: ArrayRef | undefined, wanted: Wanted | null): [layers: readonly Layer[], isRefining: boolean] {
  const client = useSynovia();
  const [layers, setLayers] = useState<readonly Layer[]>([]);
  const [isRefining, setRefining] = useState(false);
  const known = useRef(layers);
  known.current = layers;
  const asked = useRef(-PAUSE_MS);
  const { start, stop, points } = wanted ?? { start: 0, stop: 0, points: null };
  useEffect(() => {
    const isThere = (one: Layer): boolean => one.start === start && one.stop === stop && one.points === points;
    if (stop === 0 || known.current.some(isThere)) return setRefining(false);
    const abort = new AbortController();
    const range = { start, stop, points, signal: abort.signal };
    const ask = async (): Promise<void> => {
      asked.current = performance.now();
      const part = async (knee: ArrayRef | undefined): Promise<Float64Array | null> => (knee ? ((await client.array(knee, range)) as Float64Array) : null);
      const [left, right] = await Promise.all([part(leftKnee), part(rightKnee)]);
      const layer = layerOf({ start, stop, points }, left, right);
      setLayers((before) => [...before.slice(1 - KEPT), layer]);
      setRefining(false);
    };
    setRefining(true);
    const timer = setTimeout(() => void ask().catch(() => abort.signal.aborted || setRefining(false)), asked.current + PAUSE_MS - performance.now());
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [client, leftKnee?.key, rightKnee?.key, start, stop, points]);
  return [layers, isRefining];
}
