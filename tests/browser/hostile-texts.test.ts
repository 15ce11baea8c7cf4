/** Texts of people who mean ill, on every page where they are shown: nothing of them runs, and nothing beside them moves. */
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { noBrowser } from "./harness/chromium.ts";
import type { Desk } from "./harness/desk.ts";
import { Hub } from "./harness/hub.ts";
import { motionFile } from "./harness/motion-file.ts";
import { acquaint, Scene } from "./harness/scene.ts";

const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
const ADMIN = "admin@example.org";
/** What each text is to show of itself: that it runs, or turns around or pushes away what stands beside it. */
const TEXTS: Readonly<Record<string, string>> = {
  script: "</title></script><script>window.hostile=1</script>",
  handler: `"'><img src=x onerror="window.hostile=1"><svg/onload=window.hostile=1>`,
  address: "javascript:window.hostile=1",
  frame: `<iframe srcdoc="<script>parent.hostile=1</script>"></iframe><base href="//evil.example"><style>*{display:none}</style>`,
  template: "{{constructor.constructor('window.hostile=1')()}} ${window.hostile=1}",
  override: "\u202Egnp.enk\u202E",
  isolate: "\u2067\u2067\u2067not closed",
  unseen: "un\u200B\u200D\u2060\uFEFFseen\u00AD",
  long: "W".repeat(10_000),
  arabic: "مرحبا بالعالم (1) " + "שלום ".repeat(20),
  emoji: "👩‍👩‍👧‍👦🏳️‍🌈".repeat(40),
  piled: "Z" + "\u0337\u0322\u0341".repeat(60) + "algo",
  control: "a\u0001b\u001B[31mred\u0007\u007F\u0085c",
  formula: `=cmd|' /C calc'!A0`,
  formula2: `@SUM(1+1)*cmd|'/C calc'!A0`,
};
const KEEPERS = ["recordings", "of-me", "shared", "archive", "live", "contacts", "invites"];

describe.skipIf(noBrowser).sequential("hostile texts", () => {
  let scene: Scene;
  let anna: Desk;
  let paul: Desk;
  let admin: Desk;
  const recordings: Record<string, string> = {};
  let live = "";

  beforeAll(async () => {
    const hub = new Hub();
    await hub.appoint(ADMIN);
    scene = await Scene.open(hub);
    [anna, paul] = await scene.pair();
    admin = await scene.window(ADMIN);
    await admin.signIn();
    await acquaint(anna, paul);
    for (const [name, text] of Object.entries(TEXTS)) recordings[name] = await record(name, text);
    await call(ADMIN, "users:rename", { name: cut(TEXTS["handler"]!, 200) });
    await call(anna.email, "users:rename", { name: "W".repeat(200) });
    await call(paul.email, "users:rename", { name: cut(TEXTS["script"]!, 200) });
    const paulsId = ((await call(anna.email, "contacts:list_mine", {}, "query")) as { userId: string }[])[0]!.userId;
    for (const recordingId of Object.values(recordings)) await call(anna.email, "recordings:share", { recordingId, userId: paulsId });
    await call(anna.email, "contacts:set_alias", { userId: paulsId, alias: cut(TEXTS["frame"]!, 200) });
    await call(anna.email, "recordings:archive", { recordingId: await record("archived", TEXTS["handler"]!), reason: TEXTS["long"]!.slice(0, 2_000) });
    await call(anna.email, "recordings:archive", { recordingId: await record("archived too", TEXTS["isolate"]!), reason: TEXTS["override"] });
    live = String(await call(anna.email, "live:start", { sampleRate: 100, subjectAlias: "W".repeat(200), sharedWith: [paulsId] }));
    for (const [number, alias] of [TEXTS["script"]!, "W".repeat(200), TEXTS["arabic"]!].entries())
      await call(anna.email, "invites:create", { email: `${"w".repeat(50)}${number}=cmd|'!a0@${"x".repeat(60)}.example.org`, alias: cut(alias, 200) });
    await call(ADMIN, "admin:archive_user", { userId: await idOf("paul@example.org"), reason: TEXTS["long"]!.slice(0, 2_000) });
    await call(ADMIN, "admin:restore_user", { userId: await idOf("paul@example.org") });
  });
  afterAll(() => scene?.close());

  it("on every page of everybody", async () => {
    for (const [desk, pages] of [[anna, KEEPERS], [paul, ["of-me", "shared", "contacts", "invites"]], [admin, ["users", "audit"]]] as const) {
      for (const page of pages === KEEPERS ? [...pages, `live/${live}`] : pages) await holds(desk, page, desk.email.split("@")[0]!);
    }
  });

  it.each(Object.keys(TEXTS))("in a recording: %s", async (name) => {
    await holds(anna, `recordings/${recordings[name]!}`, `anna-${name}`);
    if (["frame", "long", "arabic", "override"].includes(name)) await holds(paul, `shared/${recordings[name]!}`, `paul-${name}`);
    await anna.page.getByRole("region", { name: "Details" }).waitFor();
  });

  it("on a phone", async () => {
    const phones = await Promise.all([scene.window(anna.email, PHONE), scene.window(paul.email, PHONE), scene.window(ADMIN, PHONE)]);
    for (const phone of phones) {
      await phone.signIn();
      await phone.page.locator(".sidebar").waitFor({ state: "attached" });
      for (const page of phone.email === ADMIN ? ["users", "audit"] : KEEPERS) await holds(phone, page, `phone-${phone.email.split("@")[0]}`);
    }
    for (const name of ["long", "arabic", "piled"]) {
      await holds(phones[0]!, `recordings/${recordings[name]!}`, `phone-${name}`);
      await holds(phones[1]!, `shared/${recordings[name]!}`, `phone-paul-${name}`);
    }
  });

  it("in the names of files that are dropped, good ones and others", async () => {
    await anna.page.goto("/#/recordings");
    for (const name of [`"><img src=x onerror=window.hostile=1>.mot`, `${"W".repeat(240)}.mot`, `=cmd|'!A0.mot`]) {
      await anna.drop(name, "no motion file");
      await harmless(anna);
    }
    await anna.page.getByText("W".repeat(20)).first().waitFor();
    await anna.screenshot("hostile-files");
    expect(await anna.overflow()).toBe(0);
  });

  it.each(["override", "control", "formula"])("in what is downloaded: %s", async (name) => {
    await anna.page.goto(`/#/recordings/${recordings[name]!}`);
    await anna.page.getByRole("region", { name: "Details" }).waitFor();
    for (const kind of ["OpenSim motion (.mot)", "Table (.csv)"]) {
      await anna.button("Export").click();
      const [download] = await Promise.all([anna.page.waitForEvent("download"), anna.page.getByRole("menuitem", { name: kind }).click()]);
      expect(download.suggestedFilename()).toMatch(/^\d{4}-\d\d-\d\d-[\p{L}\p{N}-]{1,60}\.(mot|csv)$/u);
      const content = await readFile(await download.path(), "utf8");
      for (const line of content.split("\n")) expect(line).not.toMatch(/^[=@+]|[\0-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]|^-(?![\d.]|inf)/);
      expect(content).not.toMatch(/,[=@+]/);
    }
    await harmless(anna);
  });

  /** Save a recording with a text everywhere. */
  async function record(name: string, text: string): Promise<string> {
    const [notes, line] = [plain(text, /[\0-\x08\x0b-\x1f\x7f-\x9f]/g), plain(text, /[\0-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g)];
    for (const [field, wrong] of [["notes", text !== notes], ["tag", text !== line], ["exerciseType", text !== line], ["subjectAlias", text !== line]] as const)
      if (wrong) expect((await send({ [field]: cut(text, 100) })).status).toBe(400);
    const response = await send({ notes: notes.slice(0, 10_000), exerciseType: cut(line, 200), subjectAlias: cut(line, 200), tag: cut(line, 100), startTime: String(Date.parse("2026-01-05T10:00:00Z")) });
    const answer = (await response.json()) as { recordingId: string };
    if (response.ok) return answer.recordingId;
    throw new Error(`${name}: ${JSON.stringify(answer)}`);
  }

  function send(query: Record<string, string>): Promise<Response> {
    const path = `/import?${new URLSearchParams(query)}`;
    return fetch(`http://127.0.0.1:${scene.hub.port}${path}`, { method: "POST", headers: { Authorization: `Bearer dev:${anna.email}` }, body: motionFile(1) });
  }

  async function call(email: string, path: string, args: object, kind = "mutation"): Promise<unknown> {
    const response = await fetch(`http://127.0.0.1:${scene.hub.port}/api/${kind}`, {
      method: "POST",
      headers: { Authorization: `Bearer dev:${email}`, "Content-Type": "application/json" },
      body: JSON.stringify({ path, args }),
    });
    const answer = (await response.json()) as { result: unknown };
    if (!response.ok) throw new Error(`${path}: ${JSON.stringify(answer)}`);
    return answer.result;
  }

  async function idOf(email: string): Promise<string> {
    const { items } = (await call(ADMIN, "admin:list_users", { limit: 50 }, "query")) as { items: { _id: string; email: string }[] };
    return items.find((user) => user.email === email)!._id;
  }
});

/** A text without what is refused there. */
const plain = (text: string, refused: RegExp): string => text.replace(refused, "");

/** As much of a text as may stand there; a character of two halves is not cut apart. */
const cut = (text: string, most: number): string => [...text].slice(0, Math.floor(most / 2)).join("").trim();

async function holds(desk: Desk, page: string, name: string): Promise<void> {
  await desk.page.goto(`/#/${page}`);
  await desk.page.locator("main h1:visible").first().waitFor();
  await desk.page.waitForFunction(() => !document.querySelector(".skeleton"));
  await desk.screenshot(`hostile-${name}-${page.split("/")[0]}`);
  expect([page, await desk.overflow(), await escaped(desk)]).toEqual([page, 0, []]);
  await harmless(desk);
}

/** What is shown beyond the edge of the part of the page that it belongs to, or over what stands beside it, or turned around. */
const escaped = (desk: Desk): Promise<string[]> =>
  desk.page.evaluate(() => {
    const parts = ".list-pane, .detail-pane, .filters, .recording, .row, .card, .page > :not(.table-frame), .recording-head, .recording-columns > *, td";
    const faults: string[] = [];
    const told = (element: Element): string => `${element.tagName}.${element.className} ${element.textContent!.slice(0, 20)}`;
    for (const part of document.querySelectorAll(`:is(${parts})`)) {
      const edge = part.getBoundingClientRect();
      if (!edge.width) continue;
      for (const element of part.querySelectorAll("*")) {
        const { left, right, width } = element.getBoundingClientRect();
        const clipped = (one: Element): boolean => one !== part && (getComputedStyle(one).overflowX !== "visible" || clipped(one.parentElement!));
        if (width && !element.matches(".menu-button, .back") && (right > edge.right + 1 || left < edge.left - 1) && !clipped(element.parentElement!)) faults.push(`beyond ${part.className}: ${told(element)}`);
      }
    }
    for (const row of document.querySelectorAll(".recording, .row")) {
      const places = [...row.children].map((child) => child.getBoundingClientRect()).filter(({ width }) => width);
      if (places.some((place, at) => at > 0 && place.left < places[at - 1]!.right - 1)) faults.push(`over its neighbour: ${told(row)}`);
    }
    for (const text of document.querySelectorAll("time, .recording-title p, .row-when, .badge")) {
      for (const node of text.childNodes) {
        if (node.nodeType !== Node.TEXT_NODE || !/^[\x20-\x7e]{4,}$/.test(node.textContent!.trim())) continue;
        const [first, last] = [0, node.textContent!.trimEnd().length - 1].map((at) => {
          const range = document.createRange();
          range.setStart(node, at + (at ? 0 : node.textContent!.search(/\S/)));
          range.setEnd(node, range.startOffset + 1);
          return range.getBoundingClientRect();
        });
        if (first!.width && first!.top === last!.top && first!.left >= last!.left) faults.push(`turned around: ${told(text)}`);
      }
    }
    return faults;
  });

async function harmless(desk: Desk): Promise<void> {
  expect(await desk.page.evaluate(() => ["hostile" in window, document.baseURI.startsWith(location.origin), document.querySelectorAll("main iframe, main base, main style, main img[src=x]").length])).toEqual([false, true, 0]);
  expect(desk.problems.filter((problem) => !problem.includes("422"))).toEqual([]); // a file that is none is refused with that
}
