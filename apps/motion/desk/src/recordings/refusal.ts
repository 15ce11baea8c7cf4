import { sentence } from "../ui/errors.ts";

/** Why the server did not take a file. */
export class Refusal extends Error {
  constructor(
    message: string,
    /** What may be said so that the file is read, as the server calls it. */
    readonly options: readonly string[] = [],
    /** The names of the file's columns, where they are to be chosen. */
    readonly columns: readonly string[] = [],
  ) {
    super(message);
  }
}

interface Answer {
  readonly error?: {
    readonly message?: string;
    readonly data?: { readonly line?: number | null; readonly reason?: string; readonly options?: string[]; readonly columns?: string[] } | null;
  };
}

/** Say why the server did not take a file, and what may be done about it. */
export function refusalOf(status: number, { error }: Answer): Refusal {
  const { line, reason, options, columns } = error?.data ?? {};
  if (status !== 422 || !reason) return new Refusal(wordsOf(status, error?.message));
  return new Refusal(line ? `Line ${line}: ${sentence(reason, false)}` : sentence(reason), options, columns);
}

function wordsOf(status: number, message: string | undefined): string {
  if (status === 401) return "Your session has ended. Please sign in again.";
  if (status === 403) return "You may not import recordings.";
  if (status === 404) return "This server does not take files yet.";
  if (status === 413) return "The file is larger than the server takes.";
  if (status === 429) return "That is too many files at once. Wait a little.";
  return message ?? "The server could not read the file. Please try again later.";
}
