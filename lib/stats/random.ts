/**
 * Seeded random numbers, so that runs are repeatable and tests are not flaky.
 *
 * @module
 */

import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";

/** Returns the next number, uniform in [0, 1). */
export type RandomStream = () => number;

/** The generator's first numbers are correlated with the seed. */
const DISCARDED = 16;

/**
 * An independent stream for each seed and label, so that draws from one never shift another:
 * xoroshiro128+ with 53 random bits per number.
 */
export function randomStream(seed: number, label: string): RandomStream {
  const generator = xoroshiro128plus(hashText(`${seed}/${label}`));
  for (let index = 0; index < DISCARDED; index++) generator.next();
  return () => uniformFloat64(generator);
}

/** 32-bit FNV-1a: http://www.isthe.com/chongo/tech/comp/fnv/. */
function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return hash | 0;
}

/** A draw of the standard normal distribution (Box and Muller, 1958). */
export function drawNormal(random: RandomStream): number {
  const radius = Math.sqrt(-2 * Math.log(1 - random()));
  return radius * Math.cos(2 * Math.PI * random());
}

/** A shuffled copy; all orders are equally likely (Fisher and Yates). */
export function shuffle<T>(items: readonly T[], random: RandomStream): T[] {
  const shuffled = items.slice();
  for (let last = shuffled.length - 1; last > 0; last--) {
    const chosen = Math.floor(random() * (last + 1));
    [shuffled[last], shuffled[chosen]] = [shuffled[chosen], shuffled[last]];
  }
  return shuffled;
}
