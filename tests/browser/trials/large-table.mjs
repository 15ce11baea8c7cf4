// Goes over a large table in the dashboard as an operator would, and prints what each step took as a line of JSON:
//     node trials/large-table.mjs CHROMIUM URL   (as torture/large_table.py does)
import { setTimeout as pause } from "node:timers/promises";
import { chromium } from "playwright-core";

const [executablePath, url] = process.argv.slice(2);
const PATIENCE = 60_000;
const SCROLLED_MS = 8_000;
const browser = await chromium.launch({ executablePath, headless: true, args: ["--no-sandbox", "--disable-gpu"] });
const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
await page.addInitScript(() => {
  const gaps = [];
  let last = performance.now();
  const tick = (now) => (gaps.push(now - last), (last = now), requestAnimationFrame(tick));
  requestAnimationFrame(tick);
  window.drawn = () => gaps.splice(0).sort((one, other) => one - other);
});

async function step(name, act) {
  await page.evaluate(() => window.drawn?.());
  const began = performance.now();
  const note = await act();
  const seconds = (performance.now() - began) / 1000;
  const gaps = await page.evaluate(() => window.drawn());
  const at = (share) => Number((gaps[Math.min(gaps.length - 1, Math.floor(gaps.length * share))] ?? 0).toFixed(1));
  console.log(JSON.stringify({ name, seconds, frames: gaps.length, p95: at(0.95), longest: at(1), note: note ?? "" }));
}

const row = (text) => page.locator(".rows-inner .row").filter({ hasText: text }).first().waitFor({ timeout: PATIENCE });
const status = () => page.locator(".more [role=status]").textContent();
const sort = (name) => page.getByRole("button", { name: new RegExp(`^${name}`) }).click();

async function filter(field, test, value) {
  await page.getByRole("button", { name: "Filter" }).click();
  await page.getByLabel("Field").selectOption(field);
  await page.getByLabel("Comparison").selectOption(test);
  await page.getByLabel("Value").fill(value);
}

const unfiltered = async () => {
  await page.getByRole("button", { name: "Filter" }).click();
  await page.getByLabel("Field").waitFor({ state: "detached" });
};

async function scrolled(by) {
  const box = await page.locator(".rows").boundingBox();
  await page.mouse.move(box.x + 300, box.y + 300);
  for (const end = performance.now() + SCROLLED_MS; performance.now() < end; await pause(16)) await page.mouse.wheel(0, by);
  return `${await page.evaluate(() => Math.floor(document.querySelector(".rows").scrollTop / 32))} rows down`;
}

await step("opened", async () => {
  await page.goto(`${url}#/data/patients`);
  await page.getByText(/^[\d,]+ documents$/).first().waitFor({ timeout: PATIENCE });
  await row("patient");
});
await step("scrolled down", () => scrolled(600));
await step("scrolled up", () => scrolled(-1_500));
await step("sorted by an index", async () => (await sort("name"), row("patient 0000000")));
await step("sorted backwards", async () => (await sort("name"), row("patient 0999999")));
await step("filtered by an index", async () => (await filter("name", "eq", "patient 0500000"), row("patient 0500000")));
await unfiltered();
await step("filtered by no index, one in fifty", async () => (await filter("city", "eq", "city 7"), row("city 7")));
await unfiltered();
await step("filtered by no index, none", async () => {
  await filter("city", "eq", "nowhere");
  await page.getByRole("button", { name: "Look further" }).waitFor({ timeout: PATIENCE });
  return status();
});
await unfiltered();
await step("searched for a text", async () => {
  await page.getByRole("searchbox").fill("patient 0777777");
  await page.getByRole("button", { name: "Look further" }).waitFor({ timeout: PATIENCE });
  return status();
});
await browser.close();
