// The three ways in which a question to the server fails.

/** No answer, or one that says that the server cannot answer at present. */
export class Away extends Error {
  override readonly name = "Away";
}

/** The server wants to know who asks. */
export class SignedOut extends Error {
  override readonly name = "SignedOut";
}

/** The server understood, and said no. */
export class Refused extends Error {
  override readonly name = "Refused";
}

/** What to show of something that was thrown; nothing of an aborted question. */
export function reasonOf(fault: unknown): string | null {
  if (fault instanceof DOMException && fault.name === "AbortError") return null;
  return fault instanceof Error ? fault.message : String(fault);
}
