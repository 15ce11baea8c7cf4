/** Processes of Python, forked from one that has imported what they need: importing takes most of a second. */
import { spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";

export const ROOT = resolve(import.meta.dirname, "../..");
export const PYTHON = join(ROOT, ".venv", "bin", "python");
/** What the one who runs the tests has set for other servers is not for these. */
const ENVIRONMENT = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("SYNOVIA_")));
/** What `synovia` and `synovia-motion` run. */
export type Module = "synovia.cli" | "motion.cli";

interface Said {
  readonly id: number;
  readonly pid?: number;
  readonly out?: string;
  readonly err?: string;
  readonly exit?: number;
}

const started = new Map<number, Forked>();
let send: ((request: object) => void) | undefined;
let count = 0;

/** A process that runs `python -m MODULE ARGUMENTS`. */
export class Forked {
  readonly #said = new EventEmitter();
  #pid = 0;
  #exit: number | undefined;
  out = "";
  err = "";

  constructor(module: Module, args: readonly string[], environment: Record<string, string> = {}) {
    send ??= program();
    const id = (count += 1);
    started.set(id, this);
    send({ id, module, arguments: args, environment: { ...ENVIRONMENT, ...environment } });
  }

  hear({ id, pid, out = "", err = "", exit }: Said): void {
    this.#pid = pid ?? this.#pid;
    this.out += out;
    this.err += err;
    this.#exit = exit;
    if (exit !== undefined) started.delete(id);
    this.#said.emit("news");
  }

  /** Wait until it has printed something of this form. */
  async printed(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = pattern.exec(this.out);
      if (found) return found;
      if (this.#exit !== undefined) throw new Error(`it has ended: ${this.err}`);
      await once(this.#said, "news");
    }
  }

  /** Wait until it has ended; give the exit code, or less than zero for the signal that ended it. */
  async ended(): Promise<number> {
    while (this.#exit === undefined) await once(this.#said, "news");
    return this.#exit;
  }

  async kill(signal: NodeJS.Signals): Promise<void> {
    while (!this.#pid) await once(this.#said, "news");
    if (this.#exit === undefined) process.kill(this.#pid, signal);
    await this.ended();
  }
}

/** Run it to its end; give what it has printed. */
export async function run(module: Module, args: readonly string[], environment: Record<string, string> = {}): Promise<string> {
  const process = new Forked(module, args, environment);
  if ((await process.ended()) !== 0) throw new Error(`${module} ${args.join(" ")}: ${process.err}`);
  return process.out;
}

/** Start the program that forks; it ends with this process. Give what sends it a request. */
function program(): (request: object) => void {
  const child = spawn(PYTHON, ["-m", "helpers.forking_program"], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...ENVIRONMENT, PYTHONPATH: join(ROOT, "tests") },
  });
  child.unref();
  createInterface({ input: child.stdout }).on("line", (line) => {
    const said = JSON.parse(line) as Said;
    started.get(said.id)?.hear(said);
  });
  return (request) => void child.stdin.write(`${JSON.stringify(request)}\n`);
}
