/** A motion file as OpenSim writes it: two knees that walk. */
export function motionFile(seconds: number, rate = 100): string {
  const rows = Array.from({ length: seconds * rate }, (_, index) => {
    const at = index / rate;
    const knee = (phase: number): string => (30 - 30 * Math.cos(2 * Math.PI * (at + phase))).toFixed(4);
    return `${at.toFixed(4)}\t${knee(0)}\t${knee(0.5)}`;
  });
  const header = ["Coordinates", "version=1", `nRows=${rows.length}`, "nColumns=3", "inDegrees=yes", "", "endheader"];
  return [...header, "time\tknee_angle_l\tknee_angle_r", ...rows, ""].join("\n");
}
