/** The page of education: a teacher, a specialist and a parent in one program; who is taken out of the team loses it while looking. */
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { noBrowser } from "./harness/chromium.ts";
import { LOOKS } from "./harness/dashboard.ts";
import { screenshot } from "./harness/screenshot.ts";
import { SmallScene, type SmallPage } from "./harness/small-page.ts";

const KEYS = { SYNOVIA_ENCRYPTION_KEYS: `test:${randomBytes(32).toString("base64")}` };

describe.skipIf(noBrowser)("the page of education", () => {
  let scene: SmallScene;
  let theo: SmallPage;
  let sofia: SmallPage;
  let priya: SmallPage;
  const noa = (window: SmallPage) => window.page.getByRole("navigation", { name: "Students" }).getByRole("button", { name: "Noa" });
  beforeAll(async () => {
    scene = await SmallScene.open("education", KEYS);
    [theo, sofia, priya] = await Promise.all(["theo", "sofia", "priya"].map((name) => scene.window(`${name}@alder.example`, null, { bypassCSP: true }))) as [SmallPage, SmallPage, SmallPage];
    for (const window of [theo, sofia, priya]) await noa(window).click();
  });
  afterAll(() => scene?.close());

  it("shows all what two type at once, where they are, and lists", async () => {
    const text = (window: SmallPage) => window.page.getByLabel(/^Present levels/);
    await expect.poll(() => text(priya).inputValue()).toMatch(/^Noa reads/);
    await text(theo).focus();
    await theo.page.keyboard.press("Control+Home");
    await text(sofia).focus();
    await sofia.page.keyboard.press("Control+End");
    await Promise.all([theo.page.keyboard.type("New this week. ", { delay: 15 }), sofia.page.keyboard.type(" Speech is clearer.", { delay: 15 })]);
    for (const window of [theo, sofia, priya]) await expect.poll(() => text(window).inputValue()).toMatch(/^New this week\. Noa reads[^]* Speech is clearer\.$/);
    await priya.page.locator(".section", { hasText: "Present levels" }).locator(".at", { hasText: "Theo Lindqvist" }).waitFor();
    await sofia.page.getByRole("list", { name: "Also here" }).getByText("Priya Castellan").waitFor({ state: "attached" });
    expect(await text(priya).getAttribute("readonly"), "a parent reads").not.toBeNull();
    await theo.button("Add an agreement").click();
    await theo.page.getByRole("textbox", { name: "Agreement 4" }).fill("Quiet corner before tests");
    await expect.poll(() => priya.page.getByRole("textbox", { name: "Agreement 4" }).inputValue()).toBe("Quiet corner before tests");
    await sofia.button("Remove agreement 1").click();
    await expect.poll(() => theo.page.getByRole("textbox", { name: "Agreement 3" }).inputValue()).toBe("Quiet corner before tests");
    await screenshot(theo.page, "education-together");
  });

  it("moves a goal's progress while a colleague enters data", async () => {
    for (const window of [theo, sofia, priya]) await window.button("Goals").click();
    const goal = (window: SmallPage) => window.page.getByRole("region", { name: "Goal 1" });
    await goal(priya).getByText("Mean of 20").waitFor();
    await goal(sofia).getByRole("button", { name: "Enter data" }).click();
    await sofia.page.getByRole("dialog").getByLabel("words a minute").fill("99");
    await sofia.button("Proficient").click();
    await sofia.button("Save").click();
    for (const window of [theo, priya]) {
      await goal(window).getByText("Mean of 21").waitFor();
      await expect.poll(() => goal(window).locator("circle").count()).toBe(21);
      await goal(window).getByText("77 %").waitFor();
    }
    expect(await goal(priya).getByRole("button", { name: "Enter data" }).count()).toBe(0);
    await theo.button("30 days").click();
    await goal(theo).getByText("Mean of 8").waitFor(); // one each third day, and the new one
    await theo.button("All time").click();
    await theo.button("Edit goal 1").click();
    await theo.page.getByLabel("Conditions").fill("with a marker under the line");
    await theo.page.getByLabel("% right").fill("95");
    await theo.button("Save").click();
    await goal(priya).getByText("How it is measured").click();
    await goal(priya).getByText(/95 % right, with a marker under the line$/).waitFor();
  });

  it("uploads, shares and opens a document; the log tells who has", async () => {
    for (const window of [theo, sofia, priya]) await window.button("Documents").click();
    await theo.button("Upload").click();
    await theo.page.getByLabel("File", { exact: true }).setInputFiles({ name: "talk.txt", mimeType: "text/plain", buffer: Buffer.from("what was said") });
    await theo.page.getByLabel("Title", { exact: true }).fill("Talk in October");
    await theo.page.getByLabel("Tags").fill("autumn, reading");
    await theo.page.getByLabel(/^Confidential/).check();
    await theo.button("Upload it").click();
    await theo.page.getByText("Talk in October").waitFor();
    expect(await sofia.page.getByText("Talk in October").count(), "confidential").toBe(0);
    await theo.button("Who sees it: Talk in October").click();
    await theo.page.getByLabel("E-mail address").fill("priya@alder.example");
    await theo.button("Give it").click();
    await theo.page.getByRole("dialog").getByText("Priya Castellan").waitFor();
    await theo.button("Close").click();
    const [shown] = await Promise.all([priya.page.context().waitForEvent("page"), priya.button("View Talk in October").click()]);
    await shown.getByText("what was said").waitFor();
    await shown.close();
    expect(await priya.button("Download Talk in October").count()).toBe(0);
    await theo.page.getByLabel("New version of Talk in October").setInputFiles({ name: "talk.txt", mimeType: "text/plain", buffer: Buffer.from("what was meant") });
    await priya.button("Older versions of Talk in October").click();
    const [older] = await Promise.all([priya.page.context().waitForEvent("page"), priya.button("View version 1").click()]);
    await older.getByText("what was said").waitFor();
    await older.close();
    await priya.button("Close").click();
    await priya.page.getByText("reading", { exact: true }).waitFor();
    await theo.button("Access log").click();
    await theo.page.getByRole("listitem").filter({ hasText: "Priya Castellan viewed Talk in October" }).getByText("Confidential").first().waitFor();
    expect(await sofia.button("Access log").count()).toBe(0);
  });

  it("shows how far a large file is, forgets the one that is cancelled, and keeps every byte of the other", async () => {
    const [cancelled, kept] = [randomBytes(5_000_000), randomBytes(5_000_000)];
    const pdf = (name: string, buffer: Buffer) => ({ name, mimeType: "application/pdf", buffer });
    await theo.button("Documents").click();
    let pieces = 0;
    let letGo = (): void => undefined;
    const goesOn = new Promise<void>((resolve) => (letGo = resolve));
    await theo.page.route("**/api/uploads/*", async (route) => {
      if (route.request().method() === "PATCH" && pieces++ > 0) await goesOn;
      await route.continue().catch(() => undefined);
    });
    const send = async (name: string, buffer: Buffer): Promise<void> => {
      await theo.page.getByLabel("File", { exact: true }).setInputFiles(pdf(name, buffer));
      await theo.button("Upload it").click();
    };
    const dialog = theo.page.getByRole("dialog");
    await theo.button("Upload").click();
    await send("cancelled.pdf", cancelled);
    await dialog.getByText("1.0 MB of 5.0 MB").waitFor();
    expect(Number(await dialog.getByRole("progressbar", { name: "Sent" }).getAttribute("value"))).toBeCloseTo(2 ** 20 / 5e6, 5);
    await screenshot(theo.page, "education-sending");
    const forgotten = theo.page.waitForResponse((response) => response.request().method() === "DELETE");
    await dialog.getByRole("button", { name: "Cancel" }).click();
    expect((await forgotten).ok()).toBe(true);
    await expect.poll(() => dialog.getByRole("progressbar").count()).toBe(0);
    expect(await dialog.getByRole("alert").count(), "to cancel is no fault").toBe(0);
    letGo();
    await theo.page.unroute("**/api/uploads/*");
    await send("kept.pdf", kept);
    const row = theo.page.getByRole("listitem").filter({ hasText: "kept.pdf" });
    await row.getByText("5.0 MB").waitFor();
    await expect.poll(() => dialog.count(), { message: "the dialog closes" }).toBe(0);
    expect(await theo.page.getByText("cancelled.pdf").count()).toBe(0);
    const [download] = await Promise.all([theo.page.waitForEvent("download"), theo.button("Download kept.pdf").click()]);
    expect(kept.equals(await readFile(await download.path()))).toBe(true);
    await theo.button("Delete kept.pdf").click();
    await theo.button("Delete it").click();
    await expect.poll(() => theo.page.getByText("kept.pdf").count()).toBe(0);
  });

  it("takes the record from who is removed while they look", async () => {
    await sofia.button("Program").click();
    await sofia.page.getByLabel(/^Present levels/).focus();
    await theo.button("Program").click();
    await theo.button("Remove Sofia Marin").click();
    await sofia.page.getByText("This record is not open to you").waitFor();
    await expect.poll(() => noa(sofia).count()).toBe(0);
    expect(await sofia.page.getByText("Noa reads").count()).toBe(0);
    await expect.poll(() => theo.page.getByRole("list", { name: "Also here" }).getByText("Sofia Marin").count()).toBe(0);
    expect([theo.problems, sofia.problems, priya.problems]).toEqual([[], [], []]);
  });

  it("edits what a program grants, which others see at once, and a new version keeps it", async () => {
    await theo.button("Edit dates, services and plans").click();
    const dialog = theo.page.getByRole("dialog");
    await dialog.getByLabel("Counseling").fill("1.5");
    await theo.button("Another service").click();
    await dialog.getByLabel("Other service", { exact: true }).fill("Music therapy");
    await dialog.getByLabel("Hours", { exact: true }).fill("0.5");
    const before = await dialog.getByRole("group", { name: /^Accommodation / }).count();
    await theo.button("Another accommodation").click();
    const added = dialog.getByRole("group", { name: `Accommodation ${before + 1}` });
    await added.getByLabel("What it is about").fill("Testing");
    await added.getByLabel("Where").fill("Own room");
    await added.getByLabel("What is done").fill("A break every quarter of an hour");
    await theo.button("Another modification").click();
    const modified = dialog.getByRole("group", { name: "Modification 1" });
    await modified.getByLabel("Subject").fill("Mathematics");
    await modified.getByLabel("What is taught or tested instead").fill("Every other exercise");
    await modified.getByLabel("What counts as reached").fill("Eight of ten right");
    await dialog.getByLabel("Goals after school").fill("A training as a carpenter\n\n Living alone ");
    await dialog.getByLabel("Next review").fill("2030-01-02");
    await theo.button("Save").click();
    await expect.poll(() => dialog.count()).toBe(0);
    const granted = priya.page.getByRole("region", { name: "Dates and services" });
    await priya.button("Program").click();
    await granted.getByText(/1\.5 h counseling, 0\.5 h Music therapy$/).waitFor();
    await granted.getByText("A break every quarter of an hour (own room)").waitFor();
    await granted.getByText("2 Jan 2030").waitFor();
    const plans = priya.page.getByRole("region", { name: "Modifications and transition" });
    await plans.getByText("Every other exercise").waitFor();
    expect(await plans.getByRole("listitem").allInnerTexts()).toEqual(["A training as a carpenter", "Living alone"]);
    expect(await priya.button("Edit dates, services and plans").count(), "a parent reads").toBe(0);
  });

  it("signs a version, which ends all writing, and compares it with the next", async () => {
    await theo.button("Sign as Theo Lindqvist").click();
    await theo.page.getByText("Signed, no longer changed").waitFor();
    expect(await theo.page.getByLabel(/^Present levels/).getAttribute("readonly")).not.toBeNull();
    await theo.button("New version").click();
    await theo.page.getByLabel("Placement").fill("Resource room, mornings");
    await theo.button("Create it").click();
    await theo.page.getByRole("heading", { name: "Version 2" }).waitFor();
    await expect.poll(() => theo.page.getByLabel(/^Present levels/).inputValue()).toMatch(/^New this week/);
    await theo.page.getByText("A break every quarter of an hour (own room)").waitFor();
    await theo.page.getByText(/0\.5 h Music therapy$/).waitFor();
    await theo.page.getByText("Living alone").waitFor();
    await theo.button("Compare with the one before").click();
    await theo.page.getByRole("dialog").getByText("Resource room, mornings").waitFor();
    await theo.button("Close").click();
  });

  it("enrols a student, lets a colleague in, and takes them into the team of the first program", async () => {
    const ada = await scene.window("ada@alder.example", null, { bypassCSP: true });
    const field = (window: SmallPage, name: string) => window.page.getByRole("dialog").getByLabel(name, { exact: true });
    expect(await theo.button("People").count(), "administrators let people in").toBe(0);
    await ada.button("People").click();
    await ada.button("Invite somebody").click();
    await field(ada, "First name").fill("Nadia");
    await field(ada, "Last name").fill("Brook");
    await field(ada, "E-mail address").fill("nadia@alder.example");
    await ada.page.getByLabel("Role").selectOption("specialist");
    await ada.button("Invite").click();
    await ada.page.getByText("Nadia Brook may sign in as nadia@alder.example from now on.").waitFor();
    for (const dialog of ["Invite somebody", "People"]) await ada.page.getByRole("dialog", { name: dialog }).getByRole("button", { name: "Close" }).click();
    const nadia = await scene.window("nadia@alder.example", null);
    await nadia.page.getByText("You work with no student yet").waitFor();
    expect(await theo.button("Enrol a student").count(), "administrators enrol").toBe(0);
    await ada.button("Enrol a student").click();
    const about = { "First name": "Elif", "Last name": "Demir", Born: "2015-02-11", "Student number": "AF-2041", "Primary disability": "Autism" };
    for (const [name, text] of Object.entries(about)) await field(ada, name).fill(text);
    await ada.page.getByLabel("Grade").selectOption("4");
    await ada.page.getByLabel("Case manager").selectOption({ label: "Theo Lindqvist, teacher" });
    await ada.button("Enrol").click();
    await ada.page.getByRole("dialog").getByRole("alert").waitFor(); // the number is Noa's
    await field(ada, "Student number").fill("AF-3001");
    await ada.button("Enrol").click();
    await ada.page.getByRole("heading", { name: "Elif Demir" }).waitFor();
    await ada.page.getByText("11 Feb 2015").waitFor();
    await theo.page.getByRole("navigation", { name: "Students" }).getByRole("button", { name: "Elif" }).click();
    await theo.button("New version").click();
    await theo.page.getByLabel("Placement").fill("General classroom");
    await theo.button("Create it").click();
    await theo.page.getByLabel("Add to the team").selectOption({ label: "Nadia Brook, specialist" });
    await nadia.page.getByRole("navigation", { name: "Students" }).getByRole("button", { name: "Elif" }).click();
    await nadia.page.getByText("General classroom").waitFor();
    await ada.button("People").click();
    await ada.button("Shut out: Nadia Brook").click();
    await nadia.page.getByText("No organization knows you.").waitFor();
    expect([theo.problems, ada.problems, nadia.problems]).toEqual([[], [], []]);
    await nadia.close();
    await ada.close();
  });

  it("changes what is known of a student, and erases nothing that has to be kept", async () => {
    const ada = await scene.window("ada@alder.example", null);
    for (const window of [theo, ada]) {
      await window.page.getByRole("navigation", { name: "Students" }).getByRole("button", { name: "Elif" }).click();
      await window.button("About").click();
    }
    await theo.button("Edit the student").click();
    await theo.page.getByLabel("To consider medically").fill("Nuts");
    await theo.button("Another contact").click();
    const contact = theo.page.getByRole("group", { name: "Contact 1" });
    for (const [name, text] of Object.entries({ Name: "Deniz Demir", "Who that is": "parent", Phone: "555-0199" })) await contact.getByLabel(name).fill(text);
    await theo.button("Save").click();
    for (const text of ["Nuts", "Deniz Demir", "555-0199"]) await ada.page.getByText(text).waitFor();
    await theo.page.getByLabel("Enrollment status").selectOption("transferred");
    await ada.page.getByText(/^Everything is kept until/).waitFor();
    expect(await theo.button("Erase the record …").count(), "administrators erase").toBe(0);
    await ada.button("Erase the record …").click();
    await ada.page.getByText(/^This record has to be kept until/).waitFor();
    await ada.button("Close").click();
    await ada.page.evaluate(() => (Date.now = () => Date.UTC(2090, 0))); // whatever a browser believes
    await ada.button("Erase the record …").click();
    await ada.page.getByLabel("Why").fill("the family asks");
    expect(await ada.button("Erase it for good").isDisabled(), "the name is to be typed").toBe(true);
    await ada.page.getByLabel("Type “Elif Demir”").fill("Elif Demir");
    await ada.button("Erase it for good").click();
    await ada.page.getByText("This record has to be kept for now.").waitFor();
    expect(theo.problems).toEqual([]);
    await ada.close();
  });

  it.each(LOOKS)("looks well: %s", async (name, options) => {
    const ada = await scene.window("ada@alder.example", null, options);
    await ada.button("District").click();
    await ada.page.getByText("Points of progress").waitFor();
    await ada.isSound(`report-${name}`);
    await ada.button("Students").click();
    await ada.button("People").click();
    await ada.page.getByText("noa@alder.example").waitFor();
    await ada.isSound(`people-${name}`);
    await ada.button("Invite somebody").click();
    await ada.isSound(`invite-${name}`);
    await ada.button("Close").click();
    await ada.button("Close").click();
    await ada.button("Enrol a student").click();
    await ada.isSound(`enrol-${name}`);
    await ada.button("Close").click();
    await ada.page.getByRole("navigation", { name: "Students" }).getByRole("button", { name: "Milo" }).click();
    await ada.page.getByText("All saved").waitFor();
    await ada.isSound(`program-${name}`);
    await ada.button("Edit dates, services and plans").click();
    await ada.isSound(`services-${name}`);
    await ada.button("Close").click();
    await ada.button("Goals").click();
    await ada.page.getByText("Mean of 20").first().waitFor();
    for (const summary of ["How it is measured", "What was observed"]) await ada.page.getByText(summary).first().click();
    await ada.isSound(`goals-${name}`);
    await ada.button("Enter data").first().click();
    await ada.isSound(`enter-${name}`);
    await ada.button("Close").click();
    await ada.button("Documents").click();
    await ada.page.getByText("Letter of the audiologist").waitFor();
    await ada.isSound(`documents-${name}`);
    await ada.button("About").click();
    await ada.page.getByText("Whom to call").waitFor();
    await ada.isSound(`about-${name}`);
    await ada.button("Edit the student").click();
    await ada.isSound(`student-${name}`);
    await ada.button("Close").click();
    await ada.close();
  });
});
