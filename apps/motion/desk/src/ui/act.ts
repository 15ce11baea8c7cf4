/** Calls whose failure is told to whoever made them. */
import { toasts } from "./toasts.ts";

/** Wait for what somebody asked for; tell them if it fails, and give whether it worked. */
export async function attempt(work: Promise<unknown>, done?: string): Promise<boolean> {
  try {
    await work;
  } catch (error) {
    toasts.error(error);
    return false;
  }
  if (done) toasts.say(done);
  return true;
}
