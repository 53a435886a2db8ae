// GraphQL: where all figures come from.

import { SignedOut } from "./faults.ts";
import { Refused } from "./faults.ts";
import { messageOf, request } from "./request.ts";
import { signedOut, signInWanted } from "./session.ts";

const PATH = "/pattoo/api/v1/web/graphql";

export async function graphql<Data>(
  query: string,
  variables: Record<string, unknown>,
  signal?: AbortSignal,
): Promise<Data> {
  const change = query.startsWith("mutation");
  try {
    const body = { query, variables };
    const answer = await request(PATH, { method: "POST", body, ...(signal && { signal }) });
    const refusal = messageOf(answer);
    if (refusal !== null) throw new Refused(refusal);
    if (!change) signInWanted.set(false);
    return (answer as { data: Data }).data;
  } catch (fault) {
    if (fault instanceof SignedOut) signedOut(change);
    throw fault;
  }
}
