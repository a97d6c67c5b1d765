/**
 * One row of a Williams design: an order of the cases 0 to `cases - 1`. Over all rows (as many as
 * cases, twice that for an odd number) each case is at each position, and follows each other case,
 * equally often, so carry-over effects cancel (E. J. Williams, Experimental Designs Balanced for
 * the Estimation of Residual Effects of Treatments, Australian Journal of Scientific Research A 2,
 * 1949).
 *
 * @param row from 0; rows repeat after the last one
 */
export function williamsOrder(cases: number, row: number): number[] {
  // 0, 1, n-1, 2, n-2, …: each difference of neighbours occurs once, as do all pairs when rotated.
  const order = Array.from({ length: cases }, (_, place) => {
    const zigzag = place % 2 === 1 ? (place + 1) / 2 : cases - place / 2;
    return (zigzag + row) % cases;
  });
  // With an odd number only half of the differences occur; the reversed rows have the others.
  const isReversed = cases % 2 === 1 && row % (2 * cases) >= cases;
  return isReversed ? order.reverse() : order;
}
