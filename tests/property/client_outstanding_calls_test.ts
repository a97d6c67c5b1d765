import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { OutstandingCalls } from "../../lib/client/outstanding_calls.ts";

Deno.test("outstanding calls behave like a map of calls", () => {
  // Each step adds a call, or ends an outstanding one and possibly frees its object.
  const step = fc.record({
    place: fc.option(fc.nat({ max: 1000 }), { freq: 2 }),
    isFreed: fc.boolean(),
  });
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 400 }),
      fc.nat({ max: 2 ** 31 + 5 }),
      (steps, before) => {
        const calls = new OutstandingCalls();
        const expected = new Map<number, object>();
        const ended = new Map<number, { nth: number }>();
        let nth = before;
        for (const { place, isFreed } of steps) {
          const waiting = [...expected.keys()];
          if (place === null || waiting.length === 0) {
            expected.set(++nth, calls.add(nth));
          } else {
            const call = calls.get(waiting[place % waiting.length]!)!;
            expected.delete(call.nth);
            calls.end(call, "ok");
            if (isFreed) calls.free(call);
            else ended.set(call.nth, call);
          }
          assertEquals(calls.size, expected.size);
          assertEquals(calls.oldest?.nth, expected.keys().next().value);
        }
        for (let number = Math.max(1, before - 2); number <= nth + 2; number++) {
          const [found, wanted] = [calls.get(number), expected.get(number)];
          assertEquals([found === wanted, found?.nth ?? number], [true, number]);
        }
        // Objects that were not freed have not been reused.
        for (const [number, call] of ended) assertEquals(call.nth, number);
      },
    ),
  );
});
