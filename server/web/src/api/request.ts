// One question to the server, with a deadline, and what its failure means.

import { answered, unanswered } from "../state/connection.ts";
import { serverSays } from "../state/clock.ts";
import { Away, Refused, SignedOut } from "./faults.ts";

const DEADLINE_MS = 30_000;

export interface Question {
  method?: "GET" | "POST" | "DELETE";
  body?: unknown;
  signal?: AbortSignal;
}

/** The JSON that a path answers; null where it answers nothing. */
export async function request(path: string, question: Question = {}): Promise<unknown> {
  const deadline = AbortSignal.timeout(DEADLINE_MS);
  const init: RequestInit = {
    method: question.method ?? "GET",
    credentials: "same-origin",
    cache: "no-store",
    signal: question.signal ? either(question.signal, deadline) : deadline,
  };
  if (question.body !== undefined) {
    init.headers = { "Content-Type": "application/json" };
    init.body = JSON.stringify(question.body);
  }
  const beganMs = Date.now();
  let status: number;
  let json: unknown;
  try {
    const response = await fetch(path, init);
    status = response.status;
    serverSays(Date.parse(response.headers.get("Date") ?? ""), true, Date.now() - beganMs);
    const text = await response.text();
    json = text === "" ? null : parse(text);
  } catch (fault) {
    if (question.signal?.aborted) throw new DOMException("no longer wanted", "AbortError");
    const reason = deadline.aborted ? `no answer within ${DEADLINE_MS / 1_000} s` : String(fault);
    unanswered(reason);
    throw new Away(reason);
  }
  if (status >= 500 || json === undefined) {
    const reason = messageOf(json) ?? `HTTP status ${status}`;
    unanswered(reason);
    throw new Away(reason);
  }
  answered();
  if (status === 401) throw new SignedOut(messageOf(json) ?? "sign in first");
  if (status >= 400) throw new Refused(messageOf(json) ?? `HTTP status ${status}`);
  return json;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The server's words: `{"error"}` of plain answers, `{"errors"}` of GraphQL. */
export function messageOf(json: unknown): string | null {
  const { error, errors } = (json ?? {}) as {
    error?: unknown;
    errors?: { message?: unknown }[];
  };
  const message = errors?.[0]?.message ?? error;
  return typeof message === "string" ? message : null;
}

function either(a: AbortSignal, b: AbortSignal): AbortSignal {
  if ("any" in AbortSignal) return AbortSignal.any([a, b]);
  return a;
}
