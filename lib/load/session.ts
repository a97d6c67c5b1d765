/**
 * One user's behaviour on a connection: patterns of calls, with think time after each.
 *
 * @module
 */

import type { Call } from "../client/call.ts";
import type { Clock } from "../client/clock.ts";
import type { Connection, Message } from "../client/connection.ts";
import { drawNormal, type RandomStream } from "../stats/random.ts";
import { wait } from "./pace.ts";

/** A random time, drawn each time it is used. */
export type Duration =
  | { kind: "constant"; ms: number }
  | { kind: "exponential"; meanMs: number }
  | { kind: "logNormal"; medianMs: number; sigma: number };

/** What to do after a failed call: go on with the next step, end the session, or call again. */
export const ON_ERROR = ["continue", "end", "retry"] as const;

/** A tool call, and the think time after it. */
export interface StepSpec {
  tool: string;
  /** JSON text; its strings can contain `{seq}`, `{unique}` and `{previous.path}`. */
  argsJson: string;
  think: Duration;
  /** `null`: the run's timeout. */
  timeoutMs: number | null;
  onError: typeof ON_ERROR[number];
}

/** A sequence of steps. The weight is its share of all patterns drawn. */
export interface PatternSpec<S extends StepSpec = StepSpec> {
  name: string;
  weight: number;
  steps: readonly S[];
}

/** A whole session, as data. */
export interface SessionSpec<S extends StepSpec = StepSpec> {
  /** Run once, after the handshake. */
  begin: readonly S[];
  patterns: readonly PatternSpec<S>[];
  /** Limits of a session, in patterns and time; the first reached ends it. `null`: no limit. */
  lasts: { patterns: number | null; time: Duration | null };
}

/** A step with its call. */
export interface Step extends StepSpec {
  message: () => Message;
}

/** Draws a time, in milliseconds. */
export function drawDuration(duration: Duration, random: RandomStream): number {
  if (duration.kind === "constant") return duration.ms;
  if (duration.kind === "exponential") return -Math.log(1 - random()) * duration.meanMs;
  return duration.medianMs * Math.exp(duration.sigma * drawNormal(random));
}

/** The mean of a time, in milliseconds; m exp(sigma² / 2) if log-normal. */
export function meanDuration(duration: Duration): number {
  if (duration.kind === "constant") return duration.ms;
  if (duration.kind === "exponential") return duration.meanMs;
  return duration.medianMs * Math.exp(duration.sigma ** 2 / 2);
}

/** The mean think time per call of a session's patterns, in milliseconds. */
export function meanThinkMs({ patterns }: SessionSpec): number {
  let [calls, thinkMs] = [0, 0];
  for (const { weight, steps } of patterns) {
    calls += weight * steps.length;
    for (const { think } of steps) thinkMs += weight * meanDuration(think);
  }
  return thinkMs / calls;
}

const RETRIES = 2;
/** A placeholder that is the whole string becomes the value itself; within a string, its text. */
const PREVIOUS = /"\{previous\.([^{}"\\]+)\}"|\{previous\.([^{}"\\]+)\}/g;

/** True if arguments refer to the previous reply. */
export function usesPrevious(argsJson: string): boolean {
  return argsJson.search(PREVIOUS) >= 0;
}

/**
 * Replaces each `{previous.path}` with the value at that path of the previous reply: names and list
 * indices separated by dots. Strings along the path are parsed as JSON. `null`: no such value.
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

export interface SessionOptions {
  spec: SessionSpec<Step>;
  random: RandomStream;
  clock: Clock;
  /** Ends the session after the current call. */
  signal: AbortSignal;
  /** Default for steps without their own. */
  timeoutMs: number;
  /** Called for each frame received. */
  onFrame: (text: string) => void;
  /** Called when each call ends. */
  onCall: (call: Call, message: Message) => void;
  /** Called after each think time. */
  onWake: (lateNs: number) => void;
  /** Called for a step skipped because the previous reply has no value at a path that it uses. */
  onUnfilled: (step: Step) => void;
}

/**
 * Runs a session on a connection, which it leaves open. Never rejects because of the server.
 *
 * @returns `left` if it ended or was aborted, `lost` if its connection is gone
 */
export async function runSession(
  connection: Connection,
  options: SessionOptions,
): Promise<"left" | "lost"> {
  const { spec: { begin, lasts, patterns }, random, clock, signal } = options;
  let frame = "";
  /** Of the previous call; further frames may come during the think time. */
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

  /** Resolves to false once the session is over. */
  async function take(step: Step): Promise<boolean> {
    for (let tries = 0; tries <= RETRIES; tries++) {
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
      if (isServed || step.onError === "continue") return true;
      if (step.onError === "end") return false;
    }
    return true;
  }

  async function think(milliseconds: number): Promise<void> {
    // Waits for a timer even without think time, so that other sessions can read their replies.
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
