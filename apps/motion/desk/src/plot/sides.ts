/** Which knees were measured: one may be missing. */
import type { Recording } from "../api/api.ts";

export type Side = "left" | "right";

export const BOTH: readonly Side[] = ["left", "right"];

export const NAMES: Readonly<Record<Side, string>> = { left: "Left", right: "Right" };

export function sidesOf({ leftKnee, rightKnee }: Pick<Recording, "leftKnee" | "rightKnee">): readonly Side[] {
  return BOTH.filter((side) => (side === "left" ? leftKnee : rightKnee) !== undefined);
}
