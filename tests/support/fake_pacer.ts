import type { Clock } from "../../lib/client/clock.ts";
import type { Pacer } from "../../lib/load/pacer.ts";

/** A pacer on a fake clock, on time to the nanosecond unless it is told to be late. */
export function createFakePacer(
  clock: Clock,
  { lateMs = (_nth: number) => 0 }: {
    /** How much too late its wake-up is for the Nth time, from 0, in milliseconds. */
    lateMs?: (nth: number) => number;
  } = {},
): Pacer {
  return {
    pace({ next, onDue, onEnd }) {
      let nth = 0;
      let isOver = false;
      let cancel = () => {};
      let dueNs = next();
      const go = () => {
        while (!isOver && dueNs !== null && dueNs <= clock.nowNs()) {
          const nowDueNs = dueNs;
          dueNs = next();
          nth++;
          onDue(nowDueNs);
        }
        if (isOver) return;
        if (dueNs === null) return onEnd();
        cancel = clock.after((dueNs - clock.nowNs()) / 1e6 + lateMs(nth), go);
      };
      go();
      return () => {
        isOver = true;
        cancel();
      };
    },
    idle() {},
    [Symbol.dispose]() {},
  };
}
