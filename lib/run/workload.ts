import type { ShardPlace } from "../schema.ts";
import { WHOLE } from "../load/share.ts";
import type { Message } from "../client/connection.ts";

/** Gives the message of each call: always the same, or with the call's number in it. */
export type Workload = () => Message;

/**
 * Builds the messages of a run.
 *
 * @param options.argsJson the arguments as JSON text; every `{seq}` in it becomes the number of the call,
 *   counted over the run from 1, and every `{unique}` a text that no other call has, nor one of a run
 *   with another `uniqueSeed`
 * @param options.payloadBytes adds a string of that many bytes as the argument `payload`; 0 adds none
 * @param options.place of a shard, whose numbers are no other shard's: every `count`th from its index on
 * @param options.next gives numbers that several share; left out: its own
 */
export function createWorkload(
  tool: string,
  options: {
    argsJson: string;
    payloadBytes: number;
    uniqueSeed?: number;
    place?: ShardPlace;
    next?: () => number;
  },
): Workload {
  const { argsJson, payloadBytes, uniqueSeed = 1, next = callNumbers(options.place) } = options;
  const text = payloadBytes === 0 ? argsJson : withPayload(argsJson, payloadBytes);
  // The tokens themselves are every other part.
  const parts = text.split(/(\{seq\}|\{unique\})/);
  if (parts.length === 1) {
    const message = { tool, argsJson: text };
    return () => message;
  }
  return () => {
    const number = String(next());
    // As both the seed and the number of the call are in it, no two are the same.
    const unique = `${uniqueSeed.toString(16).padStart(8, "0")}-${number}`;
    const values: Record<string, string> = { "{seq}": number, "{unique}": unique };
    return { tool, argsJson: parts.map((part) => values[part] ?? part).join("") };
  };
}

/** The numbers of calls, from 1; a shard's are no other shard's. */
export function callNumbers({ index, count }: ShardPlace = WHOLE): () => number {
  let seq = index - count;
  return () => seq += count;
}

/**
 * The same calls with a string of that many bytes as a further argument `payload`. They are built when they
 * are asked for, and no more than one is kept.
 */
export function addPayload(workload: Workload, payloadBytes: number): Workload {
  let bare: Message | null = null;
  let message: Message;
  return () => {
    const next = workload();
    if (next !== bare) {
      bare = next;
      message = { tool: next.tool, argsJson: withPayload(next.argsJson, payloadBytes) };
    }
    return message;
  };
}

function withPayload(argsJson: string, payloadBytes: number): string {
  return withArgument(argsJson, `"payload":"${"x".repeat(payloadBytes)}"`);
}

/** Adds an argument as text, since the arguments need not be JSON before `{seq}` is filled in. */
export function withArgument(argsJson: string, argument: string): string {
  const body = argsJson.trim().slice(1, -1).trim();
  return `{${body}${body === "" ? "" : ","}${argument}}`;
}
