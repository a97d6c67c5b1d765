import type { Better, Fact } from "../schema.ts";
import { median } from "../stats/median.ts";
import { describeCourse, driftOf, endsOf, type Slowdown, slowdownOf } from "../stats/trend.ts";

/** The headline of a scenario over the epochs. */
export interface HeadlineCourse {
  epochs: readonly number[];
  better: Better;
  /**
   * By epoch, the ratio of its call times to those on the null server in the same blocks, which
   * cancels what the machine does to both. `null` without a floor.
   */
  overFloor: readonly number[] | null;
}

/**
 * Ratios of a case's medians to those of its floor by epoch; `null` without a floor. The floor is
 * smoothed over three epochs, as trends of the machine are slower than its noise.
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

/** Smaller changes of the machine are within the interval. */
const MACHINE_CHANGE = 1.5;
/** Less strict than for the slowdown itself, which must be significant too. */
const OVER_FLOOR_SIGNIFICANCE = 0.15;

/**
 * Slowdown of the server over the epochs, from all scenarios with a floor. `null` if there is none,
 * or if the floor slowed down by more than half as much, which makes it the machine's.
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
 * Reports a headline that changed over the epochs: `drift` if the server slowed down, else
 * `changed`, which takes a change of 50 %, as the machine may be the cause.
 *
 * @param slowdown of the whole run
 */
export function courseFact(course: HeadlineCourse, slowdown: Slowdown | null): Fact | null {
  const { epochs, better } = course;
  const worse = better === null ? null : endsOf({ epochs, better });
  const change = driftOf(epochs) ??
    (slowdown === null || worse === null ? null : { ...worse, p: slowdown.p });
  if (change === null) return null;
  const { first, last } = change;
  const isServers = worse !== null && (slowdown ?? slowdownOfServer([course])) !== null;
  if (!isServers && Math.max(first / last, last / first) < MACHINE_CHANGE) return null;
  const kind = isServers ? "drift" : "changed";
  const [from, to] = [first, last].map((value) => String(Number(value.toPrecision(3))));
  return {
    kind,
    message: describeCourse(kind, { name: "the headline", from: from!, to: to! }),
    ...change,
  };
}
