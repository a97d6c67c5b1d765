import type { Clock } from "../../lib/client/clock.ts";

/** A clock that only moves when told to. */
export interface FakeClock extends Clock {
  /** Lets time pass and runs the callbacks that fall due, each at its own time. */
  advance(milliseconds: number): void;
  /** Number of callbacks that are not yet due. */
  readonly pending: number;
}

interface Timer {
  dueNs: number;
  callback: () => void;
}

/** A clock that starts at 0 ns and at the given date. */
export function createFakeClock(date = new Date("2025-11-13T00:00:00Z")): FakeClock {
  const timers = new Set<Timer>();
  let nowNs = 0;

  function nextBy(limitNs: number): Timer | undefined {
    const due = [...timers].filter(({ dueNs }) => dueNs <= limitNs);
    return due.sort((a, b) => a.dueNs - b.dueNs)[0];
  }

  return {
    nowNs: () => nowNs,
    date: () => new Date(date.getTime() + nowNs / 1e6),
    after(milliseconds, callback) {
      const timer = { dueNs: nowNs + Math.max(0, milliseconds) * 1e6, callback };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
    advance(milliseconds) {
      const endNs = nowNs + milliseconds * 1e6;
      for (let timer = nextBy(endNs); timer !== undefined; timer = nextBy(endNs)) {
        timers.delete(timer);
        nowNs = Math.max(nowNs, timer.dueNs);
        timer.callback();
      }
      nowNs = endNs;
    },
    get pending() {
      return timers.size;
    },
  };
}
