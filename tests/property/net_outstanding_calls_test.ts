import { assertEquals } from "@std/assert";
import fc from "fast-check";
import type { Call } from "../../lib/client/call_book.ts";
import { openLedger } from "../../lib/client/ledger.ts";
import { OutstandingCalls } from "../../lib/client/outstanding_calls.ts";

function callOf(nth: number): Call {
  return {
    id: `r-${nth}`,
    nth,
    ledger: openLedger(),
    onEnd: () => {},
    sentNs: 0,
    endedNs: 0,
    status: "outstanding",
    streamed: false,
    firstProgressNs: 0,
    fromCache: false,
    errorCode: "",
    errorMessage: "",
  };
}

Deno.test("outstanding calls are found, counted and ordered as a map of them would be", () => {
  // Each step adds a call, or removes one of those that wait, chosen by its place.
  const steps = fc.array(fc.option(fc.nat({ max: 1000 }), { freq: 2 }), { maxLength: 400 });
  fc.assert(
    fc.property(steps, fc.nat({ max: 2 ** 31 + 5 }), (places, before) => {
      const calls = new OutstandingCalls();
      const expected = new Map<number, Call>();
      let nth = before;
      for (const place of places) {
        const waiting = [...expected.values()];
        if (place === null || waiting.length === 0) {
          const call = callOf(++nth);
          calls.add(call);
          expected.set(nth, call);
        } else {
          const call = waiting[place % waiting.length]!;
          calls.remove(call);
          expected.delete(call.nth);
        }
        assertEquals(calls.size, expected.size);
        assertEquals(calls.oldest?.nth, expected.values().next().value?.nth);
      }
      assertEquals(calls.all().map((call) => call.nth), [...expected.keys()]);
      for (let number = Math.max(1, before - 2); number <= nth + 2; number++) {
        assertEquals(calls.get(number), expected.get(number));
      }
    }),
  );
});
