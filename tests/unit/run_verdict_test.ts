import { assertEquals } from "@std/assert";
import { verdictOf } from "../../lib/run/verdict.ts";

const reason = (code: number) => (
  { code, kind: "test", scenario: null, message: `because of ${code}` }
);

Deno.test("a run without reasons against it passes", () => {
  assertEquals(verdictOf([]), { status: "passed", exitCode: 0, reasons: [] });
});

Deno.test("the exit code is the first of 2, 3, 130, 1, 6, 4, 5 among the reasons, whatever their order", () => {
  const precedence = [2, 3, 130, 1, 6, 4, 5];
  for (const [index, code] of precedence.entries()) {
    const reasons = precedence.slice(index).map(reason);
    for (const given of [reasons, reasons.toReversed()]) {
      const verdict = verdictOf(given);
      assertEquals([verdict.exitCode, verdict.reasons], [code, given]);
      assertEquals(verdict.status, index <= 2 ? "interrupted" : "failed");
    }
  }
});

Deno.test("each reason alone gives its own code", () => {
  for (const code of [1, 2, 3, 4, 5, 6]) {
    assertEquals(verdictOf([reason(code)]).status, "failed");
    assertEquals(verdictOf([reason(code)]).exitCode, code);
  }
  assertEquals(verdictOf([reason(130)]).status, "interrupted");
});
