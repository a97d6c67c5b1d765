import { createHash } from "node:crypto";
import { BoundedCache } from "./bounded_cache.ts";
import type { ToolAnswer } from "./dispatch.ts";
import { isObject } from "./messages.ts";
import { stripToolSuffix } from "./tool_name.ts";
import type { ToolArguments } from "./tools.ts";

/** A reply kept by its request id; `connection` is the number of the connection it went to. */
export interface RememberedReply {
  frame: string;
  connection: number;
  sentAtMs: number;
}

/** Outputs kept by the key of their call. */
export interface CachedResult {
  outputsJson: string;
  computedAtMs: number;
}

/** Lifetime of a cached result. */
const RESULT_LIFETIME_MS = 60_000;

/** Minimum entries that a cache keeps; the maximum is twice as many. */
const CACHE_SIZE = 1024;

/** Longer replies and results are not kept, which bounds each cache to 8 Mi characters. */
const MAX_CHARACTERS = 4096;

/** What the server remembers of the calls on all its connections. */
export class CallMemory {
  readonly #replies = new BoundedCache<RememberedReply>(CACHE_SIZE);
  readonly #results = new BoundedCache<CachedResult>(CACHE_SIZE);
  /** Heavy calls in progress, by key. */
  readonly running: Map<string, Promise<ToolAnswer>> = new Map();
  /** Request ids, as JSON, of heavy calls in progress. */
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
 * A key that is equal for calls of the same tool with the same arguments in any order.
 *
 * @throws {RangeError} If the arguments are nested too deeply for JSON.
 */
export function callKey(tool: string, args: ToolArguments): string {
  const key = `${stripToolSuffix(tool)} ${JSON.stringify(args, sortKeys)}`;
  return key.length <= 256 ? key : createHash("sha256").update(key).digest("base64");
}

function sortKeys(_key: string, value: unknown): unknown {
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1));
}
