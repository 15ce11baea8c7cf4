/** How things are called and written. */
export const DAY = 86_400_000;
export const SPANS = { "0": "All time", "30": "30 days", "90": "90 days" };
export const ROLES = { admin: "administrator", teacher: "teacher", specialist: "specialist", parent: "parent", student: "student" };
export const LEVELS = { emerging: "Emerging", developing: "Developing", proficient: "Proficient", mastered: "Mastered" } as const;
export const SUPPORT = { full_support: "Full support", partial_support: "Some support", independent: "Alone" } as const;
export const DOMAINS = {
  academic: "Academic", behavioral: "Behavior", communication: "Communication", social: "Social", motor: "Motor", adaptive: "Adaptive", vocational: "Vocational",
};
export const TYPES = {
  assessment: "Assessment", iep: "Program", progress_report: "Progress report", communication: "Communication", medical: "Medical", behavioral: "Behavior", other: "Other",
} as const;
export const STATUSES = { draft: "Draft", active: "Active", expired: "Expired", superseded: "Superseded" };
export const ENROLLMENTS = { active: "Enrolled", inactive: "Inactive", graduated: "Graduated", transferred: "Transferred" } as const;
export const ACTIONS = {
  "record.opened": "opened the record", "document.viewed": "viewed", "document.downloaded": "downloaded", "document.shared": "changed who sees", "record.exported": "exported the record",
};

const days = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });
const moments = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
export const day = (time: number): string => days.format(time);
export const moment = (time: number): string => moments.format(time);
export const dateOf = (time: number): string => new Date(time).toISOString().slice(0, 10);

/** Some words one a line, as they stand in a field, and back. */
export const linesOf = (items: readonly string[]): string => items.join("\n");
export const itemsOf = (lines: string): string[] => lines.split("\n").map((line) => line.trim()).filter(Boolean);

export const round = (value: number, digits = 1): string => value.toLocaleString("en", { maximumFractionDigits: digits });
export const initials = (name: string): string => name.split(" ").map((word) => word.charAt(0)).join("").slice(0, 2);

/** A hue for somebody, the same in every window. */
export const hue = (name: string): number => [...name].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 360, 7);
