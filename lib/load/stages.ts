/** A linear ramp from the previous level (initially 0) to `level`; a step if the duration is 0. */
export interface Stage {
  durationMs: number;
  level: number;
}

/** What `parseStages` accepts, for error messages. */
export const STAGES_SYNTAX =
  "TIME:LEVEL stages, such as '10s:50,30s:200,10s:0', each a linear ramp to its level within its " +
  "time (0s: immediately), at most 24 h in total and not all of them 0";

const MAX_STAGES = 100;
const MAX_SPAN_MS = 86_400_000;
const MAX_LEVEL = 1e6;
const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1e3, m: 6e4, min: 6e4, h: 3.6e6 };

/**
 * Parses stages such as `10s:50,30s:200,10s:0`.
 *
 * @throws {RangeError} if they are not valid stages
 */
export function parseStages(text: string): Stage[] {
  const stages = text.split(",").map((part): Stage => {
    const [, time, unit = "s", level] =
      /^\s*(\d+(?:\.\d+)?)(ms|s|m|min|h)?\s*:\s*(\d+(?:\.\d+)?)\s*$/.exec(part) ?? [];
    if (time === undefined) throw new RangeError(`Cannot read the stage "${part.trim()}"`);
    return { durationMs: Number(time) * UNIT_MS[unit]!, level: Number(level) };
  });
  const [spanMs, peak] = [spanOf(stages), peakOf(stages)];
  if (!(spanMs > 0 && spanMs <= MAX_SPAN_MS && peak > 0 && peak <= MAX_LEVEL)) {
    throw new RangeError(`Cannot use stages that last ${spanMs / 1e3} s and reach ${peak}`);
  }
  if (stages.length > MAX_STAGES) throw new RangeError(`Cannot use ${stages.length} stages`);
  return stages;
}

/** Total duration in milliseconds. */
export function spanOf(stages: readonly Stage[]): number {
  return stages.reduce((sum, { durationMs }) => sum + durationMs, 0);
}

/** The highest level reached. */
export function peakOf(stages: readonly Stage[]): number {
  return Math.max(...stages.map(({ level }) => level));
}

function segmentsOf(stages: readonly Stage[]) {
  let [startMs, level] = [0, 0];
  return stages.map((stage) => {
    const segment = { startMs, durationMs: stage.durationMs, from: level, to: stage.level };
    startMs += stage.durationMs;
    level = stage.level;
    return segment;
  });
}

/** The level at a time since the start; after the end, the last stage's level. */
export function levelAt(stages: readonly Stage[], atMs: number): number {
  const segment = segmentsOf(stages).find(({ startMs, durationMs }) => atMs < startMs + durationMs);
  if (segment === undefined) return stages.at(-1)!.level;
  const { startMs, durationMs, from, to } = segment;
  return from + (to - from) * (atMs - startMs) / durationMs;
}

/**
 * For levels that are rates a second: returns a function that gives the time at which a number of
 * slots has fallen due, in nanoseconds from the start; `null` if there are fewer. Call it with
 * rising numbers. It turns a Poisson process of rate 1 into one of this rate (inversion; E. Çinlar,
 * Introduction to Stochastic Processes, 1975, section 4.7).
 */
export function timesOf(stages: readonly Stage[]): (slots: number) => number | null {
  const segments = segmentsOf(stages).filter(({ durationMs }) => durationMs > 0);
  let [nth, before] = [0, 0];
  return (slots) => {
    for (; nth < segments.length; nth++) {
      const { startMs, durationMs, from, to } = segments[nth]!;
      const seconds = durationMs / 1e3;
      const within = (from + to) / 2 * seconds;
      const left = slots - before;
      if (left < within * (1 - 1e-12)) {
        // The root of from t + slope t² / 2 = left, in the form that also works for slope 0.
        const slope = (to - from) / seconds;
        const root = Math.sqrt(Math.max(0, from ** 2 + 2 * slope * left));
        return startMs * 1e6 + (left === 0 ? 0 : 2 * left / (from + root) * 1e9);
      }
      before += within;
    }
    return null;
  };
}
