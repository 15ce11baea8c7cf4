/** Samples of arrays in components. */
import { useEffect, useRef, useState } from "react";
import type { SynoviaClient } from "../client.js";
import { report } from "../callbacks.js";
import { SynoviaError } from "../errors.js";
import type { TypedArray } from "../protocol/arrays.js";
import type { ArrayRef } from "../protocol/values.js";
import { useSynovia } from "./context.js";

/** Which samples, and how many at most; see `SynoviaClient.array`. */
export interface UseArrayOptions {
  readonly start?: number;
  readonly stop?: number | null;
  readonly points?: number | null;
  /**
   * What the array belongs to, if it only ever grows at its end, as the id of a recording under way: of a longer array of the
   * same one only the new samples are fetched. For whole arrays: without range and points.
   */
  readonly growing?: string | null;
}

/** What has come of an array. */
export interface ArrayState<A extends TypedArray = Float64Array<ArrayBuffer>> {
  /** The samples; those asked for before until the new ones are there, undefined before the first. */
  readonly data: A | undefined;
  readonly isLoading: boolean;
  /** From 0 to 1. */
  readonly progress: number;
  readonly error: SynoviaError | null;
}

const NONE: ArrayState<TypedArray> = { data: undefined, isLoading: false, progress: 0, error: null };

/** Fetch samples of an array, and again when the reference is to other samples. null or undefined: nothing. */
export function useArray<A extends TypedArray = Float64Array<ArrayBuffer>>(ref: ArrayRef | null | undefined, options: UseArrayOptions = {}): ArrayState<A> {
  const client = useSynovia();
  const { start = 0, stop = null, points = null, growing = null } = options;
  const [state, setState] = useState<ArrayState<TypedArray>>(NONE);
  const tail = useRef<Tail | null>(null);
  const key = ref ? `${ref.key}:${ref.dtype}` : null;
  useEffect(() => {
    if (!ref) return setState(NONE);
    const abort = new AbortController();
    const { signal } = abort;
    const update = (part: Partial<ArrayState<TypedArray>>): void => {
      if (!signal.aborted) setState((before) => ({ ...before, ...part }));
    };
    update({ isLoading: true, progress: 0, error: null });
    const grows = growing !== null && start === 0 && stop === null && points === null;
    if (tail.current?.owner !== growing) tail.current = grows ? new Tail(growing) : null;
    const range = { start, stop, points, signal, onProgress: (done: number, total: number) => update({ progress: done / total }) };
    const fetched = grows && tail.current ? tail.current.follow(client, ref, range) : client.array(ref, range);
    fetched.then(
      (data) => update({ data, isLoading: false, progress: 1 }),
      (error: unknown) => (error instanceof SynoviaError ? update({ isLoading: false, error }) : signal.aborted || report(error)),
    );
    return () => abort.abort();
  }, [client, key, start, stop, points, growing]);
  return state as ArrayState<A>;
}

type Fetching = NonNullable<Parameters<SynoviaClient["array"]>[1]>;

/** The samples of an array that grows, in a buffer with room to spare. */
class Tail {
  #buffer: TypedArray | null = null;
  #length = 0;
  #dtype = "";

  constructor(readonly owner: string) {}

  /** Fetch what is new in a longer array, and give all of it. */
  async follow(client: SynoviaClient, ref: ArrayRef, range: Fetching): Promise<TypedArray> {
    const known = this.#dtype === ref.dtype && ref.length >= this.#length ? this.#length : 0;
    const fresh = await client.array(ref, { ...range, start: known });
    this.#dtype = ref.dtype;
    const buffer = this.#room(fresh, known);
    (buffer as Float64Array).set(fresh as Float64Array, known);
    this.#length = known + fresh.length;
    return buffer.subarray(0, this.#length) as TypedArray;
  }

  #room(fresh: TypedArray, known: number): TypedArray {
    const old = this.#buffer;
    if (old && known && old.length >= known + fresh.length) return old;
    const kind = fresh.constructor as new (length: number) => TypedArray;
    const buffer = new kind((known + fresh.length) * (known ? 2 : 1));
    if (old && known) (buffer as Float64Array).set(old.subarray(0, known) as Float64Array);
    return (this.#buffer = buffer);
  }
}
