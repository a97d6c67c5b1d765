/**
 * Seeded random numbers, so that a run can be repeated and a test cannot flicker.
 *
 * @module
 */

/** Gives the next number of a stream, uniform in [0, 1). */
export type RandomStream = () => number;

/** 32-bit FNV-1a: http://www.isthe.com/chongo/tech/comp/fnv/. */
function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return hash >>> 0;
}

/** SplitMix with 32 bits of state, the usual way to spread one seed over a larger state. */
function splitMix32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return mixed ^ (mixed >>> 15);
  };
}

/**
 * A stream of its own for each seed and label, so that one user's draws never shift another's. The
 * generator is sfc32 of PractRand (Chris Doty-Humphrey, https://pracrand.sourceforge.net), with
 * 32 random bits a number.
 *
 * @throws {RangeError} if `seed` is not a safe integer
 */
export function randomStream(seed: number, label: string): RandomStream {
  if (!Number.isSafeInteger(seed)) {
    throw new RangeError(
      `Cannot seed a random stream as seed must be a whole number: it is ${seed}`,
    );
  }
  const spread = splitMix32(hashText(`${seed}/${label}`));
  let a = spread();
  let b = spread();
  let c = spread();
  let counter = 1;
  function next(): number {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return (sum >>> 0) / 0x1_0000_0000;
  }
  for (let round = 0; round < 12; round++) next();
  return next;
}

/** A draw of the standard normal distribution (Box and Muller, 1958). */
export function drawNormal(next: RandomStream): number {
  const radius = Math.sqrt(-2 * Math.log(1 - next()));
  return radius * Math.cos(2 * Math.PI * next());
}
