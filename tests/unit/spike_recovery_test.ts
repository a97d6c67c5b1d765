import { assertEquals } from "@std/assert";
import { p99Of, recoveredNs } from "../../scenarios/spike.ts";

/** One call per millisecond, slow if `isSlow` says so. */
function callsOf(count: number, isSlow: (nth: number) => boolean) {
  return Array.from({ length: count }, (_, nth) => ({
    dueNs: nth * 1e6,
    latencyNs: isSlow(nth) ? 50e6 : 1e6,
  }));
}

Deno.test("recovery is the first call from which the p99 stays within the limit", () => {
  const limitNs = 2e6;
  assertEquals(recoveredNs(callsOf(500, () => false), limitNs), 0);
  assertEquals(recoveredNs(callsOf(500, (nth) => nth < 200), limitNs), 200e6);
  // A p99 tolerates one slow call in a hundred, not two.
  assertEquals(recoveredNs(callsOf(500, (nth) => nth < 200 || nth === 250), limitNs), 200e6);
  assertEquals(
    recoveredNs(callsOf(500, (nth) => nth < 200 || nth === 250 || nth === 260), limitNs),
    251e6,
  );
  assertEquals(recoveredNs(callsOf(500, (nth) => nth < 450), limitNs), null);
  assertEquals(recoveredNs(callsOf(50, (nth) => nth < 1), limitNs), null);
  assertEquals(recoveredNs([], limitNs), null);
});

Deno.test("the nearest-rank p99 counts failed calls as infinitely slow", () => {
  assertEquals(p99Of(callsOf(100, (nth) => nth === 0)), 1e6);
  assertEquals(p99Of(callsOf(100, (nth) => nth < 2)), 50e6);
  assertEquals(p99Of([]), 0);
  assertEquals(p99Of([{ dueNs: 0, latencyNs: Infinity }]), Infinity);
});
