/** A call by when it was due; of one that failed the latency is infinite. Nanoseconds. */
export interface DueCall {
  dueNs: number;
  latencyNs: number;
}

/** So many calls in a row are as before, but for this many of them: a p99. */
const IN_A_ROW = 100;
const MAY_BE_OVER = 1;

/** The p99 of so many calls, in nanoseconds, by nearest rank however few; 0 of none. */
export function p99Of(calls: readonly DueCall[]): number {
  const times = calls.map(({ latencyNs }) => latencyNs).sort((a, b) => a - b);
  return times[Math.ceil(times.length * 0.99) - 1] ?? 0;
}

/**
 * When the p99 is within a limit again: the due time of the first call from which on 100 in a row, but for one,
 * are within it, or as many as there are left where the end is near; `null`: it never is.
 *
 * @param calls in the order in which they were due
 */
export function recoveredNs(calls: readonly DueCall[], limitNs: number): number | null {
  const isOver = (nth: number) => calls[nth]!.latencyNs > limitNs ? 1 : 0;
  const length = Math.min(IN_A_ROW, calls.length);
  let over = 0;
  for (let nth = 0; nth < length; nth++) over += isOver(nth);
  for (let first = 0; first + length <= calls.length && length > 0; first++) {
    if (over <= MAY_BE_OVER && !isOver(first)) return calls[first]!.dueNs;
    over -= isOver(first);
    if (first + length < calls.length) over += isOver(first + length);
  }
  return null;
}
