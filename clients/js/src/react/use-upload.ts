/** A file on its way to the hub, in a component. */
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import type { UploadId, UploadOptions } from "../files.js";
import { useSynovia } from "./context.js";

/** `idle`: there is none, or it was cancelled. While the line is broken it is `sending`, and goes on by itself. */
export type UploadStatus = "idle" | "sending" | "paused" | "done" | "failed";

/** An upload, as a component sees it. */
export interface Upload {
  /**
   * Send a file, and give what is sent as the function's argument; the same function as long as path and client are. One that
   * is under way is cancelled. The promise is rejected when the upload fails or is cancelled; whoever shows `error` may leave it.
   */
  readonly start: (file: Blob, options?: Omit<UploadOptions, "signal" | "paused">) => Promise<UploadId>;
  readonly status: UploadStatus;
  /** Bytes that are there, and bytes in all. */
  readonly sent: number;
  readonly total: number;
  /** What is sent as the function's argument, once the upload is done; null before. A mutation takes it once. */
  readonly upload: UploadId | null;
  /** Why it failed. */
  readonly error: Error | null;
  /** Send no further piece, until `resume`; what is there stays at the hub, for as long as that keeps uploads. */
  readonly pause: () => void;
  readonly resume: () => void;
  /** Give up: the hub forgets what is there. */
  readonly cancel: () => void;
}

type Shown = Pick<Upload, "status" | "sent" | "total" | "upload" | "error">;

const idle: Shown = { status: "idle", sent: 0, total: 0, upload: null, error: null };

/** One upload that is under way. */
class Running {
  readonly abort = new AbortController();
  #paused: { readonly ended: Promise<void>; readonly end: () => void } | null = null;

  readonly paused = (): Promise<void> | null => this.#paused?.ended ?? null;

  pause(): void {
    if (this.#paused) return;
    let end = (): void => undefined;
    const ended = new Promise<void>((resolve) => (end = resolve));
    this.#paused = { ended, end };
  }

  resume(): void {
    this.#paused?.end();
    this.#paused = null;
  }
}

/**
 * Upload files for a mutation or an action that takes one, showing how far it is. A component that goes gives its upload up.
 * @param path The function that takes the file.
 */
export function useUpload(path: string): Upload {
  const client = useSynovia();
  const [shown, show] = useState(idle);
  const running = useRef<Running | null>(null);

  const end = useCallback((reason: string) => {
    const ended = running.current;
    running.current = null;
    ended?.abort.abort(new DOMException(reason, "AbortError"));
    return ended !== null;
  }, []);

  const start = useCallback<Upload["start"]>(
    (file, options = {}) => {
      end("another upload has begun");
      const mine = new Running();
      running.current = mine;
      const change = (next: Partial<Shown>): void => {
        if (running.current === mine) show((before) => ({ ...before, ...next }));
      };
      show({ ...idle, status: "sending", total: file.size });
      const onProgress = (sent: number, total: number): void => {
        change({ sent, total });
        options.onProgress?.(sent, total);
      };
      const upload = client.uploadFile(path, file, { ...options, onProgress, paused: mine.paused, signal: mine.abort.signal });
      const told = (next: Partial<Shown>): void => {
        change(next);
        if (running.current === mine) running.current = null;
      };
      upload.then(
        (upload) => told({ status: "done", upload }),
        (error: Error) => told({ status: "failed", error }),
      );
      return upload;
    },
    [client, path, end],
  );

  const cancel = useCallback(() => {
    end("the upload was cancelled");
    show(idle);
  }, [end]);

  const pause = useCallback(() => {
    running.current?.pause();
    show((before) => (before.status === "sending" ? { ...before, status: "paused" } : before));
  }, []);

  const resume = useCallback(() => {
    running.current?.resume();
    show((before) => (before.status === "paused" ? { ...before, status: "sending" } : before));
  }, []);

  useEffect(() => {
    show(idle);
    return () => void end("the component that uploaded has gone");
  }, [client, path, end]);

  return useMemo(() => ({ ...shown, start, pause, resume, cancel }), [shown, start, pause, resume, cancel]);
}
