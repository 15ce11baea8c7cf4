/** What is known of one thing: names and values, side by side. */
import type { ReactNode } from "react";

export type FactList = readonly (readonly [name: string, value: ReactNode])[];

export function Facts({ facts }: { facts: FactList }) {
  return (
    <dl className="facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
