/** Say why the server did not take a file. */
export function refusal(status: number, message: string | undefined): string {
  if (status === 401) return "Your session has ended. Please sign in again.";
  if (status === 403) return "You may not import recordings.";
  if (status === 404) return "This server does not take files yet.";
  if (status === 413) return "The file is larger than the server takes.";
  if (status === 429) return "That is too many files at once. Wait a little.";
  return message ?? "The server could not read the file. Please try again later.";
}
