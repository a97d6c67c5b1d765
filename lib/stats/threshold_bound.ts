/**
 * The right-hand side of a threshold: a number with its unit.
 *
 * @module
 */

const NS_PER_UNIT = new Map([
  ["ns", 1],
  ["us", 1e3],
  ["µs", 1e3], // micro sign
  ["μs", 1e3], // Greek mu
  ["ms", 1e6],
  ["s", 1e9],
]);
const NUMBER_WITH_UNIT = /^([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)\s*(.*)$/i;

/**
 * Reads a number with its unit, and converts times to nanoseconds. Where `unit` is `ns` a unit of
 * time must be given, as a bare number could mean any; otherwise the unit may be left out, and can
 * only be `unit` itself.
 *
 * @returns the bound in `unit`
 * @throws {SyntaxError} if it is no number, or in another unit
 */
export function parseBound(text: string, unit: string): number {
  const [, digits, given] = NUMBER_WITH_UNIT.exec(text) ?? [];
  if (digits === undefined) throw new SyntaxError(`"${text}" is not a number with a unit`);
  const number = Number(digits);
  if (unit !== "ns") {
    if (given === "" || given === unit) return number;
    const accepted = unit === "" ? "a number without a unit" : `${unit}, or no unit`;
    throw new SyntaxError(`the unit "${given}" does not fit: accepted is ${accepted}`);
  }
  const nsPerUnit = NS_PER_UNIT.get(given);
  if (nsPerUnit !== undefined) return number * nsPerUnit;
  const wrong = given === "" ? "a time needs a unit" : `"${given}" is not a unit of time`;
  throw new SyntaxError(`${wrong}: accepted are ns, us, µs, ms and s`);
}
