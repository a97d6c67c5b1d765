/**
 * The search for the highest rate that a server sustains.
 *
 * @module
 */

/** Rates are on the E48 series of preferred numbers (IEC 60063): 48 a decade, 4.9 % apart. */
const PER_DECADE = 48;
/** About a factor of two. */
const DOUBLING = 14;
/** About a third less. */
const LONGEST_STEP_DOWN = 8;

/** The rate of a place in the series, such as 100, 105, 110, 115, 121 for 96 to 100. */
export function rateAt(place: number): number {
  return Number((10 ** (place / PER_DECADE)).toPrecision(3));
}

/** The place of the highest rate of the series that is not over this one. */
export function placeOf(ratePerSecond: number): number {
  const place = Math.round(PER_DECADE * Math.log10(ratePerSecond));
  return rateAt(place) <= ratePerSecond ? place : place - 1;
}

/** Where to search, in places of the series, and how to tell. */
export interface RateSearchOptions {
  first: number;
  lowest: number;
  highest: number;
  /** Whether a short run at this rate meets the objective. */
  isMet: (place: number) => Promise<boolean>;
  /** Whether a longer one does. */
  isConfirmed: (place: number) => Promise<boolean>;
}

/** What was found, in places of the series. */
export interface RateSearchResult {
  /** The highest confirmed; `null`: none is. */
  sustained: number | null;
  /** The lowest that was missed; `null`: none was, up to the highest. */
  missed: number | null;
}

/**
 * Doubles or halves the rate until it is between one that is met and one that is missed, bisects to
 * neighbours in the series, and confirms the lower one, going down in doubling steps where that fails.
 */
export async function searchRate(options: RateSearchOptions): Promise<RateSearchResult> {
  const { met, missed } = await bisect(options, await bracket(options));
  if (met === null) return { sustained: null, missed };
  return await confirm(options, { met, missed });
}

interface Bracket {
  met: number | null;
  missed: number | null;
}

async function bracket({ first, lowest, highest, isMet }: RateSearchOptions): Promise<Bracket> {
  let place = Math.min(highest, Math.max(lowest, first));
  if (!await isMet(place)) {
    while (place > lowest) {
      const missed = place;
      place = Math.max(lowest, place - DOUBLING);
      if (await isMet(place)) return { met: place, missed };
    }
    return { met: null, missed: place };
  }
  while (place < highest) {
    const met = place;
    place = Math.min(highest, place + DOUBLING);
    if (!await isMet(place)) return { met, missed: place };
  }
  return { met: place, missed: null };
}

async function bisect({ isMet }: RateSearchOptions, within: Bracket): Promise<Bracket> {
  let { met, missed } = within;
  while (met !== null && missed !== null && missed - met > 1) {
    const middle: number = (met + missed) >> 1;
    if (await isMet(middle)) met = middle;
    else missed = middle;
  }
  return { met, missed };
}

async function confirm(
  { lowest, isConfirmed }: RateSearchOptions,
  { met, missed }: { met: number; missed: number | null },
): Promise<RateSearchResult> {
  for (let step = 1; !await isConfirmed(met); step = Math.min(2 * step, LONGEST_STEP_DOWN)) {
    missed = met;
    if (met === lowest) return { sustained: null, missed };
    met = Math.max(lowest, met - step);
  }
  return { sustained: met, missed };
}
