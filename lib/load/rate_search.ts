import type { Judgement, Verdict } from "./objective.ts";

/** Rates come from the E96 series of preferred numbers (IEC 60063): 96 a decade, 2.4 % apart. */
const PER_DECADE = 96;
/** About a factor of two, in places. */
const DOUBLING = 29;
/** Runs that must miss a rate: one hiccup of the machine should not decide. */
const MISSES = 2;
/** A run that achieved less than this share of the offered rate missed it clearly. */
const CLEAR_SHARE = 0.9;
/** A run with fewer answers says nothing about capacity: any pause may have ended it early. */
const FEWEST_ANSWERS = 50;
/** How often a run without a verdict is repeated, and how many of them end the search. */
const REPEATS = 2;
const MOST_UNDECIDED = 15;

/** The rate at a place in the series, such as 100, 102, 105, 107, 110 for 192 to 196. */
export function rateAt(place: number): number {
  return Number((10 ** (place / PER_DECADE)).toPrecision(3));
}

/** The place of the highest rate in the series that does not exceed this one. */
export function placeOf(ratePerSecond: number): number {
  const place = Math.round(PER_DECADE * Math.log10(ratePerSecond));
  return rateAt(place) <= ratePerSecond ? place : place - 1;
}

/** The levels that a search can try, in rising order of their places. */
export interface LevelSeries {
  at: (place: number) => number;
  /** The place of the highest level that does not exceed this one. */
  placeOf: (level: number) => number;
}

/** Whole numbers: all of them up to 41, then spaced like rates. Places start at 1. */
export function wholeNumbers(highest: number): LevelSeries {
  const numbers = [0];
  for (let place = 0; numbers.at(-1)! < highest; place++) {
    const next = Math.round(rateAt(place));
    if (next > numbers.at(-1)!) numbers.push(next);
  }
  return {
    at: (place) => numbers[place]!,
    placeOf: (level) => numbers.findLastIndex((number) => number <= level),
  };
}

/** What a search needs of a run at one level. The level is called a rate, whatever it counts. */
export interface Trial {
  verdict: Verdict;
  misses: readonly { kind: string }[];
  ratePerSecond: number;
  /** True for the longer runs, whose verdict is final. */
  confirms: boolean;
  offeredPerSecond: number;
  achievedPerSecond: number;
  /** Successes. */
  answered: number;
  /** The server enforces a limit, and the run reached it. */
  isCapped?: boolean;
  /** The run clearly missed. Default: judged by what it achieved. */
  isClear?: boolean;
}

/** One run at one rate. */
export type RateTrial = Trial & Judgement;

/** Where to search, and how to try a rate. */
export interface RateSearchOptions<T extends Trial = RateTrial> {
  /** Default: rates in calls a second, from the E96 series. */
  series?: LevelSeries;
  first: number;
  lowest: number;
  highest: number;
  /** Runs one trial; those that confirm are longer. */
  run: (ratePerSecond: number, options: { confirms: boolean }) => Promise<T>;
  /** Returns false to end the search with what has been confirmed. Default: always true. */
  mayGoOn?: () => boolean;
}

/** What kept the rate from being higher. */
export type RateLimit =
  /** The server missed this rate, the lowest tried above the sustained one. */
  | { kind: "server"; missedPerSecond: number }
  /** The client was late in every run at this rate, the lowest tried above the sustained one. */
  | { kind: "client"; latePerSecond: number }
  /** Nothing: the highest rate of the search was met. */
  | { kind: "highest" }
  /** The server closed every connection or fell silent at this rate. */
  | { kind: "gone"; ratePerSecond: number };

export interface RateSearchResult<T extends Trial = RateTrial> {
  /** The highest confirmed rate; `null`: none was confirmed. */
  sustainedPerSecond: number | null;
  /** Share of the runs with a verdict that met the sustained rate; `null`: none confirmed. */
  metShare: number | null;
  limit: RateLimit;
  /** All runs, in order. */
  trials: T[];
}

/**
 * Finds the highest rate that a server sustains. Short runs double or halve the rate until one is
 * met and one is not, then bisect to neighbours in the series. Longer runs, which confirm, then do
 * the same from there in small steps: near its capacity, a server with random arrivals meets some
 * short runs and misses others.
 *
 * Once a server has achieved less than it was offered, the most that any run achieved is its
 * capacity. No higher rate is then tried or returned, however well a run above it went.
 */
export async function searchRate<T extends Trial = RateTrial>(
  options: RateSearchOptions<T>,
): Promise<RateSearchResult<T>> {
  const { run, series = { at: rateAt, placeOf }, mayGoOn = () => true } = options;
  const [lowest, highest] = [series.placeOf(options.lowest), series.placeOf(options.highest)];
  const trials: T[] = [];

  /** The highest place worth a run. */
  function ceiling(): number {
    if (!isSaturated(trials)) return highest;
    const seen = trials.filter(({ verdict }) => verdict !== "noVerdict");
    const most = Math.max(...seen.map(({ achievedPerSecond }) => achievedPerSecond));
    return Math.max(lowest, Math.min(highest, series.placeOf(most)));
  }

  function mayRun(place: number): boolean {
    const undecided = trials.filter(({ verdict }) => verdict === "noVerdict").length;
    return place <= ceiling() && goneOf(trials) === undefined && undecided < MOST_UNDECIDED &&
      mayGoOn();
  }

  async function isMet(place: number, confirms: boolean): Promise<boolean> {
    let [missed, undecided] = [0, 0];
    while (mayRun(place) && missed < MISSES && undecided <= REPEATS) {
      const trial = await run(series.at(place), { confirms });
      trials.push(trial);
      if (trial.verdict === "met") return true;
      if (trial.verdict === "noVerdict") undecided++;
      else missed += isClear(trial) ? MISSES : 1;
    }
    return false;
  }

  /** The highest place that is met, found in growing steps, then by bisection; `null`: none. */
  async function climb(
    from: number,
    { confirms, step, growth }: { confirms: boolean; step: number; growth: number },
  ): Promise<number | null> {
    let place = Math.min(from, ceiling());
    let [met, unmet] = [-Infinity, Infinity];
    while (place > met && place < unmet) {
      if (await isMet(place, confirms)) met = place;
      else unmet = place;
      if (met === -Infinity) place = Math.max(lowest, Math.min(unmet - step, ceiling()));
      else if (unmet === Infinity) place = Math.min(ceiling(), met + step);
      else place = (met + unmet) >> 1;
      step *= growth;
    }
    return met === -Infinity ? null : met;
  }

  const first = Math.min(highest, Math.max(lowest, series.placeOf(options.first)));
  const roughly = await climb(first, { confirms: false, step: DOUBLING, growth: 1 });
  const place = roughly === null
    ? null
    : await climb(roughly, { confirms: true, step: 1, growth: 2 });
  const sustainedPerSecond = place === null ? null : series.at(Math.min(place, ceiling()));
  const judged = trials.filter(({ ratePerSecond, verdict }) =>
    ratePerSecond === sustainedPerSecond && verdict !== "noVerdict"
  );
  const met = judged.filter(({ verdict }) => verdict === "met");
  return {
    sustainedPerSecond,
    metShare: judged.length === 0 ? null : met.length / judged.length,
    limit: limitOf(trials, sustainedPerSecond),
    trials,
  };
}

/** True once the server has reached its capacity, clearly or twice at one rate. */
function isSaturated(trials: readonly Trial[]): boolean {
  const full = trials.filter(({ verdict, misses, answered, isCapped }) =>
    verdict === "missed" && (isCapped ||
      (answered >= FEWEST_ANSWERS && misses.some(({ kind }) => kind === "cameBack")))
  );
  const rates = new Set(full.map(({ ratePerSecond }) => ratePerSecond));
  return rates.size < full.length || full.some(isClear);
}

function goneOf(trials: readonly Trial[]): Trial | undefined {
  return trials.find(({ misses }) => misses.some(({ kind }) => kind === "gone"));
}

function limitOf(trials: readonly Trial[], sustainedPerSecond: number | null): RateLimit {
  const gone = goneOf(trials);
  if (gone !== undefined) return { kind: "gone", ratePerSecond: gone.ratePerSecond };
  const unmet = trials.filter(({ verdict, ratePerSecond }) =>
    verdict !== "met" && ratePerSecond > (sustainedPerSecond ?? 0)
  );
  if (unmet.length === 0) return { kind: "highest" };
  const lowest = Math.min(...unmet.map(({ ratePerSecond }) => ratePerSecond));
  return unmet.some(({ ratePerSecond, verdict }) =>
      ratePerSecond === lowest && verdict === "missed"
    )
    ? { kind: "server", missedPerSecond: lowest }
    : { kind: "client", latePerSecond: lowest };
}

function isClear(trial: Trial): boolean {
  const { achievedPerSecond, offeredPerSecond, answered } = trial;
  return trial.isClear ??
    (answered >= FEWEST_ANSWERS && achievedPerSecond < offeredPerSecond * CLEAR_SHARE);
}
