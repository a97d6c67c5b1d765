/**
 * What one user does on a connection: patterns of calls, with time to think after each.
 *
 * @module
 */

import type { Call } from "../client/call.ts";
import type { Clock } from "../client/clock.ts";
import type { Connection, Message } from "../client/connection.ts";
import { drawNormal, type RandomStream } from "../stats/random.ts";
import { wait } from "./pace.ts";

/** A time that is drawn anew each time, in milliseconds; of the log-normal one half are under the median. */
export type Duration =
  | { kind: "constant"; ms: number }
  | { kind: "exponential"; meanMs: number }
  | { kind: "logNormal"; medianMs: number; sigma: number };

/** What follows a call that was not served: the next step, the end of the session, or the same call again. */
export const ON_ERROR = ["continue", "end", "retry"] as const;
/** A call of a tool, and the time to think after it. */
export interface StepSpec {
  tool: string;
  /** JSON text, possibly with `{seq}`, `{unique}` and `{previous.path}` in its strings. */
  argsJson: string;
  think: Duration;
  /** `null`: that of the run. */
  timeoutMs: number | null;
  onError: typeof ON_ERROR[number];
}

/** Steps that follow each other; chosen as often as the weight says, next to the others. */
export interface PatternSpec<S extends StepSpec = StepSpec> {
  name: string;
  weight: number;
  steps: readonly S[];
}

/** A session from its beginning to its end, as data. */
export interface SessionSpec<S extends StepSpec = StepSpec> {
  /** Once, after the handshake. */
  begin: readonly S[];
  patterns: readonly PatternSpec<S>[];
  /** It leaves after so many patterns, or after this time, whichever is first; `null`: not by this. */
  lasts: { patterns: number | null; time: Duration | null };
}

/** A step whose call can be made. */
export interface Step extends StepSpec {
  message: () => Message;
}

/** Draws a time, in milliseconds. */
export function drawDuration(duration: Duration, random: RandomStream): number {
  switch (duration.kind) {
    case "constant":
      return duration.ms;
    case "exponential":
      return -Math.log(1 - random()) * duration.meanMs;
    case "logNormal":
      return duration.medianMs * Math.exp(duration.sigma * drawNormal(random));
    default:
      return duration satisfies never;
  }
}

/** The mean of a time, in milliseconds; of a log-normal one m exp(sigma² / 2). */
export function meanDuration(duration: Duration): number {
  switch (duration.kind) {
    case "constant":
      return duration.ms;
    case "exponential":
      return duration.meanMs;
    case "logNormal":
      return duration.medianMs * Math.exp(duration.sigma ** 2 / 2);
    default:
      return duration satisfies never;
  }
}

/** The mean time that a session thinks for each call of its patterns, in milliseconds. */
export function meanThinkMs({ patterns }: SessionSpec): number {
  let [calls, thinkMs] = [0, 0];
  for (const { weight, steps } of patterns) {
    calls += weight * steps.length;
    for (const { think } of steps) thinkMs += weight * meanDuration(think);
  }
  return thinkMs / calls;
}

/** After a failure a call is made so many times more, where that is asked for. */
const RETRIES = 2;
/** Alone in a string, which then becomes the value itself, or a part of one. */
const PREVIOUS = /"\{previous\.([^{}"\\]+)\}"|\{previous\.([^{}"\\]+)\}/g;

/** Do arguments refer to the result before? */
export function usesPrevious(argsJson: string): boolean {
  return argsJson.search(PREVIOUS) >= 0;
}

/**
 * Fills in each `{previous.path}`: the value at that path of the reply before, whose parts are names and places
 * in lists, separated by dots. A text on the way is read as JSON. `null`: the reply has no such value.
 */
export function fillPrevious(argsJson: string, reply: string | null): string | null {
  let isWhole = true;
  const filled = argsJson.replaceAll(PREVIOUS, (_, alone?: string, part?: string) => {
    const value = valueAt(reply ?? "", (alone ?? part)!);
    if (value === undefined) isWhole = false;
    if (alone !== undefined) return JSON.stringify(value) ?? "null";
    const text = typeof value === "string" ? value : JSON.stringify(value) ?? "";
    return JSON.stringify(text).slice(1, -1);
  });
  return isWhole ? filled : null;
}

function valueAt(text: string, path: string): unknown {
  let value: unknown = text;
  for (const part of path.split(".")) {
    try {
      if (typeof value === "string") value = JSON.parse(value);
    } catch {
      return undefined;
    }
    const isThere = typeof value === "object" && value !== null && Object.hasOwn(value, part);
    value = isThere ? (value as Record<string, unknown>)[part] : undefined;
  }
  return value;
}

/** What a session is run with. */
export interface SessionOptions {
  spec: SessionSpec<Step>;
  random: RandomStream;
  clock: Clock;
  /** Ends it: the call under way is let finish, and no other is made. */
  signal: AbortSignal;
  /** Of calls that have none of their own, in milliseconds. */
  timeoutMs: number;
  /** Hears of each frame that came, as text. */
  onFrame: (text: string) => void;
  /** Hears of the end of each call, and what was sent. */
  onCall: (call: Call, message: Message) => void;
  /** Hears how late each time to think ended, in nanoseconds. */
  onWake: (lateNs: number) => void;
  /** Hears of a step that was left out, as the reply before had nothing at a path that it names. */
  onUnfilled: (step: Step) => void;
}

/**
 * Works through patterns on a connection, which it leaves open. Never rejects for what the server does.
 *
 * @returns `left`: it came to its end, or was told to leave; `lost`: its connection is gone
 */
export async function runSession(
  connection: Connection,
  options: SessionOptions,
): Promise<"left" | "lost"> {
  const { spec: { begin, lasts, patterns }, random, clock, signal } = options;
  let frame = "";
  /** Of the call before; others may come while the session thinks. */
  let reply: string | null = null;
  let timeoutMs = options.timeoutMs;
  connection.onFrame((text) => {
    frame = text;
    options.onFrame(text);
  });
  const total = patterns.reduce((sum, { weight }) => sum + weight, 0);
  const pick = () => {
    let left = random() * total;
    return patterns.find(({ weight }) => (left -= weight) < 0) ?? patterns[0]!;
  };

  /** `false`: the session is over. */
  async function take(step: Step): Promise<boolean> {
    for (let tries = 0;; tries++) {
      if (signal.aborted || !connection.isOpen) return false;
      const { tool, argsJson } = step.message();
      const filled = usesPrevious(argsJson) ? fillPrevious(argsJson, reply) : argsJson;
      let isServed = false;
      if (filled === null) options.onUnfilled(step);
      else {
        const ownMs = step.timeoutMs ?? options.timeoutMs;
        if (ownMs !== timeoutMs) connection.useTimeout(timeoutMs = ownMs);
        const message = { tool, argsJson: filled };
        const call = await connection.call(message);
        reply = call.status === "timeout" ? null : frame;
        options.onCall(call, message);
        isServed = call.status === "ok";
      }
      await think(drawDuration(step.think, random));
      const isLeaving = !isServed && step.onError === "end";
      if (isLeaving || signal.aborted || !connection.isOpen) return false;
      if (isServed || step.onError !== "retry" || tries >= RETRIES) return true;
    }
  }

  async function think(milliseconds: number): Promise<void> {
    // Not before the next turn of the loop either: a session must not keep the others from their replies.
    const dueNs = clock.nowNs() + milliseconds * 1e6;
    await wait(milliseconds, { clock, signal });
    if (!signal.aborted) options.onWake(clock.nowNs() - dueNs);
  }

  function* steps() {
    yield* begin;
    const lastsMs = lasts.time === null ? Infinity : drawDuration(lasts.time, random);
    const endNs = clock.nowNs() + lastsMs * 1e6;
    const most = lasts.patterns ?? Infinity;
    for (let nth = 0; nth < most && clock.nowNs() < endNs; nth++) yield* pick().steps;
  }

  for (const step of steps()) {
    if (!await take(step)) break;
  }
  const end = connection.isOpen ? "left" : "lost";
  connection.onFrame(null);
  return end;
}
