/** Pictures of what is shown, to be looked at: with SYNOVIA_TEST_SCREENSHOTS=1 they are left in `screenshots/`. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Page, PageScreenshotOptions } from "playwright-core";

const FOLDER = fileURLToPath(new URL("../screenshots", import.meta.url));
const wanted = process.env["SYNOVIA_TEST_SCREENSHOTS"] === "1";

/** Leave a picture of a window, if pictures are wanted: painting and writing them takes a tenth of the machine. */
export async function screenshot(page: Page, name: string, options: PageScreenshotOptions = {}): Promise<void> {
  if (!wanted) return;
  mkdirSync(FOLDER, { recursive: true });
  await page.screenshot({ ...options, path: join(FOLDER, `${name}.png`) });
}
