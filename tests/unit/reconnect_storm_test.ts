import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { fullJitterMs, servedShareNs } from "../../scenarios/reconnect_storm.ts";

Deno.test("the back-off limit doubles up to the cap, and the jitter covers all of it", () => {
  const bounds = [0, 1, 2, 5, 6, 50].map((attempt) => fullJitterMs(attempt, () => 1));
  assertEquals(bounds, [50, 100, 200, 1_600, 2_000, 2_000]);
  assertEquals(fullJitterMs(3, () => 0), 0);
  assertEquals(fullJitterMs(1, () => 0.25), 25);
});

Deno.test("the time until 99 % are served allows for 1 % unserved", () => {
  assertEquals(servedShareNs([3, 1, 2], 3), 3);
  assertEquals(servedShareNs([3, 1, 2], 4), null);
  const hundred = Array.from({ length: 99 }, (_, index) => index + 1);
  assertEquals(servedShareNs(hundred, 100), 99);
  assertEquals(servedShareNs(hundred.slice(1), 100), null);
  assertEquals(servedShareNs([...hundred, 1_000], 100), 99);
});

Deno.test("property: 99 % are served at that time, and fewer before it", () => {
  const times = fc.array(fc.integer({ min: 1, max: 1_000 }), { minLength: 1, maxLength: 300 });
  fc.assert(fc.property(times, (servedNs) => {
    const atNs = servedShareNs(servedNs, servedNs.length)!;
    const share = (upTo: (ns: number) => boolean) => servedNs.filter(upTo).length / servedNs.length;
    assert(share((ns) => ns <= atNs) >= 0.99 && share((ns) => ns < atNs) < 0.99);
  }));
});
