/** The first visit: the page loads from the hub, one signs in, and the list is there. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { noBrowser } from "./harness/chromium.ts";
import { Scene } from "./harness/scene.ts";

describe.skipIf(noBrowser)("the first visit", () => {
  let scene: Scene;
  beforeAll(async () => void (scene = await Scene.open()));
  afterAll(() => scene?.close());

  it("leads from the sign-in page over the choice of a role to the list, and is kept over a reload", async () => {
    const desk = await scene.window("anna@example.org");
    await desk.heading("Sign in").waitFor();
    await desk.register("Physiotherapist", "Anna Berg");
    await desk.page.getByText("No recordings yet").waitFor();
    await desk.page.reload();
    await desk.page.getByText("No recordings yet").waitFor();
    expect(desk.problems).toEqual([]);
  });
});
