import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { minimiseSquares } from "../../lib/stats/least_squares.ts";

Deno.test("the minimum of Rosenbrock's valley is found from its usual start", () => {
  const { parameters, sumOfSquares } = minimiseSquares([-1.2, 1], {
    residuals: ([x, y]) => Float64Array.of(10 * (y! - x! * x!), 1 - x!),
    jacobian: ([x]) => [Float64Array.of(-20 * x!, -1), Float64Array.of(10, 0)],
  });
  for (const value of parameters) assertAlmostEquals(value, 1, 1e-6);
  assertAlmostEquals(sumOfSquares, 0, 1e-12);
});

Deno.test("a straight line that no three points lie on is that of linear regression", () => {
  const [xs, ys] = [[0, 1, 2], [0, 2, 1]];
  const { parameters, sumOfSquares } = minimiseSquares([5, -5], {
    residuals: ([a, b]) => Float64Array.from(xs, (x, index) => a! + b! * x - ys[index]!),
    jacobian: () => [Float64Array.of(1, 1, 1), Float64Array.from(xs)],
  });
  // By hand: the slope is cov / var = 1 / 2, through the means (1, 1); residuals 1/2, -1, 1/2.
  assertAlmostEquals(parameters[0]!, 0.5, 1e-9);
  assertAlmostEquals(parameters[1]!, 0.5, 1e-9);
  assertAlmostEquals(sumOfSquares, 1.5, 1e-9);
});

Deno.test("steps into where the parameters make no sense are not taken, and no start may lie there", () => {
  const logarithm = {
    residuals: ([x]: readonly number[]) => x! > 0 ? Float64Array.of(Math.log(x!)) : null,
    jacobian: ([x]: readonly number[]) => [Float64Array.of(1 / x!)],
  };
  // The first undamped step from 10 would lead to 10 - 10 ln 10 < 0.
  assertAlmostEquals(minimiseSquares([10], logarithm).parameters[0]!, 1, 1e-6);
  assertThrows(() => minimiseSquares([-1], logarithm), RangeError, "from a start of [-1]");
});

Deno.test("a start that fits already stays", () => {
  const problem = { residuals: () => Float64Array.of(0), jacobian: () => [Float64Array.of(1)] };
  assertEquals(minimiseSquares([3], problem), { parameters: [3], sumOfSquares: 0 });
});
