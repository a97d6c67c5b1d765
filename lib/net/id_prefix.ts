import type { Protocol } from "../contract.ts";

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
 */
export function newIdPrefix(ids: Protocol["ids"]): string {
  const nth = ++connectionCount;
  return ids === "text" ? `${RUN_ID}-${nth}-` : String(FIRST_NUMBER + (RUN_NUMBER + nth) % NUMBERS);
}
