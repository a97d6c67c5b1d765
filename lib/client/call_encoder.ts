import type { ShardPlace } from "../schema.ts";
import type { Protocol } from "../protocols/protocol.ts";

/** Numbers this process's connections, so that request ids are unique across them. */
let connectionCount = 0;

/** Makes request ids unique to this run: some servers answer a reused id from a cache. */
const RUN_ID = crypto.randomUUID().slice(0, 8);

/**
 * The prefix of a new connection's request ids; the call's number follows. Numeric ids have none:
 * the protocols only need them unique within a connection, and some servers keep only 32 bits.
 *
 * @param shard keeps the text ids of different shards distinct
 */
export function newIdPrefix(ids: Protocol["ids"], shard?: ShardPlace): string {
  if (ids === "number") return "";
  return `${RUN_ID}-${shard === undefined ? "" : `s${shard.index}-`}${++connectionCount}-`;
}

/** Content of a call. */
export interface Message {
  readonly tool: string;
  /** A JSON text. */
  readonly argsJson: string;
}

/** Valid as a text id and as a numeric one, and unlikely to occur elsewhere in a message. */
const PLACEHOLDER = "987654321987654";

/** Encodes calls. For a repeated message object, as in most runs, only the id is replaced. */
export class CallEncoder {
  readonly #protocol: Protocol;
  /** The last message, and its text before and after the id; `null` until it repeats. */
  #message: Message | null = null;
  #head: string | null = null;
  #tail = "";

  constructor(protocol: Protocol) {
    this.#protocol = protocol;
  }

  /** Same text as the protocol's `encodeCall`, for ids made by a connection. */
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
