/**
 * One row of a Williams design: an order of the cases 0 to `cases - 1`. Over all rows (as many as cases, twice that for
 * an odd number) each case stands at each place, and follows each other case, equally often, so that what one case does
 * to the next cancels: E. J. Williams, Experimental Designs Balanced for the Estimation of Residual Effects of
 * Treatments, Australian Journal of Scientific Research A 2 (1949).
 *
 * @param row from 0; after the last row they begin again
 * @throws {RangeError} if `cases` is not a whole number above 0, or `row` not one from 0
 */
export function williamsOrder(cases: number, row: number): number[] {
  if (!(Number.isSafeInteger(cases) && cases > 0 && Number.isSafeInteger(row) && row >= 0)) {
    throw new RangeError(`Cannot order cases: there are ${cases}, the row asked for is ${row}`);
  }
  // 0, 1, n-1, 2, n-2, …: each difference of neighbours comes once; so do all pairs over the rotations.
  const order = Array.from({ length: cases }, (_, place) => {
    const zigzag = place % 2 === 1 ? (place + 1) / 2 : cases - place / 2;
    return (zigzag + row) % cases;
  });
  // Of an odd number, half of the differences: the reversed rows have the others.
  const isReversed = cases % 2 === 1 && row % (2 * cases) >= cases;
  return isReversed ? order.reverse() : order;
}
