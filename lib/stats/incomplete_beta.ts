/** Replaces a zero denominator or numerator of the continued fraction. */
const TINY = 1e-300;
const PRECISION = 1e-15;
const MAX_TERMS = 10_000;
/** Six terms of Stirling's series. */
const STIRLING = [1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360];
/** From here on they are accurate to 1e-14. */
const STIRLING_FROM = 10;

/**
 * The regularised incomplete beta function I_x(a, b), the distribution function of the beta
 * distribution. The tails of the t and the binomial distribution are values of it.
 *
 * Uses the continued fraction of the NIST Digital Library of Mathematical Functions, 8.17.22,
 * evaluated by Lentz's method as modified by Thompson and Barnett (1986), and the symmetry 8.17.4
 * where it converges slowly.
 *
 * @param x from 0 to 1; `a` and `b` are above 0
 */
export function regularisedBeta(x: number, a: number, b: number): number {
  if (x === 0 || x === 1) return x;
  if (x > (a + 1) / (a + b + 2)) return 1 - regularisedBeta(1 - x, b, a);
  const front = a * Math.log(x) + b * Math.log1p(-x) +
    logGamma(a + b) - logGamma(a) - logGamma(b);
  return Math.exp(front) / (a * continuedFraction(x, a, b));
}

/** 1 + d1/(1 + d2/(1 + …)) with the coefficients of 8.17.23. */
function continuedFraction(x: number, a: number, b: number): number {
  const nonZero = (value: number) => Math.abs(value) < TINY ? TINY : value;
  let [value, numerator, denominator] = [1, 1, 0];
  for (let term = 1; term <= MAX_TERMS; term++) {
    const m = term >> 1;
    const coefficient = term % 2 === 0
      ? m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
      : -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    denominator = 1 / nonZero(1 + coefficient * denominator);
    numerator = nonZero(1 + coefficient / numerator);
    const factor = numerator * denominator;
    value *= factor;
    if (Math.abs(factor - 1) < PRECISION) break;
  }
  return value;
}

/** ln Γ(x) for x > 0: Stirling's series (NIST DLMF 5.11.1), with x raised by Γ(x + 1) = x Γ(x). */
function logGamma(x: number): number {
  let raised = x;
  let product = 1;
  while (raised < STIRLING_FROM) product *= raised++;
  const inverse = 1 / raised;
  const square = inverse * inverse;
  const series = inverse * STIRLING.reduceRight((sum, term) => term + square * sum, 0);
  return (raised - 0.5) * Math.log(raised) - raised + Math.log(2 * Math.PI) / 2 + series -
    Math.log(product);
}
