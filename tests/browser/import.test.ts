/** Importing: what is told of each file, what may be said so that a refused one is read, and recordings of one leg. */
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { BrowserContextOptions, Locator } from "playwright-core";
import { noBrowser } from "./harness/chromium.ts";
import type { Desk } from "./harness/desk.ts";
import { motionFile } from "./harness/motion-file.ts";
import { Scene } from "./harness/scene.ts";

const WRONG_COUNT = motionFile(5).replace("nRows=500", "nRows=612");
const SPEEDS = motionFile(2).replace("Coordinates", "Speeds");
const GAP = motionFile(3).replace(/nRows=\d+\n/, "").replace(/(1\.0[1-5]00\t.*\n){5}/, "");
const ONE_LEG = motionFile(5).replaceAll(/\t[^\t\n]*$/gm, "");
const LOOKS: readonly [name: string, options: BrowserContextOptions][] = [
  ["desktop", {}],
  ["phone", { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true }],
];
const UNNAMED = `Zeit,links,rechts\n${motionFile(2).split("\n").slice(8, -1).join("\n").replaceAll("\t", ",")}\n`;

describe.skipIf(noBrowser)("importing", () => {
  let scene: Scene;
  let anna: Desk;

  beforeAll(async () => {
    scene = await Scene.open();
    anna = await scene.person("Anna Berg", "Physiotherapist");
  });
  afterAll(() => scene?.close());

  const row = (name: string, desk = anna): Locator => desk.page.getByRole("region", { name: "Imports" }).locator(".import-one", { hasText: name });

  async function dismissed(name: string): Promise<void> {
    await row(name).getByRole("button", { name: "Dismiss" }).click();
    await row(name).waitFor({ state: "detached" });
  }

  it("a file with a warning is imported, and the warning stays until it is dismissed", async () => {
    await anna.drop("counted.mot", WRONG_COUNT);
    await anna.heading("counted").waitFor();
    await row("counted.mot").getByText("Imported, with a warning").waitFor();
    await row("counted.mot").getByText("The header says 612 rows (nRows, line 3), but 500 follow; the file may be cut off.").waitFor();
    expect(await anna.overflow()).toBe(0);
    await dismissed("counted.mot");
  });

  it("a file of something else is refused as what it is, and offers nothing", async () => {
    await anna.drop("walk_Kinematics_u.sto", SPEEDS);
    await row("Kinematics_u").getByText("Line 1: the numbers are speeds").waitFor();
    expect(await row("Kinematics_u").getByRole("button", { name: "Import again" }).count()).toBe(0);
    await dismissed("Kinematics_u");
    await anna.drop("dance.bvh", "HIERARCHY\nROOT Hips\n{\n}\n");
    await row("dance.bvh").getByText("This is BVH, a skeleton's rotations").waitFor();
    await dismissed("dance.bvh");
  });

  it("a file with a gap is read once that is allowed", async () => {
    await anna.drop("gap.mot", GAP);
    await row("gap.mot").getByText("samples are missing, or the rate changes").waitFor();
    expect(await row("gap.mot").getByLabel("Missing samples").inputValue()).toBe("true");
    await row("gap.mot").getByRole("button", { name: "Import again" }).click();
    await anna.heading("gap").waitFor();
    await row("gap.mot").getByText("5 missing samples are interpolated, at 100 Hz.").waitFor();
    await dismissed("gap.mot");
  });

  it("columns are chosen where their names do not tell", async () => {
    await anna.drop("Messung.csv", UNNAMED);
    const form = row("Messung.csv").getByRole("form", { name: "How to read Messung.csv" });
    await form.getByLabel("Left knee").selectOption("links");
    await form.getByLabel("Right knee").selectOption("rechts");
    await form.getByLabel("Time").selectOption("Zeit");
    await form.getByRole("button", { name: "Import again" }).click();
    await anna.heading("Messung").waitFor();
    await anna.page.getByRole("region", { name: "Details" }).getByText("200 a side").waitFor();
  });

  it.each(LOOKS)("a warning, a refusal and the dialog on the glass: %s", async (name, options) => {
    const desk = await scene.person(`${name} Berg`, "Physiotherapist", options);
    await desk.drop("counted.mot", WRONG_COUNT);
    await row("counted.mot", desk).getByText("Imported, with a warning").waitFor();
    await desk.drop("Messung.csv", UNNAMED);
    await row("Messung.csv", desk).getByLabel("Left knee").waitFor();
    await desk.drop("walk_Kinematics_u.sto", SPEEDS);
    await row("Kinematics_u", desk).getByText("the numbers are speeds").waitFor();
    await desk.screenshots(`import-${name}-told`);
    await desk.drop("left leg.mot", ONE_LEG);
    await desk.heading("left leg").waitFor();
    for (const file of ["counted.mot", "Messung.csv", "Kinematics_u", "left leg.mot"]) await row(file, desk).getByRole("button", { name: "Dismiss" }).click();
    await desk.page.getByRole("region", { name: "Range of motion, whole recording" }).waitFor();
    await desk.screenshots(`import-${name}-one-leg`);
    await desk.page.evaluate(() => dispatchEvent(new Event("desk:import")));
    await desk.page.getByText("What the files do not tell").click();
    await desk.page.getByLabel("Unit of the times").waitFor();
    await desk.screenshots(`import-${name}-dialog`);
    expect(await desk.overflow()).toBe(0);
    await desk.close();
  });

  it("a recording of one leg shows that leg, and is exported and imported again as it was", async () => {
    await anna.drop("left leg.mot", ONE_LEG);
    await anna.heading("left leg").waitFor();
    await row("left leg.mot").getByText("Only the left knee is in the file").waitFor();
    await dismissed("left leg.mot");
    const numbers = anna.page.getByRole("region", { name: "Range of motion, whole recording" });
    await numbers.getByText("60.0°").first().waitFor();
    expect(await numbers.getByRole("heading").allTextContents()).toEqual(["Left knee"]);
    expect(await anna.page.locator(".plot-card .legend span").allTextContents()).toEqual(["Left"]);
    await anna.page.getByRole("region", { name: "Details" }).getByText("500 of the left knee").waitFor();
    await anna.button("Zoom in").click();
    await anna.page.getByRole("region", { name: "Range of motion, in view" }).waitFor();
    for (const [kind, ending] of [["OpenSim motion (.mot)", "mot"], ["Table (.csv)", "csv"]] as const) {
      await anna.row("left leg").click();
      await anna.button("Export").click();
      const [download] = await Promise.all([anna.page.waitForEvent("download"), anna.page.getByRole("menuitem", { name: kind }).click()]);
      await anna.page.goto("/#/recordings");
      const again = `again.${ending}`;
      await anna.drop(again, await readFile(await download.path(), "utf8"));
      await row(again).getByText("Only the left knee is in the file").waitFor();
      await anna.page.getByRole("region", { name: "Details" }).getByText("500 of the left knee").waitFor();
      await dismissed(again);
      await anna.rename(`from ${ending}`);
    }
    expect(anna.problems.filter((text) => !text.includes("422"))).toEqual([]);
  });
});
