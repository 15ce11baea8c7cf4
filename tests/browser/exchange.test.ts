/** Files out and in again: what the server writes, and what the page writes, are the recording once more. */
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { noBrowser } from "./harness/chromium.ts";
import type { Desk } from "./harness/desk.ts";
import { motionFile } from "./harness/motion-file.ts";
import { Scene } from "./harness/scene.ts";

const KINDS = [["OpenSim motion (.mot)", "mot"], ["Table (.csv)", "csv"]] as const;

describe.skipIf(noBrowser)("files", () => {
  let scene: Scene;
  let anna: Desk;

  beforeAll(async () => {
    scene = await Scene.open();
    anna = await scene.person("Anna Berg", "Physiotherapist");
    await anna.drop("Früh, 1. Versuch.mot", motionFile(10));
    await anna.heading("Früh, 1. Versuch").waitFor();
  });
  afterAll(() => scene?.close());

  it.each(KINDS)("an export as %s is imported again, with every sample as it was", async (kind, ending) => {
    await anna.page.goto("/#/recordings");
    await anna.row("Früh, 1. Versuch").last().click();
    const [name, content] = await exported(anna, kind);
    expect(name).toMatch(new RegExp(String.raw`^\d{4}-\d\d-\d\d-Früh-1-Versuch\.${ending}$`));
    await anna.drop(`again.${ending}`, content);
    await anna.heading("again").waitFor();
    await anna.page.getByRole("region", { name: "Details" }).getByText("1,000 a side").waitFor();
    expect(untitled((await exported(anna, kind))[1])).toBe(untitled(content));
    await anna.rename(`from ${ending}`);
    expect(anna.problems).toEqual([]);
  });

  it("a file that is no motion file is refused with its line, and nothing of it is kept", async () => {
    const before = await anna.titles();
    await anna.drop("broken.mot", motionFile(1).replace(/\t[\d.]+\n$/, "\tNIL\n"));
    await anna.page.getByText("is not a number: 'NIL'").waitFor();
    expect(await anna.titles()).toEqual(before);
  });
});

/** Export the recording that is open: the file's name and what is in it. */
async function exported(desk: Desk, kind: string): Promise<[name: string, content: string]> {
  await desk.button("Export").click();
  const [download] = await Promise.all([desk.page.waitForEvent("download"), desk.page.getByRole("menuitem", { name: kind }).click()]);
  return [download.suggestedFilename(), await readFile(await download.path(), "utf8")];
}

/** A file without the title of its recording, which the imported one does not have. */
const untitled = (content: string): string => content.replace(/^name=.*\n/, "");
