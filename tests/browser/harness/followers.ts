/** Clients that follow queries, each with a connection of its own, in a process of theirs: Python's, which has WebSockets everywhere. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { ROOT } from "./hub.ts";

const PROGRAM = `
import asyncio, json, sys
from synovia_client import Client

async def follow(client, path, args, seen):
    async for _ in client.subscribe(path, args):
        seen.set()

async def one(url, path, queries, tasks):
    async with Client(url, proxy=None) as client:
        seen = [asyncio.Event() for _ in queries]
        following = [asyncio.create_task(follow(client, path, args, each)) for args, each in zip(queries, seen)]
        for each in seen:
            await each.wait()
        tasks.release()
        await asyncio.Event().wait()

async def main():
    url, path, clients = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
    there = asyncio.Semaphore(0)
    running = [asyncio.create_task(one(url, path, queries, there)) for queries in clients]
    for _ in clients:
        await there.acquire()
    print("there", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    for each in running:
        each.cancel()

asyncio.run(main())
`;

export class Followers {
  private constructor(readonly process: ChildProcess) {}

  /** @param clients For each client the arguments with which it follows the query. */
  static async of(port: number, path: string, clients: readonly (readonly object[])[]): Promise<Followers> {
    const child = spawn(join(ROOT, ".venv", "bin", "python"), ["-c", PROGRAM, `ws://127.0.0.1:${port}`, path, JSON.stringify(clients)], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    for await (const line of createInterface({ input: child.stdout! })) if (line === "there") return new Followers(child);
    throw new Error("the clients could not follow");
  }

  async close(): Promise<void> {
    const ended = once(this.process, "exit");
    this.process.stdin!.end();
    await ended;
  }
}
