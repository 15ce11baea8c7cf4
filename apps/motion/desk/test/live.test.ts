import { describe, expect, test } from "vitest";
import { LiveBuffer, batchOf, recentBatches, type Stretch } from "../src/live/buffer.ts";
import { flexionAt, walk } from "../src/live/gait.ts";
import { BEHIND_S, Playhead } from "../src/live/playhead.ts";

const ramp = (from: number, to: number): Float64Array => Float64Array.from({ length: to - from }, (_, index) => from + index);

/** Do what a viewer does with what the server tells of; give how many samples that takes. */
function follow(buffer: LiveBuffer, segments: readonly Stretch[]): number {
  let fetched = 0;
  for (const { segment, from, to } of buffer.missing(segments)) {
    const part = ramp(segment.start + from, segment.start + to);
    fetched += part.length;
    expect(buffer.put(segment.start + from, part, part.map((value) => -value))).toBe(true);
  }
  return fetched;
}

describe("a live buffer", () => {
  test("fetches each sample once, however segments are merged", () => {
    const buffer = new LiveBuffer(0);
    expect(follow(buffer, [{ start: 0, count: 25 }])).toBe(25);
    expect(follow(buffer, [{ start: 0, count: 25 }, { start: 25, count: 25 }])).toBe(25);
    expect(follow(buffer, [{ start: 0, count: 50 }, { start: 50, count: 25 }])).toBe(25);
    expect(follow(buffer, [{ start: 0, count: 80 }])).toBe(5);
    expect(follow(buffer, [{ start: 0, count: 80 }])).toBe(0);
    expect(buffer.end).toBe(80);
    expect(buffer.left.subarray(0, 80)).toEqual(ramp(0, 80));
    expect(buffer.extremes.right).toEqual({ min: -79, max: -0 });
  });

  test("begins where the one who comes late begins, and counts what lies before", () => {
    const buffer = new LiveBuffer(6_000);
    buffer.widen({ min: -3, max: 70 }, { min: -2, max: 60 });
    expect(follow(buffer, [{ start: 0, count: 5_000 }, { start: 5_000, count: 2_000 }])).toBe(1_000);
    expect(buffer.left.subarray(0, 1_000)).toEqual(ramp(6_000, 7_000));
    expect(buffer.extremes.left).toEqual({ min: -3, max: 6_999 });
  });

  test("grows as far as a session does", () => {
    const buffer = new LiveBuffer(0);
    for (let start = 0; start < 50_000; start += 5_000) follow(buffer, [{ start, count: 5_000 }]);
    expect(buffer.left.subarray(0, 50_000)).toEqual(ramp(0, 50_000));
  });

  test("takes what came with the news, behind the segments", () => {
    const batch = (from: number, to: number): Uint8Array => {
      const bytes = new Uint8Array(1 + (to - from) * 16).subarray(1); // not where a number may lie
      bytes.set(new Uint8Array(ramp(from, to).buffer));
      bytes.set(new Uint8Array(ramp(-to, -from).buffer), (to - from) * 8);
      return bytes;
    };
    const buffer = new LiveBuffer(0);
    follow(buffer, [{ start: 0, count: 25 }]);
    const batches = recentBatches([{ start: 0, count: 25 }], [batch(25, 35), batch(35, 36)]);
    for (const { start, left, right } of batches) expect(buffer.put(start, left, right)).toBe(true);
    expect(buffer.left.subarray(0, 36)).toEqual(ramp(0, 36));
    expect(buffer.right.subarray(25, 36)).toEqual(Float64Array.of(...ramp(-35, -25), -36));
    expect(recentBatches([], [batch(0, 3)])[0]!.start).toBe(0);
  });

  test.each([1, 128, 129])("a batch of %i samples goes as it will come back, and uploads only what is large", (count) => {
    const [left, right] = [ramp(0, count), ramp(-count, 0)];
    const batch = batchOf(left, right);
    expect("samples" in batch).toBe(count <= 128);
    const [back] = "samples" in batch ? recentBatches([], [batch.samples]) : [{ left: batch.leftKnee, right: batch.rightKnee }];
    expect(back).toMatchObject({ left, right });
  });

  test("takes no samples behind a gap, and those it has already in silence", () => {
    const buffer = new LiveBuffer(0);
    expect(buffer.put(10, ramp(10, 20), ramp(10, 20))).toBe(false);
    expect(buffer.end).toBe(0);
    follow(buffer, [{ start: 0, count: 20 }]);
    expect(buffer.put(5, ramp(5, 15), ramp(5, 15))).toBe(true);
    expect(buffer.end).toBe(20);
  });
});

describe("the playhead", () => {
  const FRAME = 1 / 60;

  test("never stands still nor runs back between batches, and stays behind the newest sample", () => {
    const playhead = new Playhead(0);
    let before = playhead.at;
    for (let frame = 0; frame < 600; frame += 1) {
      const newest = Math.floor(frame / 15) * 0.25; // a batch every quarter of a second
      const at = playhead.move(newest, FRAME);
      expect(at).toBeLessThanOrEqual(newest);
      if (frame > 120) expect(at).toBeGreaterThan(before);
      before = at;
    }
    expect(600 * FRAME - before).toBeLessThan(1);
  });

  test("jumps when it has fallen far behind, as after a break", () => {
    const playhead = new Playhead(1);
    expect(playhead.move(60, FRAME)).toBeCloseTo(60 - BEHIND_S);
  });

  test("comes to rest at the end", () => {
    const playhead = new Playhead(10);
    for (let frame = 0; frame < 600; frame += 1) playhead.move(10, FRAME);
    expect(playhead.at).toBeGreaterThan(9.8);
  });
});

describe("the simulated gait", () => {
  test("goes on from batch to batch", () => {
    const even = (): number => 0.5;
    const whole = walk(0, 100, 100, even);
    const parts = [walk(0, 37, 100, even), walk(37, 63, 100, even)];
    expect(Float64Array.of(...parts[0]!.left, ...parts[1]!.left)).toEqual(whole.left);
    expect(Float64Array.of(...parts[0]!.right, ...parts[1]!.right)).toEqual(whole.right);
  });

  test("bends like a knee, from stride to stride alike", () => {
    const flexion = Array.from({ length: 100 }, (_, index) => flexionAt(index / 100));
    expect(Math.max(...flexion)).toBeGreaterThan(55);
    expect(Math.min(...flexion)).toBeGreaterThan(0);
    expect(flexionAt(0.999999)).toBeCloseTo(flexionAt(0), 2);
  });
});
