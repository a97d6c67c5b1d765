import type { ShardPlace } from "../schema.ts";
import { WHOLE } from "../load/share.ts";
import type { Message } from "../client/connection.ts";

/** Returns the message of the next call. */
export type Workload = () => Message;

/**
 * Builds the messages of a run.
 *
 * @param options.argsJson the arguments as JSON text. `{seq}` becomes the number of the call in the
 *   run, from 1; `{unique}` a text that differs for each call and each `uniqueSeed`.
 * @param options.payloadBytes size of a string to add as the argument `payload`; 0 adds none
 * @param options.next returns the next number. Default: {@linkcode callNumbers} of `place`.
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
  // The capturing group keeps the tokens as parts.
  const parts = text.split(/(\{seq\}|\{unique\})/);
  if (parts.length === 1) {
    const message = { tool, argsJson: text };
    return () => message;
  }
  return () => {
    const number = String(next());
    const unique = `${uniqueSeed.toString(16).padStart(8, "0")}-${number}`;
    const values: Record<string, string> = { "{seq}": number, "{unique}": unique };
    return { tool, argsJson: parts.map((part) => values[part] ?? part).join("") };
  };
}

/** Numbers calls from 1. A shard takes every `count`th number, so no two shards share one. */
export function callNumbers({ index, count }: ShardPlace = WHOLE): () => number {
  let seq = index - count;
  return () => seq += count;
}

/** Adds a string of `payloadBytes` as the argument `payload`. Caches only the latest message. */
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

/** Adds an argument as text, because arguments with `{seq}` are not always valid JSON. */
export function withArgument(argsJson: string, argument: string): string {
  const body = argsJson.trim().slice(1, -1).trim();
  return `{${body}${body === "" ? "" : ","}${argument}}`;
}
