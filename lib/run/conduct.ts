/**
 * Holds what a server made of a message against what the protocol says.
 *
 * @module
 */

import type { Answer } from "../protocols/protocol.ts";

/** An answer, and whether the connection served a call after it. */
export interface SeenAnswer extends Answer {
  served: boolean;
}

/** The mark of an expected frame of which only the beginning is told. */
const AND_SO_ON = "…";

const SERVED = "a call is served after it";

function frameMatches(expected: string, seen: string): boolean {
  return expected.endsWith(AND_SO_ON)
    ? seen.startsWith(expected.slice(0, -AND_SO_ON.length))
    : seen === expected;
}

/** Whether frames and close are those of the answer; it says nothing of a call after it. */
export function answerMatches(expected: Answer, seen: Answer): boolean {
  const { frames, close } = expected;
  return frames.length === seen.frames.length &&
    frames.every((frame, index) => frameMatches(frame, seen.frames[index]!)) &&
    close?.code === seen.close?.code && close?.reason === seen.close?.reason;
}

/** Whether one of the answers is what was seen, and the connection, where it stayed open, served a call. */
export function isRight(expected: readonly Answer[], seen: SeenAnswer): boolean {
  return expected.some((answer) => answerMatches(answer, seen)) &&
    (seen.close !== null || seen.served);
}

/** The answers in words; those that end alike together. */
export function describeExpected(expected: readonly Answer[]): string {
  const endOf = ({ close }: Answer) => describeClose(close) ?? SERVED;
  const ends = [...new Set(expected.map(endOf))];
  return ends.map((end) => {
    const alike = expected.filter((answer) => endOf(answer) === end);
    return `${
      [...new Set(alike.map(({ frames }) => describeFrames(frames)))].join(" or ")
    }; ${end}`;
  }).join(" — or ");
}

/** What was seen, in the same words. */
export function describeSeen(seen: SeenAnswer): string {
  const end = seen.served ? SERVED : "a call after it is not served";
  return `${describeFrames(seen.frames)}; ${describeClose(seen.close) ?? end}`;
}

function describeFrames(frames: readonly string[]): string {
  return frames.length === 0 ? "no frame" : frames.map((frame) => `[${frame}]`).join(" ");
}

function describeClose(close: Answer["close"]): string | null {
  return close === null ? null : `close ${close.code} ${close.reason}`.trim();
}
