/** An OpenID Connect issuer as a process of its own (`tests/helpers/issuer_program.py`), and a browser that goes there. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { PYTHON, TESTS } from "../paths.js";

export class Issuer {
  private constructor(
    readonly url: string,
    private readonly child: ChildProcess,
  ) {}

  static async start(): Promise<Issuer> {
    const child = spawn(PYTHON, ["-m", "helpers.issuer_program"], {
      stdio: ["pipe", "pipe", "inherit"],
      env: { ...process.env, PYTHONPATH: TESTS },
    });
    const [url] = (await once(createInterface({ input: child.stdout! }), "line")) as [string];
    return new Issuer(url, child);
  }

  /** Make this mistake from now on; none: behave. */
  async behave(fault = "", more: object = {}): Promise<void> {
    await fetch(`${this.url}/behave`, { method: "POST", body: JSON.stringify({ fault, secret: null, ...more }) });
  }

  async stop(): Promise<void> {
    const exit = once(this.child, "exit");
    this.child.stdin!.end();
    await exit;
  }
}

/** Follows addresses to their end, as a browser does, and keeps what it was shown. */
export class Browser {
  readonly addresses: URL[] = [];
  readonly pages: Promise<[status: number, text: string]>[] = [];

  open = (url: string): boolean => {
    this.addresses.push(new URL(url));
    this.pages.push(visit(url));
    return true;
  };
}

/** Give status and text of a page, after what it leads to; status 0 if nobody is there. */
export async function visit(url: string, init?: RequestInit): Promise<[number, string]> {
  try {
    const response = await fetch(url, init);
    return [response.status, await response.text()];
  } catch (error) {
    return [0, String(error)];
  }
}
