/** A real hub, as a process of its own, with the application in `app/`. */
import { existsSync } from "node:fs";
import { Forked } from "../../../tests/helpers/forked-python.mjs";
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
  const process = new Forked("synovia.cli", ["dev", app, "--port", String(port), "--store", store, "--no-reload"], environment);
  const found = Number((await process.printed(/ws:\/\/127\.0\.0\.1:(\d+)/))[1]);
  return { url: `ws://127.0.0.1:${found}`, port: found, kill: () => process.kill("SIGKILL") };
}
