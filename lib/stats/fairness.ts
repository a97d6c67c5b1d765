/**
 * Jain's fairness index of the clients' shares: 1 if all are equal, 1/n if one of n clients got
 * everything. Defined as (sum x)^2 / (n * sum x^2) in R. Jain, D. Chiu, W. Hawe, "A Quantitative
 * Measure of Fairness and Discrimination for Resource Allocation in Shared Computer Systems",
 * DEC-TR-301, 1984.
 *
 * @param shares non-negative, in any unit, not all zero
 */
export function jainIndex(shares: readonly number[]): number {
  const sum = shares.reduce((total, share) => total + share, 0);
  const squares = shares.reduce((total, share) => total + share * share, 0);
  return sum * sum / (shares.length * squares);
}
