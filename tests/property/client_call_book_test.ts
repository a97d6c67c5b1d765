import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import type { Frame } from "../../lib/protocols/protocol.ts";
import type { Observed } from "../../lib/client/call.ts";
import { CallBook } from "../../lib/client/call_book.ts";
import { brokenEquations, openLedger, settleLedger } from "../../lib/client/ledger.ts";
import { createFakeClock } from "../support/fake_clock.ts";
import { repeats } from "../support/repeats.ts";

const TIMEOUT_MS = 10;

/** The id of a frame: of a call (perhaps not yet sent), of no call, or none. */
const subject = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 1, max: 30 }).map((nth) => `p-${nth}`) },
  { weight: 1, arbitrary: fc.constantFrom("other-1", "p-", "p-01", "__proto__", "") },
  { weight: 2, arbitrary: fc.constant(null) },
);
const code = fc.constantFrom("E", "__proto__", "OVER_CAPACITY");
const frame: fc.Arbitrary<Frame> = fc.oneof(
  fc.record({ kind: fc.constant("result" as const), id: subject, fromCache: fc.boolean() }),
  fc.record({ kind: fc.constant("toolError" as const), id: subject, code, message: code }),
  fc.record({ kind: fc.constant("rateLimited" as const), id: subject, code, message: code }),
  fc.record({ kind: fc.constant("progress" as const), id: subject, streamComplete: fc.boolean() }),
  fc.constant<Frame>({ kind: "notification", id: null, answer: null }),
  fc.constant<Frame>({ kind: "malformed", id: null, reason: "" }),
);
const step = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ do: "call" as const }) },
  { weight: 8, arbitrary: frame.map((frame) => ({ do: "receive" as const, frame })) },
  { weight: 2, arbitrary: fc.nat(12).map((ms) => ({ do: "wait" as const, ms })) },
  { weight: 1, arbitrary: fc.nat(2).map((phase) => ({ do: "phase" as const, phase })) },
  {
    weight: 1,
    arbitrary: fc.constantFrom("aborted" as const, "connectionLost" as const)
      .map((status) => ({ do: "endAll" as const, status })),
  },
);

Deno.test("whatever a server sends, every ledger reconciles and every call ends once", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), fc.boolean(), (steps, callsOnEnd) => {
      const clock = createFakeClock();
      const ledgers = [openLedger(), openLedger(), openLedger()];
      const observed: Observed = { streamComplete: false, rateLimit: null };
      const book = new CallBook("p-", { ledger: ledgers[0]!, observed });
      const ends = new Map<string, number>();
      let calls = 0;
      let frames = 0;
      const call = (depth = 0): void => {
        calls++;
        book.begin(clock.nowNs(), ({ id }) => {
          ends.set(id, (ends.get(id) ?? 0) + 1);
          if (callsOnEnd && depth < 2) call(depth + 1);
        });
      };
      for (const one of steps) {
        switch (one.do) {
          case "call":
            call();
            break;
          case "receive":
            frames++;
            book.receive(one.frame, clock.nowNs());
            break;
          case "wait":
            clock.advance(one.ms);
            book.expire(clock.nowNs() - TIMEOUT_MS * 1e6, clock.nowNs());
            break;
          case "phase":
            book.ledger = ledgers[one.phase]!;
            break;
          case "endAll":
            book.endAll(one.status, clock.nowNs());
            break;
          default:
            one satisfies never;
        }
      }
      while (book.outstanding > 0) book.endAll("connectionLost", clock.nowNs());
      const settled = ledgers.map((ledger) => settleLedger(ledger, observed.streamComplete));
      for (const ledger of settled) {
        assertEquals(brokenEquations(ledger), []);
        assert(ledger.cached <= ledger.ok);
      }
      const total = (pick: (ledger: typeof settled[number]) => number) =>
        settled.reduce((sum, ledger) => sum + pick(ledger), 0);
      assertEquals(total(({ sent }) => sent), calls);
      assertEquals(total(({ frames }) => frames.received), frames);
      assertEquals([...ends.values()], Array(calls).fill(1));
    }),
    { numRuns: repeats(150, 500) },
  );
});
