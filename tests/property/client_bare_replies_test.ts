import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import type { Call } from "../../lib/client/call.ts";
import { CallBook } from "../../lib/client/call_book.ts";
import { brokenEquations, openLedger, settleLedger } from "../../lib/client/ledger.ts";
import { repeats } from "../support/repeats.ts";

/** How a server answers: with an id, without one, or not at all. */
const fate = fc.constantFrom("ok" as const, "bare" as const, "bare" as const, "silent" as const);
/** Calls that are sent together, and how many replies arrive before the other calls time out. */
const round = fc.record({
  fates: fc.array(fate, { minLength: 1, maxLength: 2 }),
  replies: fc.nat(4),
});

Deno.test("a reply without an id only ends its own call, however late it is", () => {
  let attributed = 0;
  fc.assert(
    fc.property(fc.array(round, { maxLength: 25 }), (rounds) => {
      const ledger = openLedger();
      const book = new CallBook("", {
        ledger,
        observed: { streamComplete: false, rateLimit: null },
      });
      const timedOut = new Set<string>();
      /** Replies that the server still owes, in order. */
      const owed: { id: string; fate: "ok" | "bare" }[] = [];
      const onEnd = ({ id, status, errorMessage }: Call) => {
        if (status === "timeout") timedOut.add(id);
        if (status !== "rateLimited") return;
        attributed++;
        assertEquals(errorMessage, id);
      };
      let late = 0;
      for (const [nowNs, { fates, replies }] of rounds.entries()) {
        for (const fate of fates) {
          const { id } = book.begin(nowNs, onEnd);
          if (fate !== "silent") owed.push({ id, fate });
        }
        for (const { id, fate } of owed.splice(0, replies)) {
          if (timedOut.has(id)) late++;
          if (fate === "ok") book.receive({ kind: "result", id, fromCache: false }, nowNs);
          else {
            const error = { code: "OVER_CAPACITY", message: id };
            book.receive({ kind: "rateLimited", id: null, ...error }, nowNs);
          }
        }
        book.expire(nowNs, nowNs);
      }
      book.endAll("aborted", 0);
      assert(ledger.frames.late <= late);
      assertEquals(brokenEquations(settleLedger(ledger, false)), []);
    }),
    { numRuns: repeats(400, 2_000) },
  );
  assert(attributed > repeats(100, 1_000), `${attributed}`);
});
