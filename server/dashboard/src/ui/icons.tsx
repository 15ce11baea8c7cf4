/** Icons of one stroke, on a grid of 16. */
const PATHS = {
  data: "M2.500 4c0-1.100 2.500-2 5.500-2s5.500.9 5.500 2-2.500 2-5.500 2-5.500-.9-5.500-2Zm0 0v8c0 1.100 2.500 2 5.500 2s5.500-.9 5.500-2V4M2.500 8c0 1.100 2.500 2 5.500 2s5.500-.9 5.500-2",
  functions: "M10.500 2.500c-2-.5-3 .5-3.200 2L6 11.500c-.2 1.500-1.200 2.500-3 2M4 6.500h6.500M10 10l3.500 3.500M13.500 10 10 13.500",
  logs: "M2.500 3.500h11M2.500 8h11M2.500 12.500h7",
  live: "M1.500 8h3l2-5 3 10 2-5h3",
  clients: "M2 3.500h12v7H2zM5.500 13.500h5M8 10.500v3",
  calls: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM8 4.500V8l2.500 1.500",
  health: "M8 13.500 2.800 8.300a3.200 3.200 0 0 1 4.500-4.500l.7.700.7-.7a3.200 3.200 0 0 1 4.500 4.500Z",
  search: "M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10Zm3.600-1.400L14 14",
  plus: "M8 3v10M3 8h10",
  close: "m4 4 8 8M12 4l-8 8",
  down: "m4 6 4 4 4-4",
  up: "m4 10 4-4 4 4",
  right: "m6 4 4 4-4 4",
  play: "M5 3.500v9l7-4.500Z",
  pause: "M5.500 3.500v9M10.500 3.500v9",
  copy: "M5.500 5.500V3a.5.5 0 0 1 .5-.5h7a.5.5 0 0 1 .5.5v7a.5.5 0 0 1-.5.500h-2.500M3 5.500h7a.5.5 0 0 1 .5.5v7a.5.5 0 0 1-.5.500H3a.5.5 0 0 1-.5-.5V6a.5.5 0 0 1 .5-.5Z",
  trash: "M2.500 4.500h11M6 4.500V2.500h4v2M4 4.500l.7 9h6.600l.7-9M6.700 7v4M9.300 7v4",
  warning: "M8 2.500 14.500 13.500H1.500ZM8 6.500v3.500M8 11.800v.2",
  sun: "M8 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6ZM8 1.500V3M8 13v1.500M1.500 8H3M13 8h1.500M3.400 3.400l1 1M11.600 11.600l1 1M12.600 3.400l-1 1M4.400 11.600l-1 1",
  moon: "M13.500 9.700A6 6 0 0 1 6.300 2.500a6 6 0 1 0 7.200 7.200Z",
  system: "M2 3h12v8H2zM6 13.500h4",
  out: "M6 2.500H3v11h3M10 5l3 3-3 3M13 8H6",
  filter: "M2 3.500h12L9.500 8.500V13l-3-1.500v-3Z",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 16 16" fill="none" stroke="currentColor" strokeWidth="1.4" strokeLinecap="round" strokeLinejoin="round" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
