import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { Dialect } from "./dialect.ts";
import { helloRefusedFrame } from "./frames.ts";
import { isObject } from "./messages.ts";
import { MIN_TOKEN_LENGTH, type ServerOptions } from "./options.ts";

/** Outcome of a connection's first message. */
export type HelloDecision =
  | { kind: "accepted"; sessionId: string }
  | { kind: "refused"; frame: string | null; code: number; reason: string };

/** Hello timeout, or an empty first message. */
export const HELLO_MISSED: HelloDecision & { kind: "refused" } = {
  kind: "refused",
  frame: null,
  code: 4002,
  reason: "hello timeout or disconnect",
};
const BROKEN_HELLO: HelloDecision = { kind: "refused", frame: null, code: 1000, reason: "" };

/** Judges the first message of a connection. Never throws. */
export function decideHello(
  text: string,
  { options, dialect }: { options: ServerOptions; dialect: Dialect },
): HelloDecision {
  if (text === "") return HELLO_MISSED;
  let hello: unknown;
  try {
    hello = JSON.parse(text);
  } catch {
    return { kind: "refused", code: 4000, ...dialect.firstMessageNotJson };
  }
  if (!isObject(hello)) return BROKEN_HELLO;
  if (hello.op !== "hello") return { kind: "refused", code: 4001, ...dialect.firstMessageNotHello };
  const token = checkToken(hello.token, options.token);
  if (token === "broken") return BROKEN_HELLO;
  if (token === "wrong") return refuse("unauthorized");
  const hasJwt = typeof hello.jwt === "string" && hello.jwt !== "";
  if (dialect.name === "nov" && options.requireJwt && !hasJwt) return refuse("jwt_required");
  return acceptSession(hello.session_id, dialect);
}

function acceptSession(sessionId: unknown, dialect: Dialect): HelloDecision {
  if (dialect.assignsSessionId) {
    return { kind: "accepted", sessionId: randomBytes(32).toString("base64url") };
  }
  if (typeof sessionId === "string" && /^[A-Za-z0-9_-]{3,64}$/.test(sessionId)) {
    return { kind: "accepted", sessionId };
  }
  return dialect.replacesInvalidSessionId
    ? { kind: "accepted", sessionId: crypto.randomUUID() }
    : BROKEN_HELLO;
}

function refuse(error: string): HelloDecision {
  return { kind: "refused", frame: helloRefusedFrame(error), code: 4003, reason: error };
}

function checkToken(given: unknown, expected: string | null): "right" | "wrong" | "broken" {
  if (expected === null || expected.length < MIN_TOKEN_LENGTH) return "right";
  if (given === undefined || given === null) return "wrong";
  if (typeof given !== "string") return "broken";
  return timingSafeEqual(digest(given), digest(expected)) ? "right" : "wrong";
}

/** Digests have equal lengths, so comparing them takes the same time for every token. */
function digest(text: string): Uint8Array {
  return createHash("sha256").update(text).digest();
}
