import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { brokenEquations, openLedger, settleLedger } from "../../lib/client/ledger.ts";
import { runClosedSlice } from "../../lib/load/closed.ts";
import { FakeCaller, type Reply } from "../support/fake_caller.ts";
import { createFakeClock } from "../support/fake_clock.ts";
import { STATUS } from "../support/targets.ts";
import { repeats } from "../support/repeats.ts";

const reply: fc.Arbitrary<Reply> = fc.record({
  ms: fc.integer({ min: 1, max: 20 }),
  end: fc.oneof(
    { weight: 30, arbitrary: fc.constant("ok" as const) },
    { weight: 3, arbitrary: fc.constant("toolError" as const) },
    { weight: 2, arbitrary: fc.constant("timeout" as const) },
    { weight: 1, arbitrary: fc.constant("connectionLost" as const) },
  ),
});

/** The repeating replies of each connection. */
const replies = fc.array(fc.array(reply, { minLength: 1, maxLength: 40 }), {
  minLength: 1,
  maxLength: 4,
});
const length = fc.record({
  leadInNs: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 60 }).map((ms) => ms * 1e6)),
  messages: fc.option(fc.integer({ min: 1, max: 30 })),
  durationNs: fc.integer({ min: 1, max: 200 }).map((ms) => ms * 1e6),
  inFlight: fc.integer({ min: 1, max: 5 }),
  maxRatePerSecond: fc.option(fc.integer({ min: 20, max: 2_000 }), { freq: 2 }),
});

Deno.test("however the calls of a slice end, its figures match its ledgers", async () => {
  await fc.assert(
    fc.asyncProperty(replies, length, async (scripts, length) => {
      const clock = createFakeClock();
      const warmupLedger = openLedger();
      const ledger = openLedger();
      const callers = scripts.map((script) =>
        new FakeCaller(clock, (nth) => script[nth % script.length]!, warmupLedger)
      );
      let measuredEnds = 0;
      let ends = 0;
      const running = runClosedSlice(callers, {
        ...length,
        message: () => STATUS,
        warmupLedger,
        ledger,
        clock,
        signal: new AbortController().signal,
        onCall(_call, measured) {
          ends++;
          if (measured) measuredEnds++;
        },
      });
      clock.advance(1e5);
      const { end, timesNs, clients, censored, ratePerSecond } = await running;
      assertEquals(clock.pending, 0);
      for (const one of [ledger, warmupLedger]) {
        assertEquals(brokenEquations(settleLedger(one, false)), []);
      }
      assertEquals([ledger.sent, ledger.sent + warmupLedger.sent], [measuredEnds, ends]);
      assertEquals(timesNs.length, ledger.ok);
      assertEquals(censored, ledger.timeout + ledger.connectionLost);
      const ok = clients.reduce((sum, client) => sum + client.ok, 0);
      assert(ok <= ledger.ok + warmupLedger.ok);
      const rates = clients.map(({ ok, windowNs }) => windowNs > 0 ? ok / (windowNs / 1e9) : 0);
      assertEquals(ratePerSecond, rates.reduce((sum, rate) => sum + rate, 0));
      for (const { mostInFlight, ledgerInUse } of callers) {
        assert(mostInFlight <= length.inFlight);
        assertEquals(ledgerInUse, warmupLedger);
      }
      if (end !== "complete") return;
      if (length.messages !== null) assertEquals(ledger.sent, length.messages * callers.length);
      else for (const { windowNs } of clients) assert(windowNs >= length.durationNs);
      const isSequential = length.inFlight === 1 && length.maxRatePerSecond === null;
      if (!isSequential || ledger.ok < ledger.sent) return;
      // Sequential calls without failures fill their windows.
      assertEquals(
        timesNs.reduce((sum, ns) => sum + ns, 0),
        clients.reduce((sum, { windowNs }) => sum + windowNs, 0),
      );
      assertEquals(ok, ledger.ok);
    }),
    { numRuns: repeats(100, 400) },
  );
});
