/**
 * Openings of an EXAI session, with the answers of each build: the protocol's first table.
 *
 * @module
 */

import type { Answer, ConductCase, Credentials, RejectionCase } from "./protocol.ts";

/** A case with the answers of each build instead of those that are expected. */
export interface BuildCase extends Omit<ConductCase, "expected"> {
  /** The builds of 2025-10-27 and 2025-11-13. */
  oct: readonly Answer[];
  nov: readonly Answer[];
  /** The build of 2025-10-25, if it differs from that of 2025-10-27. */
  oct25?: readonly Answer[];
}

/** Encodes a hello. */
export function hello(fields: Record<string, unknown>): string {
  return JSON.stringify({ op: "hello", ...fields });
}

/** These frames, after which the connection stays open. */
export function answer(...frames: string[]): Answer {
  return { frames, close: null };
}

function refused(error: string | null, code: number, reason: string): Answer {
  return { frames: error === null ? [] : [`hello_ack, ${error}`], close: { code, reason } };
}

const UNAUTHORIZED = refused("unauthorized", 4003, "unauthorized");
const BROKEN = refused(null, 1000, "");
const MISSED = refused(null, 4002, "hello timeout or disconnect");

/** An opening with the same answer from all builds, unless `more` says otherwise. */
function row(
  name: string,
  first: string | null,
  answer: Answer,
  more: Partial<BuildCase> = {},
): BuildCase {
  const send = first === null ? [] : [first];
  return { name, inSession: false, send, oct: [answer], nov: [answer], ...more };
}

/** Openings that every server must reject. */
export function refusedOpenings({ sessionId }: Pick<Credentials, "sessionId">): BuildCase[] {
  const withToken = (token?: unknown) => hello({ session_id: sessionId, token });
  const noHello = JSON.stringify({ op: "list_tools", request_id: `${sessionId}-0` });
  return [
    row("wrong token", withToken("wrong-token-0000000000"), UNAUTHORIZED, { needsToken: true }),
    row("missing token", withToken(), UNAUTHORIZED, { needsToken: true }),
    row("empty token", withToken(""), UNAUTHORIZED, { needsToken: true }),
    row("non-string token", withToken(12345), BROKEN, { needsToken: true }),
    row("first message not hello", noHello, refused("missing_hello", 4001, "missing hello"), {
      nov: [refused("missing_hello", 4001, "unrecognized protocol")],
    }),
    row(
      "first message not JSON",
      "this is not JSON",
      refused("invalid_hello", 4000, "invalid hello"),
      { nov: [refused(null, 4000, "invalid message")] },
    ),
    row("no hello", null, MISSED),
  ];
}

/** The correct opening, and those that concern neither token nor order. */
export function otherOpenings({ sessionId, token }: Credentials): BuildCase[] {
  const withToken = token === null ? {} : { token };
  const renamed = answer("hello_ack, ok, another session_id");
  const good = hello({ session_id: sessionId, ...withToken });
  const badId = hello({ session_id: "a b", ...withToken });
  return [
    row("hello", good, answer("hello_ack, ok"), { oct25: [renamed] }),
    row("empty first message", "", MISSED),
    row("hello is an array", "[]", BROKEN),
    row("invalid session id", badId, renamed, { nov: [BROKEN] }),
  ];
}

/** The bad openings, with the closes that reject them in either build. */
export function rejections(credentials: Credentials): RejectionCase[] {
  return refusedOpenings(credentials).map(({ name, send, oct, nov }) => {
    const closes = [...oct, ...nov].flatMap(({ close }) => close ?? []);
    const expected = [...Map.groupBy(closes, ({ code }) => code)].map(([code, some]) => ({
      code,
      reasons: [...new Set(some.map(({ reason }) => reason))],
    }));
    return { name, first: send?.[0] ?? null, expected };
  });
}
