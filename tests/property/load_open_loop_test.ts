import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { runOpenLoop } from "../../lib/load/open.ts";
import { ARRIVALS, createSchedule } from "../../lib/load/schedule.ts";
import { openLedger } from "../../lib/client/ledger.ts";
import { createFakeClock } from "../support/fake_clock.ts";
import { createFakeConnection } from "../support/fake_connection.ts";
import { createFakePacer } from "../support/fake_pacer.ts";
import { STATUS } from "../support/targets.ts";

const anyReply = fc.record({
  status: fc.constantFrom("ok", "ok", "ok", "toolError", "rateLimited", "timeout"),
  afterMs: fc.integer({ min: 0, max: 60 }),
});

const anyRun = fc.record({
  replies: fc.array(anyReply, { minLength: 1, maxLength: 20 }),
  connections: fc.integer({ min: 1, max: 4 }),
  /** When each connection ends, in milliseconds. */
  lives: fc.array(fc.integer({ min: 0, max: 300 }), { minLength: 4, maxLength: 4 }),
  ratePerSecond: fc.integer({ min: 50, max: 2_000 }),
  arrivals: fc.constantFrom(...ARRIVALS),
  maxOutstanding: fc.integer({ min: 1, max: 50 }),
  abortMs: fc.option(fc.integer({ min: 0, max: 150 })),
  leadInMs: fc.integer({ min: 0, max: 120 }),
  /** How late each wake-up of the pacer is, in milliseconds. */
  late: fc.array(fc.integer({ min: 0, max: 20 }), { minLength: 1, maxLength: 10 }),
  seed: fc.nat(),
});

Deno.test("open loop: each slot is sent or dropped, each call ends once", async () => {
  await fc.assert(fc.asyncProperty(anyRun, async (plan) => {
    const clock = createFakeClock();
    const [ledger, warmupLedger] = [openLedger(), openLedger()];
    const controller = new AbortController();
    const connections = plan.lives.slice(0, plan.connections).map((lifeMs) => {
      const reply = (nth: number) => plan.replies[nth % plan.replies.length]!;
      const connection = createFakeConnection(clock, reply);
      clock.after(lifeMs, () => connection.isOpen = false);
      return connection;
    });
    if (plan.abortMs !== null) clock.after(plan.abortMs, () => controller.abort());
    let [ok, measured] = [0, 0];
    const running = runOpenLoop(connections, {
      message: () => STATUS,
      schedule: createSchedule({ ...plan, slots: null, durationMs: 100 }),
      maxOutstanding: plan.maxOutstanding,
      ledger,
      warmupLedger,
      leadInNs: plan.leadInMs * 1e6,
      clock,
      pacer: createFakePacer(clock, { lateMs: (nth) => plan.late[nth % plan.late.length]! }),
      signal: controller.signal,
      onCall: ({ sentNs, endedNs, status, ledger: own }, intendedNs) => {
        measured++;
        if (status === "ok") ok++;
        assertEquals([own, intendedNs >= plan.leadInMs * 1e6], [ledger, true]);
        if (sentNs < intendedNs || endedNs < sentNs) throw new Error("sent before its time");
      },
    });
    clock.advance(1_000);
    const result = await running;
    const sent = connections.reduce((sum, { sentNs }) => sum + sentNs.length, 0);
    assertEquals(result.slots, result.sent + result.dropped);
    assertEquals([result.sent, result.dropped, result.ok], [measured, ledger.dropped, ok]);
    assertEquals([ledger.sent, warmupLedger.sent], [result.sent, sent - result.sent]);
    assertEquals(result.slipNs.length, measured);
    const { latencyNs, serviceNs, endedNs } = result;
    assertEquals([latencyNs.length, serviceNs.length, endedNs.length], [ok, ok, ok]);
  }));
});
