import type { Clock } from "../../lib/client/clock.ts";
import type { Pacer } from "../../lib/load/pacer.ts";

/**
 * A pacer on a fake clock.
 *
 * @param options `lateMs` is how late the wake-up for the Nth slot is, from 0. Default: on time.
 */
export function createFakePacer(
  clock: Clock,
  { lateMs = () => 0 }: { lateMs?: (nth: number) => number } = {},
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
