/** A sensor that is only simulated: somebody walks, and the samples go to the server as those of a real one would. */
import { useSyncExternalStore } from "react";
import type { SynoviaClient } from "synovia-client";
import { api, type LiveSession } from "../api/api.ts";
import { recall, remember } from "../browser/storage.ts";
import { codeOf } from "../ui/errors.ts";
import { toasts } from "../ui/toasts.ts";
import { batchOf } from "./buffer.ts";
import { walk } from "./gait.ts";

type SessionId = LiveSession["_id"];

export const SAMPLE_RATE = 100;
const EVERY_MS = 250;
const MOST_AT_ONCE = 1_000;
const SIMULATED = "motion-desk:simulated";
const MOST_REMEMBERED = 50;

/** One session's samples on their way; the next batch waits for the answer to the one before. */
class Sensor {
  #timer: ReturnType<typeof setInterval>;
  #sending = false;
  #began: number;

  constructor(readonly client: SynoviaClient, readonly sessionId: SessionId, private position: number) {
    this.#began = performance.now() - (position / SAMPLE_RATE) * 1000;
    this.#timer = setInterval(() => void this.#send(), EVERY_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #send(): Promise<void> {
    const due = Math.floor(((performance.now() - this.#began) / 1000) * SAMPLE_RATE);
    const count = Math.min(MOST_AT_ONCE, due - this.position);
    if (this.#sending || count <= 0) return;
    this.#sending = true;
    const { left, right } = walk(this.position, count, SAMPLE_RATE);
    try {
      const args = { sessionId: this.sessionId, position: this.position, ...batchOf(left, right) };
      this.position = await this.client.mutation(api.live.append, args, { timeout: null });
    } catch (error) {
      this.#failed(error);
    } finally {
      this.#sending = false;
    }
  }

  #failed(error: unknown): void {
    const { sampleCount } = ((error as { data?: unknown }).data ?? {}) as { sampleCount?: number };
    if (codeOf(error) === "out_of_order" && sampleCount !== undefined) {
      this.position = sampleCount;
      return;
    }
    sensors.stop(this.sessionId);
    if (codeOf(error) !== "finished" && codeOf(error) !== "not_found") toasts.error(error);
  }
}

class Sensors {
  #running: ReadonlyMap<SessionId, Sensor> = new Map();
  readonly #listeners = new Set<() => void>();

  get = (): ReadonlyMap<SessionId, Sensor> => this.#running;

  listen = (changed: () => void): (() => void) => {
    this.#listeners.add(changed);
    return () => this.#listeners.delete(changed);
  };

  start(client: SynoviaClient, sessionId: SessionId, position = 0): void {
    this.stop(sessionId);
    remember(SIMULATED, [...simulated().filter((id) => id !== sessionId), sessionId].slice(-MOST_REMEMBERED));
    this.#show(new Map([...this.#running, [sessionId, new Sensor(client, sessionId, position)]]));
  }

  stop(sessionId: SessionId): void {
    this.#running.get(sessionId)?.stop();
    this.#show(new Map([...this.#running].filter(([id]) => id !== sessionId)));
  }

  #show(running: ReadonlyMap<SessionId, Sensor>): void {
    this.#running = running;
    for (const listener of this.#listeners) listener();
  }
}

export const sensors = new Sensors();

function simulated(): SessionId[] {
  return recall<SessionId[]>(SIMULATED) ?? [];
}

/** Whether this browser has begun a session by simulating: invented samples never go on with those of a real sensor. */
export function isSimulatedHere(sessionId: SessionId): boolean {
  return simulated().includes(sessionId);
}

/** Whether this window measures for a session. */
export function useIsMeasuring(sessionId: SessionId): boolean {
  return useSyncExternalStore(sensors.listen, sensors.get).has(sessionId);
}
