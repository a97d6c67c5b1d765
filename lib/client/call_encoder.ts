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

/**
 * Returns a function that encodes calls as the protocol's `encodeCall` does, for ids made by a
 * connection. For a repeated message object, as in most runs, it only replaces the id.
 */
export function createEncoder(protocol: Protocol): (id: string, message: Message) => string {
  let last: Message | null = null;
  /** The text before the id of the last message; `null` until that repeats. */
  let head: string | null = null;
  let tail = "";
  return (id, message) => {
    const { tool, argsJson } = message;
    if (message !== last) {
      last = message;
      head = null;
    } else if (head !== null) return head + id + tail;
    else {
      const parts = protocol.encodeCall(PLACEHOLDER, tool, argsJson).split(PLACEHOLDER);
      if (parts.length === 2) [head, tail] = parts as [string, string];
    }
    return protocol.encodeCall(id, tool, argsJson);
  };
}
