/** A real hub, as a process of its own on a port of its own, which can be killed and comes back with what was saved. */
import { execFile, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

export const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const BIN = join(ROOT, ".venv", "bin");
const MOTION = join(ROOT, "apps", "motion");
/** What the one who runs the tests has set for other servers is not for this one. */
const ENVIRONMENT = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("SYNOVIA_")));
const run = promisify(execFile);

/** The hub with an application, that of motion if nothing else is said, for development, on the embedded store in a file. */
export class Hub {
  readonly #folder = mkdtempSync(join(tmpdir(), "synovia-browser-"));
  readonly #store = `sqlite:///${join(this.#folder, "hub.db")}`;
  readonly #application: string;
  readonly #environment: Record<string, string | undefined>;
  #process: ChildProcess | null = null;
  readonly #command: readonly string[];
  #port: number;

  /** As under `synovia dev`, or with `serve` as where people work. */
  constructor(application = MOTION, environment: Record<string, string> = {}, port = 0, command: "dev" | "serve" = "dev") {
    this.#command = command === "dev" ? ["dev", "--no-reload"] : ["serve"];
    this.#application = application;
    this.#environment = { ...ENVIRONMENT, ...environment };
    this.#port = port;
  }

  get port(): number {
    return this.#port;
  }

  /** Make an admin of somebody, as the operator does before the server runs. */
  async appoint(email: string): Promise<void> {
    await run(join(BIN, "synovia"), ["run", MOTION, "admin:appoint", JSON.stringify({ email }), "--store", this.#store], { env: ENVIRONMENT });
  }

  /** Make a key of a service while it runs. */
  async key(name: string, role: string): Promise<string> {
    const { stdout } = await run(join(BIN, "synovia"), ["key", "create", name, "--role", role, "--store", this.#store], { env: ENVIRONMENT });
    return stdout.trim();
  }

  /** Start it, on the same port as before, and wait until it takes connections. */
  async start(): Promise<void> {
    this.#process = spawn(join(BIN, "synovia"), [...this.#command, this.#application, "--port", String(this.#port), "--store", this.#store], {
      stdio: ["ignore", "pipe", "pipe"],
      env: this.#environment,
    });
    this.#port = await portOf(this.#process);
  }

  /** Fill it with people and recordings to look at. */
  async seed(): Promise<void> {
    await run(join(BIN, "synovia-motion"), ["seed", "--url", `ws://127.0.0.1:${this.#port}`], { env: ENVIRONMENT });
  }

  /** Run the application's seeds, before it starts. */
  async plant(): Promise<void> {
    await run(join(BIN, "synovia"), ["seed", this.#application, "--store", this.#store], { env: this.#environment });
  }

  /** Kill it, as a crash would. */
  async kill(): Promise<void> {
    await ended(this.#process, "SIGKILL");
  }

  /** Stop it for good. */
  async stop(): Promise<void> {
    await ended(this.#process, "SIGTERM");
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

async function ended(child: ChildProcess | null, signal: NodeJS.Signals): Promise<void> {
  if (!child || child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, "exit");
  child.kill(signal);
  await exit;
}

async function portOf(child: ChildProcess): Promise<number> {
  const errors: string[] = [];
  child.stderr!.on("data", (data: Buffer) => errors.push(String(data)));
  for await (const line of createInterface({ input: child.stdout! })) {
    const port = /ws:\/\/127\.0\.0\.1:(\d+)/.exec(line)?.[1];
    if (port) {
      child.stdout!.resume();
      return Number(port);
    }
  }
  throw new Error(`the hub did not start: ${errors.join("")}`);
}
