import type { ShardPlace } from "../schema.ts";
import type { Protocol } from "../protocols/protocol.ts";

/** Numbers the connections of this process, so that request ids are unique across them. */
let connectionCount = 0;

/** Sets request ids apart from those of other runs: some servers answer a re-used id from a cache. */
const RUN_ID = crypto.randomUUID().slice(0, 8);

/** Of six digits, so that with the number of a call behind it the whole is exact as a double. */
const FIRST_NUMBER = 100_000;
const NUMBERS = 900_000;
const RUN_NUMBER = crypto.getRandomValues(new Uint32Array(1))[0]! % NUMBERS;

/**
 * What the request ids of a new connection begin with; the number of the call follows.
 *
 * @param ids as the protocol has it: see `Protocol.ids`. Of numbers there are 900,000, then they come again.
 * @param shard deals the numbers out, so that no two shards of a run have the same
 */
export function newIdPrefix(ids: Protocol["ids"], shard?: ShardPlace): string {
  const nth = ++connectionCount;
  if (ids === "text") return `${RUN_ID}-${shard === undefined ? "" : `s${shard.index}-`}${nth}-`;
  const number = shard === undefined ? RUN_NUMBER + nth : shard.index + shard.count * nth;
  return String(FIRST_NUMBER + number % NUMBERS);
}
