/**
 * Holm's adjustment for several tests at once. S. Holm, A Simple Sequentially Rejective Multiple
 * Test Procedure, Scandinavian Journal of Statistics 6 (1979).
 *
 * @module
 */

/**
 * The adjusted p of each test, in the order given: rejecting those under 0.05 keeps the chance of
 * any false rejection under 5 %.
 */
export function holmAdjust(ps: readonly number[]): number[] {
  const order = ps.map((_, index) => index).sort((a, b) => ps[a] - ps[b]);
  const adjusted = new Array<number>(ps.length);
  let floor = 0;
  order.forEach((index, rank) => {
    floor = Math.max(floor, Math.min(1, (ps.length - rank) * ps[index]));
    adjusted[index] = floor;
  });
  return adjusted;
}
