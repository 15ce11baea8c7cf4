/** Texts of people who mean ill, in the pages of the small applications: nothing of them runs, and the layout holds. */
import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { noBrowser } from "./harness/chromium.ts";
import { call } from "./harness/dashboard.ts";
import type { Hub } from "./harness/hub.ts";
import { screenshot } from "./harness/screenshot.ts";
import { SmallScene, type SmallPage } from "./harness/small-page.ts";

const DAY = 86_400_000;
const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, bypassCSP: true };
const KEYS = { SYNOVIA_ENCRYPTION_KEYS: `test:${randomBytes(32).toString("base64")}` };
const TEXTS = [
  "</title></script><script>window.hostile=1</script>",
  `"'><img src=x onerror="window.hostile=1"><svg/onload=window.hostile=1>`,
  `<iframe srcdoc="<script>parent.hostile=1</script>"></iframe><style>*{display:none}</style>`,
  "javascript:window.hostile=1",
  "\u202Egnp.enk\u202E",
  "\u2067\u2067\u2067not closed",
  "W".repeat(200),
  "مرحبا بالعالم (1) " + "שלום ".repeat(20),
  "👩‍👩‍👧‍👦".repeat(18),
  "Z" + "\u0337\u0322\u0341".repeat(60),
  "null",
  "undefined",
  "__proto__",
  "\u0000\u0001\u200B",
];
const LONG = "W".repeat(5_000);

interface Attacked {
  readonly name: string;
  readonly email: string;
  readonly organization: string | null;
  readonly pages: readonly string[];
  readonly write: (hub: Hub) => Promise<void>;
  readonly open?: (window: SmallPage) => Promise<void>;
}

const APPLICATIONS: readonly Attacked[] = [
  {
    name: "planner",
    email: "ada@north.example",
    organization: "org_north",
    pages: ["Changes", "Calendar"],
    write: async (hub) => {
      const start = Math.floor(Date.now() / DAY) * DAY;
      const plans = TEXTS.map((title, at) => ({ title, description: at % 2 ? title : LONG, startDate: start + at * DAY, endDate: start + (at + 2) * DAY }));
      await call(hub, "mutation", "mutations/schedules:create", { plans }, "dev:ada@north.example?organizationId=org_north");
      await call(hub, "mutation", "mutations/organizations:invite", { email: "evil@north.example", name: TEXTS[1]!, role: "member" }, "dev:ada@north.example?organizationId=org_north");
    },
    open: (window) => window.page.locator(".bar", { hasText: "WWWW" }).first().click(),
  },
  {
    name: "learning",
    email: "ada@north.example",
    organization: "north",
    pages: [],
    write: async (hub) => {
      const ada = "dev:ada@north.example?tenantId=north";
      for (const [at, text] of TEXTS.entries()) {
        const category = await call(hub, "mutation", "courses:createCategory", { name: text }, ada);
        const course = await call(hub, "mutation", "courses:create", { title: text, places: 5, categoryIds: [category] }, ada);
        const member = await call(hub, "mutation", "members:invite", { email: `evil${at}@north.example`, name: text, role: "member" }, ada);
        await call(hub, "mutation", "courses:enrol", { courseId: course, memberId: member }, ada);
      }
    },
  },
  {
    name: "events",
    email: "ada@events.example",
    organization: null,
    pages: ["Organizer", "Door"],
    write: async (hub) => {
      const ada = "dev:ada@events.example";
      const [workspace] = (await call(hub, "query", "workspaces:mine", {}, ada)) as { _id: string }[];
      await call(hub, "mutation", "users:arrive", { name: TEXTS[1]!, profile: LONG }, ada);
      for (const text of TEXTS) {
        const event = await call(hub, "mutation", "gatherings:plan", { workspaceId: workspace!._id, title: text, venue: text, startsAt: Date.now() + DAY, description: LONG }, ada);
        await call(hub, "mutation", "gatherings:add_tier", { eventId: event, name: text, price: 1, stock: 5 }, ada);
        await call(hub, "mutation", "gatherings:add_session", { eventId: event, title: text, startsAt: Date.now() + DAY }, ada);
        await call(hub, "mutation", "gatherings:publish", { eventId: event }, ada);
      }
    },
  },
  {
    name: "education",
    email: "theo@alder.example",
    organization: null,
    pages: [],
    write: async (hub) => {
      const theo = (await call(hub, "query", "organizations:me", {}, "dev:theo@alder.example")) as { user: { _id: string } };
      for (const text of TEXTS) {
        const student = { firstName: text, lastName: text, dateOfBirth: "2014-03-19", studentNumber: text, gradeLevel: text, primaryDisability: text, medicalConsiderations: LONG, transportationNeeds: LONG };
        await call(hub, "mutation", "students:enrol", { student, caseManagerId: theo.user._id }, "dev:ada@alder.example");
      }
    },
    open: async (window) => {
      await window.page.getByRole("navigation", { name: "Students" }).getByRole("button", { name: "WWWW" }).click();
      await window.button("About").click();
      await window.page.getByText("To consider medically").waitFor();
    },
  },
];

describe.skipIf(noBrowser).each(APPLICATIONS)("hostile texts in $name", ({ name, email, organization, pages, write, open }) => {
  it("run nowhere, and move nothing", async () => {
    const scene = await SmallScene.open(name, KEYS);
    try {
      await write(scene.hub);
      for (const [look, options] of [["wide", { bypassCSP: true }], ["phone", PHONE]] as const) {
        const window = await scene.window(email, organization, options);
        await window.page.getByText("WWWWWWWW").first().waitFor({ state: "attached" });
        await holds(window, `${name}-hostile-${look}`);
        for (const page of pages) {
          await window.button(page).click();
          await holds(window, `${name}-hostile-${look}-${page}`);
        }
        await open?.(window);
        await holds(window, `${name}-hostile-${look}-opened`);
        await window.close();
      }
    } finally {
      await scene.close();
    }
  });
});

/** Without the policy of the page, which would hide what is wrong, nothing has run or become an element. */
async function holds(window: SmallPage, name: string): Promise<void> {
  await screenshot(window.page, name);
  const found = await window.page.evaluate(() => ({
    ran: "hostile" in window,
    elements: document.querySelectorAll("body iframe, body style, body img[src=x], body svg[onload]").length,
    beyond: document.documentElement.scrollWidth > innerWidth ? [...document.body.querySelectorAll("*")].filter((one) => one.getBoundingClientRect().right > innerWidth + 1).map((one) => `${one.tagName}.${one.className}`).slice(0, 8) : [],
  }));
  expect([name, found]).toEqual([name, { ran: false, elements: 0, beyond: [] }]);
  expect(window.problems).toEqual([]);
}
