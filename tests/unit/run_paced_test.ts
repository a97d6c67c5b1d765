import { assertEquals } from "@std/assert";
import type { Check } from "../../lib/schema.ts";
import { checkEverySlotSent, judgeSlip, type PacedResult } from "../../lib/run/paced.ts";
import type { ScenarioContext } from "../../lib/run/scenario.ts";

function result(overrides: Partial<PacedResult> = {}): PacedResult {
  return {
    slots: 100,
    sent: 100,
    ok: 100,
    dropped: 0,
    startNs: 0,
    endNs: 1e9,
    achievedPerSecond: 100,
    end: "complete",
    late: 0,
    ...overrides,
  };
}

/** Keeps what is said to it. */
function listen() {
  const checks: Check[] = [];
  const warnings: string[] = [];
  const context = {
    check: (check: Check) => void checks.push(check),
    invalidate: (warning: string) => void warnings.push(warning),
  } as unknown as ScenarioContext;
  return { context, checks, warnings };
}

Deno.test("over 1 % of late calls over all rounds makes the numbers invalid", () => {
  const { context, warnings } = listen();
  judgeSlip(context, [result({ late: 2 }), result()]);
  assertEquals(warnings, []);
  judgeSlip(context, [result({ late: 3 }), result()]);
  assertEquals(warnings, [
    "slip: 1.5 % of the calls were sent over 1 ms late, so that the client bounds the numbers: " +
    "use an idle machine or a lower --rate",
  ]);
});

Deno.test("every slot sent: what was dropped and what ended early is told", () => {
  const { context, checks } = listen();
  checkEverySlotSent(context, [result(), result()]);
  checkEverySlotSent(context, [result({ sent: 90, dropped: 10 })]);
  checkEverySlotSent(context, [result(), result({ end: "silent" })]);
  assertEquals(checks.map(({ passed, observed }) => [passed, observed]), [
    [true, "200 of 200"],
    [false, "90 of 100; 10 dropped: too many calls outstanding, or the connection gone"],
    [false, "200 of 200; ended early: the server went silent"],
  ]);
});
