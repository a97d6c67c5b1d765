/**
 * Compares a server's answer to a bad message with those that the protocol allows.
 *
 * @module
 */

import { describeClose } from "../../lib/run/describe_end.ts";
import type { Answer } from "../../lib/protocols/protocol.ts";

/** An answer, and whether the connection served a call after it. */
export interface SeenAnswer extends Answer {
  served: boolean;
}

/** Ends an expected frame of which only the beginning is given. */
const AND_SO_ON = "…";

const SERVED = "a call is served after it";

function frameMatches(expected: string, seen: string): boolean {
  return expected.endsWith(AND_SO_ON)
    ? seen.startsWith(expected.slice(0, -AND_SO_ON.length))
    : seen === expected;
}

/** Are frames and close those of the answer? It says nothing of a call after it. */
export function answerMatches(expected: Answer, seen: Answer): boolean {
  const { frames, close } = expected;
  return frames.length === seen.frames.length &&
    frames.every((frame, index) => frameMatches(frame, seen.frames[index]!)) &&
    close?.code === seen.close?.code && close?.reason === seen.close?.reason;
}

/** Was one of the answers seen, and a call served after it if the connection stayed open? */
export function isRight(expected: readonly Answer[], seen: SeenAnswer): boolean {
  return expected.some((answer) => answerMatches(answer, seen)) &&
    (seen.close !== null || seen.served);
}

/** The answers in words; those that end alike together. */
export function describeExpected(expected: readonly Answer[]): string {
  const byEnd = Map.groupBy(
    expected,
    ({ close }) => close === null ? SERVED : describeClose(close),
  );
  return [...byEnd].map(([end, alike]) => {
    const frames = new Set(alike.map((answer) => describeFrames(answer.frames)));
    return `${[...frames].join(" or ")}; ${end}`;
  }).join(" — or ");
}

/** What was seen, in the same words. */
export function describeSeen({ frames, close, served }: SeenAnswer): string {
  const open = served ? SERVED : "a call after it is not served";
  return `${describeFrames(frames)}; ${close === null ? open : describeClose(close)}`;
}

function describeFrames(frames: readonly string[]): string {
  return frames.length === 0 ? "no frame" : frames.map((frame) => `[${frame}]`).join(" ");
}
