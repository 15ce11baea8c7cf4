/** Waiting for conditions. */

/** Wait until something holds, looking at each turn of the event loop; fails after a while. */
export async function until<T>(look: () => T | undefined | null | false, seconds = 10): Promise<T> {
  const end = performance.now() + seconds * 1000;
  for (;;) {
    const found = look();
    if (found) return found;
    if (performance.now() > end) throw new Error(`this never became true: ${look.toString()}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Let everything happen that needs no more than turns of the event loop. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}
