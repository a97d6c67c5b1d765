import type { ShardPlace } from "../schema.ts";
import type { Protocol } from "../protocols/protocol.ts";

/** Numbers the connections of this process, so that request ids are unique across them. */
let connectionCount = 0;

/** Sets request ids apart from those of other runs: some servers answer a re-used id from a cache. */
const RUN_ID = crypto.randomUUID().slice(0, 8);

/**
 * What the request ids of a new connection begin with; the number of the call follows. Where ids are
 * numbers, nothing: they are unique within the connection alone, as the protocols want, and small, as not
 * every server holds more than 32 bits of one.
 *
 * @param shard no two shards of a run have ids of text in common
 */
export function newIdPrefix(ids: Protocol["ids"], shard?: ShardPlace): string {
  if (ids === "number") return "";
  return `${RUN_ID}-${shard === undefined ? "" : `s${shard.index}-`}${++connectionCount}-`;
}

/** The number in the id of a first call: lower ones are for what else a session asks for (mcp.ts). */
export function firstIdNumber(ids: Protocol["ids"]): number {
  return ids === "number" ? 11 : 1;
}

/** What a call says. */
export interface Message {
  readonly tool: string;
  /** A JSON text. */
  readonly argsJson: string;
}

/** An id in either form, digits alone, that nothing else in a message is likely to be. */
const PLACEHOLDER = "987654321987654";

/**
 * Writes calls as the protocol has it. What is the same in all calls of one message object is written only
 * once, since most runs make one and the same call again and again.
 */
export class CallEncoder {
  readonly #protocol: Protocol;
  /** The last message, and what is before and after the id in it; `null`: it has not come twice in a row. */
  #message: Message | null = null;
  #head: string | null = null;
  #tail = "";

  constructor(protocol: Protocol) {
    this.#protocol = protocol;
  }

  /** The same text as that of the protocol's `encodeCall`, for ids as connections make them. */
  encode(id: string, message: Message): string {
    const { tool, argsJson } = message;
    if (message !== this.#message) {
      this.#message = message;
      this.#head = null;
    } else if (this.#head !== null) return this.#head + id + this.#tail;
    else {
      const parts = this.#protocol.encodeCall(PLACEHOLDER, tool, argsJson).split(PLACEHOLDER);
      if (parts.length === 2) [this.#head, this.#tail] = parts as [string, string];
    }
    return this.#protocol.encodeCall(id, tool, argsJson);
  }
}
