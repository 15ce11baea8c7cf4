import type { ReactElement } from "react";
import { degrees } from "../ui/format.ts";
import { kneeNumbers, symmetry, type Extremes, type KneeNumbers } from "./numbers.ts";
import { BOTH, NAMES, type Side } from "./sides.ts";

/** What the numbers are of. */
export type Scope = "whole recording" | "in view" | "so far";

/** Below this limb symmetry index the difference between the knees is worth a look. */
const NOTABLE = 0.9;

interface Props {
  readonly left: Extremes | null;
  readonly right: Extremes | null;
  readonly sign: 1 | -1;
  readonly scope: Scope;
  /** The knees that were measured: one alone is compared with nothing. */
  readonly sides?: readonly Side[];
}

export function Numbers({ left, right, sign, scope, sides = BOTH }: Props): ReactElement {
  const [one, other] = [left && kneeNumbers(left, sign), right && kneeNumbers(right, sign)];
  const widest = Math.max(one?.range ?? 0, other?.range ?? 0);
  return (
    <section className="numbers" aria-label={`Range of motion, ${scope}`}>
      {sides.map((side) => <Knee key={side} side={side} title={`${NAMES[side]} knee`} numbers={side === "left" ? one : other} widest={widest} />)}
      {sides.length > 1 && <Comparison left={one} right={other} scope={scope} />}
    </section>
  );
}

function Knee({ side, title, numbers, widest }: { side: Side; title: string; numbers: KneeNumbers | null; widest: number }): ReactElement {
  const value = (number: number | undefined): string => (number === undefined ? "–" : degrees(number));
  return (
    <div className={`number ${side}`}>
      <h3>{title}</h3>
      <p className="big"><span>{value(numbers?.range)}</span> <small>range of motion</small></p>
      <div className="bar" aria-hidden="true"><div style={{ width: numbers && widest ? `${(100 * numbers.range) / widest}%` : 0 }} /></div>
      <dl>
        <div><dt>Max. flexion</dt><dd>{value(numbers?.flexion)}</dd></div>
        <div><dt>Max. extension</dt><dd>{value(numbers?.extension)}</dd></div>
      </dl>
    </div>
  );
}

function Comparison({ left, right, scope }: { left: KneeNumbers | null; right: KneeNumbers | null; scope: Scope }): ReactElement {
  const alike = left && right && symmetry(left, right);
  const difference = (name: "flexion" | "extension"): string => (left && right ? degrees(Math.abs(left[name] - right[name])) : "–");
  return (
    <div className={typeof alike === "number" && alike < NOTABLE ? "number notable" : "number"}>
      <h3>Symmetry <small>{scope}</small></h3>
      <p className="big"><span>{typeof alike === "number" ? `${Math.round(alike * 100)} %` : "–"}</span> <small>of the better knee</small></p>
      <div className="bar" aria-hidden="true"><div style={{ width: `${(alike ?? 0) * 100}%` }} /></div>
      <dl>
        <div><dt>Flexion differs by</dt><dd>{difference("flexion")}</dd></div>
        <div><dt>Extension differs by</dt><dd>{difference("extension")}</dd></div>
      </dl>
    </div>
  );
}
