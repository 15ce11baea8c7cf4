/** A real hub, as a process of its own, with the application in `app/`. */
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { APP, SYNOVIA } from "./paths.js";

/** Why there can be no hub; undefined if there can. In continuous integration there has to be one. */
export const noHub = existsSync(SYNOVIA) || process.env.CI === "true" ? undefined : `no hub at ${SYNOVIA}: run make`;

if (noHub) console.warn(`skipping what needs a hub: ${noHub}`);

export interface Hub {
  readonly url: string;
  readonly port: number;
  /** Kill it, as a crash would. */
  kill(): Promise<void>;
}

/** Start a hub and wait until it takes connections. */
export async function startHub({ port = 0, store = "sqlite://:memory:", app = APP, environment = {} } = {}): Promise<Hub> {
  const child = spawn(SYNOVIA, ["dev", app, "--port", String(port), "--store", store, "--no-reload"], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...environment },
  });
  const found = await portOf(child);
  return {
    url: `ws://127.0.0.1:${found}`,
    port: found,
    async kill() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill("SIGKILL");
      await once(child, "exit");
    },
  };
}

async function portOf(process: ChildProcess): Promise<number> {
  const errors: string[] = [];
  process.stderr!.on("data", (data: Buffer) => errors.push(String(data)));
  for await (const line of createInterface({ input: process.stdout! })) {
    const port = /ws:\/\/127\.0\.0\.1:(\d+)/.exec(line)?.[1];
    if (port) {
      process.stdout!.resume();
      return Number(port);
    }
  }
  throw new Error(`the hub did not start: ${errors.join("")}`);
}
