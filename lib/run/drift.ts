import type { Better, Fact } from "../schema.ts";
import { median } from "../stats/median.ts";
import { driftOf, endsOf, type Slowdown, slowdownOf } from "../stats/trend.ts";

/** The headline of a scenario over the epochs. */
export interface HeadlineCourse {
  epochs: readonly number[];
  better: Better;
  /**
   * How many times as long as on the server that does nothing its calls took, in the same blocks, by epoch: what
   * the machine does to both is not in it. `null`: there is no such floor.
   */
  overFloor: readonly number[] | null;
}

/**
 * The ratio of a case's medians to those of its floor by epoch, of which each is that of three epochs: the machine's
 * trend is slower than its noise. `null`: there is no such floor.
 */
export function overFloor(
  own: readonly (number | null)[],
  floor: readonly (number | null)[],
): number[] | null {
  const ratios = own.flatMap((ns, epoch) => {
    const near = floor.slice(Math.max(0, epoch - 1), epoch + 2).flatMap((one) =>
      one ? Math.log(one) : []
    );
    return ns === null || near.length === 0 ? [] : ns / Math.exp(median(near));
  });
  return ratios.length === 0 ? null : ratios;
}

/** A machine that changes by less is in the interval, which is made for such: see `marginOf`. */
const MACHINE_CHANGE = 1.5;
/** That the server is slower than the floor need not be as certain as that it has slowed down at all. */
const OVER_FLOOR_SIGNIFICANCE = 0.15;

/**
 * What the server has lost over the epochs, by all scenarios with a floor; `null`: nothing, or the floor has lost more
 * than half of it too, so that it is the machine's.
 */
export function slowdownOfServer(courses: readonly HeadlineCourse[]): Slowdown | null {
  const held = courses.filter(({ overFloor }) => overFloor !== null);
  const slowdown = slowdownOf(
    held.flatMap(({ epochs, better }) => better === null ? [] : { epochs, better }),
  );
  const overFloor = slowdownOf(
    held.map((one) => ({ epochs: one.overFloor!, better: "lower" })),
    OVER_FLOOR_SIGNIFICANCE,
  );
  if (slowdown === null || overFloor === null) return null;
  return overFloor.ratio >= Math.sqrt(slowdown.ratio) ? slowdown : null;
}

/**
 * What there is to say of a headline that has no one value, as it changed over the epochs: `drift` where the server
 * has slowed down, else `changed`, which may be the machine's doing and takes a change by half.
 *
 * @param slowdown that of the whole run
 */
export function courseFact(course: HeadlineCourse, slowdown: Slowdown | null): Fact | null {
  const { epochs, better } = course;
  const worse = better === null ? null : endsOf({ epochs, better });
  const change = driftOf(epochs) ??
    (slowdown === null || worse === null ? null : { ...worse, p: slowdown.p });
  if (change === null) return null;
  const isServers = worse !== null && (slowdown ?? slowdownOfServer([course])) !== null;
  const times = Math.max(change.first / change.last, change.last / change.first);
  if (!isServers && times < MACHINE_CHANGE) return null;
  const [from, to] = [change.first, change.last].map((value) => Number(value.toPrecision(3)));
  const advice = isServers
    ? "restart the server, or measure it at the same age each time"
    : "the machine or the server changed meanwhile";
  return {
    kind: isServers ? "drift" : "changed",
    message:
      `the headline went from ${from} to ${to} in the course of the run, so that there is no one number: ${advice}`,
    ...change,
  };
}
