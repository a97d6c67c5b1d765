import type { ShardPlace } from "../schema.ts";
import type { Protocol } from "../protocols/protocol.ts";

/** Numbers the connections of this process, so that request ids are unique across them. */
let connectionCount = 0;

/** Sets request ids apart from those of other runs: some servers answer a re-used id from a cache. */
const RUN_ID = crypto.randomUUID().slice(0, 8);

/** Lower numbers are left to what else a session asks for, such as to be initialised: see mcp.ts. */
const FIRST_NUMBER = 11;

/**
 * What the request ids of a new connection begin with; the number of the call follows. Where ids are
 * numbers, nothing: they are unique within the connection alone, as the protocols want, and small, as not
 * every server holds more than 32 bits of one.
 *
 * @param ids as the protocol has it: see `Protocol.ids`
 * @param shard no two shards of a run have ids of text in common
 */
export function newIdPrefix(ids: Protocol["ids"], shard?: ShardPlace): string {
  if (ids === "number") return "";
  return `${RUN_ID}-${shard === undefined ? "" : `s${shard.index}-`}${++connectionCount}-`;
}

/** The number in the id of a connection's first call. */
export function firstIdNumber(ids: Protocol["ids"]): number {
  return ids === "number" ? FIRST_NUMBER : 1;
}
