/** A real hub, as a process of its own on a port of its own, which can be killed and comes back with what was saved. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Forked, ROOT, run } from "../../helpers/forked-python.mts";

export { ROOT };
const MOTION = join(ROOT, "apps", "motion");

/** The hub with an application, that of motion if nothing else is said, for development, on the embedded store in a file. */
export class Hub {
  readonly #folder = mkdtempSync(join(tmpdir(), "synovia-browser-"));
  readonly #store = `sqlite:///${join(this.#folder, "hub.db")}`;
  readonly #application: string;
  readonly #environment: Record<string, string>;
  #process: Forked | null = null;
  readonly #command: readonly string[];
  #port: number;

  /** As under `synovia dev`, or with `serve` as where people work. */
  constructor(application = MOTION, environment: Record<string, string> = {}, port = 0, command: "dev" | "serve" = "dev") {
    this.#command = command === "dev" ? ["dev", "--no-reload"] : ["serve"];
    this.#application = application;
    this.#environment = environment;
    this.#port = port;
  }

  get port(): number {
    return this.#port;
  }

  /** Make an admin of somebody, as the operator does before the server runs. */
  async appoint(email: string): Promise<void> {
    await run("synovia.cli", ["run", MOTION, "admin:appoint", JSON.stringify({ email }), "--store", this.#store]);
  }

  /** Make a key of a service while it runs. */
  async key(name: string, role: string): Promise<string> {
    return (await run("synovia.cli", ["key", "create", name, "--role", role, "--store", this.#store])).trim();
  }

  /** Start it, on the same port as before, and wait until it takes connections. */
  async start(): Promise<void> {
    const args = [...this.#command, this.#application, "--port", String(this.#port), "--store", this.#store];
    this.#process = new Forked("synovia.cli", args, this.#environment);
    this.#port = Number((await this.#process.printed(/ws:\/\/127\.0\.0\.1:(\d+)/))[1]);
  }

  /** Fill it with people and recordings to look at. */
  async seed(): Promise<void> {
    await run("motion.cli", ["seed", "--url", `ws://127.0.0.1:${this.#port}`]);
  }

  /** Run the application's seeds, before it starts. */
  async plant(): Promise<void> {
    await run("synovia.cli", ["seed", this.#application, "--store", this.#store], this.#environment);
  }

  /** Kill it, as a crash would. */
  async kill(): Promise<void> {
    await this.#process?.kill("SIGKILL");
  }

  /** Stop it for good. */
  async stop(): Promise<void> {
    await this.#process?.kill("SIGTERM");
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
