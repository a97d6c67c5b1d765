import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { type Decision, fitTokenBucket } from "../../lib/stats/token_bucket_fit.ts";

/** Calls at these times in seconds, refused if negative. */
function decisions(...timesS: number[]): Decision[] {
  return timesS.map((timeS) => {
    const atNs = Math.abs(timeS) * 1e9;
    return { sentNs: atNs, endedNs: atNs, accepted: timeS >= 0 };
  });
}

Deno.test("without a refusal or a call, nothing is known", () => {
  assertEquals(fitTokenBucket([]), null);
  assertEquals(fitTokenBucket(decisions(1, 2, 3)), null);
});

Deno.test("a burst gives the capacity, the calls after a pause the refill", () => {
  // A burst of three; after 2 s two more and no third: between 1/s and 1.5/s, but for rounding.
  const fit = fitTokenBucket(decisions(0, 0, 0, -0.0001, 2, 2, -2))!;
  assertEquals(fit.capacity, [3, 3]);
  assertAlmostEquals(fit.refillPerSecond[0], 1, 1e-6);
  assertAlmostEquals(fit.refillPerSecond[1], 1.5, 1e-6);
});

Deno.test("a slow burst is corrected for the refill during it", () => {
  // A bucket of 3 with 5/s: five calls 0.1 s apart pass, the sixth finds half a token.
  const fit = fitTokenBucket(decisions(0, 0.1, 0.2, 0.3, 0.4001, -0.5, 0.9, 0.9, -0.9))!;
  assert(fit.capacity[0] <= 3 && 3 <= fit.capacity[1] && fit.capacity[1] < 5, `${fit.capacity}`);
  assert(fit.refillPerSecond[0] < 5 && fit.refillPerSecond[1] > 5, `${fit.refillPerSecond}`);
});

Deno.test("a full bucket gains nothing", () => {
  // A burst of 2, and another after a long time: a faster refill is as likely.
  const fit = fitTokenBucket(decisions(0, 0, -0.0001, 100, 100, -100))!;
  assertEquals(fit.capacity, [2, 2]);
  assert(fit.refillPerSecond[0] <= 0.0201 && fit.refillPerSecond[1] > 100);
});

Deno.test("refusals that no bucket explains are not fitted", () => {
  // One refused, and a hundred accepted a moment later.
  const calls = [0, -0.001, ...new Array(100).fill(0.002), -0.003, -10];
  assertEquals(fitTokenBucket(decisions(...calls)), null);
});

Deno.test("a call can be decided at any time between its start and its end", () => {
  // A burst of two and no third; one more in a call from 1 s to 1.5 s: 0.67/s would be enough.
  const calls = decisions(0, 0, -0.0001, 1, -1.6);
  calls[3]!.endedNs = 1.5e9;
  const fit = fitTokenBucket(calls)!;
  assertAlmostEquals(fit.refillPerSecond[0], 1 / 1.5, 1e-6);
  calls[3]!.endedNs = 1e9;
  assertAlmostEquals(fitTokenBucket(calls)!.refillPerSecond[0], 1, 1e-6);
});

Deno.test("tokens that a full bucket cannot hold are lost", () => {
  // One at a time: a long rest leaves one token, and the call 1 s later takes the refill.
  const fit = fitTokenBucket(decisions(0, -0.0001, 100, 101, -101))!;
  assertEquals(fit.capacity, [1, 1]);
  assertAlmostEquals(fit.refillPerSecond[0], 1, 1e-6);
});
