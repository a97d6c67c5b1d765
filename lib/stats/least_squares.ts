/** What is to be fitted: residuals of a few parameters, and how they change with each. */
export interface LeastSquaresProblem {
  /** `null` where the parameters make no sense. */
  residuals(parameters: readonly number[]): Float64Array | null;
  /** For each parameter, the derivative of every residual by it. */
  jacobian(parameters: readonly number[]): readonly Float64Array[];
}

/** The best that was found. */
export interface LeastSquaresFit {
  parameters: number[];
  sumOfSquares: number;
}

const MAX_STEPS = 200;
/** The step from where on the sum of squares has no better neighbour, relative to the sum. */
const NO_PROGRESS = 1e-12;
const FIRST_DAMPING = 1e-3;
/** With more damping than this a step is too small to change anything. */
const MAX_DAMPING = 1e8;

/**
 * The parameters with the least sum of squared residuals, from a start near enough, by Levenberg's and
 * Marquardt's method: Gauss-Newton steps, each damped until it leads downhill, with the damping of each
 * parameter in its own scale (D. Marquardt, An Algorithm for Least-Squares Estimation of Nonlinear
 * Parameters, 1963).
 *
 * @throws {RangeError} if the start makes no sense
 */
export function minimiseSquares(
  start: readonly number[],
  problem: LeastSquaresProblem,
): LeastSquaresFit {
  let parameters = [...start];
  let residuals = problem.residuals(parameters);
  if (residuals === null) throw new RangeError(`Cannot fit from a start of [${start}]`);
  let sumOfSquares = dot(residuals, residuals);
  let damping = FIRST_DAMPING;
  for (let step = 0; step < MAX_STEPS && damping < MAX_DAMPING && sumOfSquares > 0; step++) {
    const tried = stepFrom(parameters, residuals, { problem, damping });
    const better = problem.residuals(tried);
    const sum = better === null ? Infinity : dot(better, better);
    if (better === null || !(sum < sumOfSquares)) {
      damping *= 4;
      continue;
    }
    const isDone = sumOfSquares - sum <= NO_PROGRESS * sumOfSquares;
    [parameters, residuals, sumOfSquares, damping] = [tried, better, sum, damping / 8];
    if (isDone) break;
  }
  return { parameters, sumOfSquares };
}

function stepFrom(
  parameters: readonly number[],
  residuals: Float64Array,
  { problem, damping }: { problem: LeastSquaresProblem; damping: number },
): number[] {
  const columns = problem.jacobian(parameters);
  const normal = columns.map((one, row) =>
    columns.map((other, column) => dot(one, other) * (row === column ? 1 + damping : 1))
  );
  const change = solveLinear(normal, columns.map((column) => -dot(column, residuals)));
  return parameters.map((value, index) => value + change[index]!);
}

/** Solves a small system by Gauss's elimination with the largest pivot of each column; overwrites both. */
function solveLinear(matrix: number[][], right: number[]): number[] {
  const size = right.length;
  for (let column = 0; column < size; column++) {
    let pivot = column;
    for (let row = column + 1; row < size; row++) {
      if (Math.abs(matrix[row]![column]!) > Math.abs(matrix[pivot]![column]!)) pivot = row;
    }
    [matrix[column], matrix[pivot]] = [matrix[pivot]!, matrix[column]!];
    [right[column], right[pivot]] = [right[pivot]!, right[column]!];
    for (let row = column + 1; row < size; row++) {
      const factor = matrix[row]![column]! / matrix[column]![column]!;
      for (let at = column; at < size; at++) matrix[row]![at]! -= factor * matrix[column]![at]!;
      right[row]! -= factor * right[column]!;
    }
  }
  const solution = new Array<number>(size).fill(0);
  for (let row = size - 1; row >= 0; row--) {
    let sum = right[row]!;
    for (let at = row + 1; at < size; at++) sum -= matrix[row]![at]! * solution[at]!;
    solution[row] = sum / matrix[row]![row]!;
  }
  return solution;
}

function dot(one: Float64Array, other: Float64Array): number {
  let sum = 0;
  for (let index = 0; index < one.length; index++) sum += one[index]! * other[index]!;
  return sum;
}
