/** A motion file as OpenSim writes it: two knees that walk, the right of which bends less. */
export function motionFile(seconds: number, rate = 100): string {
  const rows = Array.from({ length: seconds * rate }, (_, index) => {
    const at = index / rate;
    const knee = (phase: number, range: number): string => (range * (0.5 - 0.5 * Math.cos(2 * Math.PI * (at + phase)))).toFixed(4);
    return `${at.toFixed(4)}\t${knee(0, 60)}\t${knee(0.5, 40)}`;
  });
  const header = ["Coordinates", "version=1", `nRows=${rows.length}`, "nColumns=3", "inDegrees=yes", "", "endheader"];
  return [...header, "time\tknee_angle_l\tknee_angle_r", ...rows, ""].join("\n");
}
