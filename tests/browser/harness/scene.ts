/** A hub, a browser, and people with a window each, each on a wire of their own. */
import type { Browser, BrowserContextOptions } from "playwright-core";
import { closeWindows, openBrowser } from "./chromium.ts";
import { Desk, type Role } from "./desk.ts";
import { Hub } from "./hub.ts";
import { Wire } from "./wire.ts";

export class Scene {
  readonly #wires: Wire[] = [];

  private constructor(
    readonly hub: Hub,
    readonly browser: Browser,
  ) {}

  static async open(hub = new Hub()): Promise<Scene> {
    try {
      await hub.start();
      return new Scene(hub, await openBrowser());
    } catch (error) {
      await hub.stop();
      throw error;
    }
  }

  /** Open a window of somebody. */
  async window(email: string, options: BrowserContextOptions = {}): Promise<Desk> {
    const wire = await Wire.to(() => this.hub.port);
    this.#wires.push(wire);
    return Desk.open(this.browser, wire, email, options);
  }

  /** Open the window of somebody who registers in it. */
  async person(name: string, role: Role, options: BrowserContextOptions = {}): Promise<Desk> {
    const desk = await this.window(`${name.split(" ")[0]!.toLowerCase()}@example.org`, options);
    await desk.register(role, name);
    return desk;
  }

  /** Open the windows of a physiotherapist and of a patient, side by side; they do not know each other. */
  async pair(): Promise<[anna: Desk, paul: Desk]> {
    return Promise.all([this.person("Anna Berg", "Physiotherapist"), this.person("Paul Lang", "Patient")]);
  }

  async close(): Promise<void> {
    await closeWindows();
    await Promise.all(this.#wires.map((wire) => wire.close()));
    await this.hub.stop();
  }
}

/** Make contacts of two people, the first of whom may invite. */
export async function acquaint(one: Desk, other: Desk): Promise<void> {
  await one.goTo("Invitations");
  await one.button("Invite somebody").first().click();
  await one.page.getByLabel("E-mail address").fill(other.email);
  await one.button("Send invitation").click();
  await other.goTo("Invitations");
  await other.button("Accept").click();
  await one.goTo("Contacts");
  await one.page.getByRole("list", { name: "Contacts" }).getByText(other.email).waitFor();
}
