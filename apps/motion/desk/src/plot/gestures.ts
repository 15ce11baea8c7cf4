/** Zooming and moving with a wheel, a touchpad or fingers. */
import { useEffect, type RefObject } from "react";
import type { KneeChart } from "./chart.ts";
import { clamped, moved, zoomed, type View } from "./fetching.ts";

interface Shown {
  readonly view: View;
  readonly count: number;
  readonly onView: (view: View) => void;
}

const WHEEL_SPEED = 0.0016;
/** Turning that goes on after all of the recording is shown does not scroll the page, until the hand has rested. */
const REST_MS = 300;

export function useGestures(root: RefObject<HTMLElement | null>, chart: KneeChart | null, latest: RefObject<Shown>): void {
  useEffect(() => {
    if (!chart || !root.current) return;
    const area = chart.plot.over;
    const sampleAt = (x: number): number => {
      const { view } = latest.current;
      const box = area.getBoundingClientRect();
      return view.from + ((x - box.left) / box.width) * (view.to - view.from);
    };
    let turned = -Infinity;
    const wheel = (event: WheelEvent): void => {
      const { view, count, onView } = latest.current;
      const sideways = Math.abs(event.deltaX) > Math.abs(event.deltaY) || event.shiftKey;
      // a wheel over all of a recording scrolls the page
      const isWhole = view.to - view.from >= count - 1;
      if (isWhole && (sideways || event.deltaY > 0) && event.timeStamp - turned > REST_MS) return;
      event.preventDefault();
      turned = event.timeStamp;
      if (sideways) onView(moved(view, (event.deltaX || event.deltaY) / area.clientWidth, count));
      else onView(zoomed(view, Math.exp(event.deltaY * WHEEL_SPEED), sampleAt(event.clientX), count));
    };
    const fingers = new Map<number, number>();
    let began: { places: readonly number[]; samples: readonly number[] } | null = null;
    const hold = (): void => {
      const places = [...fingers.values()].slice(0, 2);
      began = places.length ? { places, samples: places.map(sampleAt) } : null;
    };
    const down = (event: PointerEvent): void => {
      if (event.pointerType !== "touch") return;
      fingers.set(event.pointerId, event.clientX);
      hold();
    };
    const move = (event: PointerEvent): void => {
      if (!fingers.has(event.pointerId) || !began) return;
      fingers.set(event.pointerId, event.clientX);
      latest.current.onView(held([...fingers.values()], began.samples, area, latest.current));
    };
    const up = (event: PointerEvent): void => {
      if (fingers.delete(event.pointerId)) hold();
    };
    area.addEventListener("wheel", wheel, { passive: false });
    area.addEventListener("pointerdown", down);
    addEventListener("pointermove", move);
    addEventListener("pointerup", up);
    addEventListener("pointercancel", up);
    return () => {
      area.removeEventListener("wheel", wheel);
      area.removeEventListener("pointerdown", down);
      removeEventListener("pointermove", move);
      removeEventListener("pointerup", up);
      removeEventListener("pointercancel", up);
    };
  }, [root, chart, latest]);
}

/** The view in which the samples that the fingers took hold of are under the fingers still. */
function held(places: readonly number[], samples: readonly number[], area: HTMLElement, { view, count }: Shown): View {
  const box = area.getBoundingClientRect();
  const [one, other] = places.map((x) => (x - box.left) / box.width);
  const [first, second] = samples;
  const spread = other === undefined || second === undefined ? 0 : other - one!;
  const span = Math.abs(spread) > 0.02 ? Math.abs((second! - first!) / spread) : view.to - view.from;
  const from = first! - one! * span;
  return clamped({ from, to: from + span }, count);
}
