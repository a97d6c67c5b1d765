import { createHash } from "node:crypto";
import { BoundedCache } from "./bounded_cache.ts";
import type { ToolAnswer } from "./dispatch.ts";
import { isObject } from "./messages.ts";
import { stripToolSuffix } from "./tool_name.ts";
import type { ToolArguments } from "./tools.ts";

/** A reply kept under its request id, with the connection that it went to. */
export interface RememberedReply {
  frame: string;
  connection: number;
  sentAtMs: number;
}

/** Outputs kept under their call's key. */
export interface CachedResult {
  outputsJson: string;
  computedAtMs: number;
}

/** For how long the cache of results answers a repeated call. */
export const RESULT_LIFETIME_MS = 60_000;

/** Entries of a cache: it holds at most twice as many. */
const CACHE_SIZE = 1024;

/** What is longer is not remembered, so that each cache stays within 8 MiB. */
const MAX_CHARACTERS = 4096;

/** What the server remembers of calls, on all connections together. */
export class CallMemory {
  readonly #replies = new BoundedCache<RememberedReply>(CACHE_SIZE);
  readonly #results = new BoundedCache<CachedResult>(CACHE_SIZE);
  /** Heavy calls under way, by their key. */
  readonly running: Map<string, Promise<ToolAnswer>> = new Map();
  /** The request ids, as JSON, of heavy calls under way. */
  readonly runningIds: Set<string> = new Set();

  reply(idJson: string): RememberedReply | undefined {
    return this.#replies.get(idJson);
  }

  rememberReply(idJson: string, reply: RememberedReply): void {
    if (idJson === "null" || reply.frame.length > MAX_CHARACTERS) return;
    this.#replies.set(idJson, reply);
  }

  result(key: string, nowMs: number): CachedResult | undefined {
    const result = this.#results.get(key);
    return result && nowMs - result.computedAtMs < RESULT_LIFETIME_MS ? result : undefined;
  }

  rememberResult(key: string, result: CachedResult): void {
    if (result.outputsJson.length <= MAX_CHARACTERS) this.#results.set(key, result);
  }
}

/**
 * The same text for calls of the same tool with the same arguments, in whatever order they come.
 *
 * @throws {RangeError} If the arguments are nested too deeply to be written as JSON.
 */
export function callKey(tool: string, args: ToolArguments): string {
  const key = `${stripToolSuffix(tool)} ${JSON.stringify(args, sortKeys)}`;
  return key.length <= 256 ? key : createHash("sha256").update(key).digest("base64");
}

function sortKeys(_key: string, value: unknown): unknown {
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1));
}
