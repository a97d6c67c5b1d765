import { assertEquals, assertThrows } from "@std/assert";
import { parseExpectedLimits } from "../../lib/run/expected_limits.ts";
import { judgeBudget } from "../../scenarios/rate_limit.ts";

Deno.test("expected limits can be given for a session, an address or both", () => {
  assertEquals(parseExpectedLimits("session=50/5,ip=100/10.5"), {
    session: { burst: 50, refillPerSecond: 5 },
    ip: { burst: 100, refillPerSecond: 10.5 },
  });
  assertEquals(parseExpectedLimits(" ip = none "), { ip: "none" });
});

Deno.test("an invalid limit is refused with the reason", () => {
  const cases = [
    ["", '"" is not one of them'],
    ["user=5/5", '"user=5/5" is not one of them'],
    ["session", '"session" is not one of them'],
    ["session=50", '"50" is not a budget such as 50/5'],
    ["session=0/5", '"0/5" is not a budget such as 50/5'],
    ["session=50/0", '"50/0" is not a budget such as 50/5'],
    ["session=-5/5", '"-5/5" is not a budget such as 50/5'],
    ["session=5.5/5", '"5.5/5" is not a budget such as 50/5'],
    ["ip=5/5,ip=6/6", "ip is given twice"],
  ] as const;
  for (const [text, reason] of cases) {
    assertThrows(() => parseExpectedLimits(text), RangeError, reason);
  }
});

/** True for each number that agrees, `null` if undecided. */
function verdicts(found: Parameters<typeof judgeBudget>[1]["found"]): (boolean | null)[] {
  return judgeBudget("session", { expected: { burst: 50, refillPerSecond: 5 }, found })
    .map((one) => "undecided" in one ? null : one.passed);
}

Deno.test("a number agrees if it is within a tenth, or one call, of what was found", () => {
  const burst: [number, number] = [50, 50];
  assertEquals(verdicts({ burst, refillPerSecond: [4.8, 5.3] }), [true, true]);
  assertEquals(verdicts({ burst: [45, 45], refillPerSecond: [5.4, 5.6] }), [true, true]);
  assertEquals(verdicts({ burst: [44, 44], refillPerSecond: [5.6, 6] }), [false, false]);
  assertEquals(verdicts({ burst: [56, 60], refillPerSecond: [1, 4.4] }), [false, false]);
});

Deno.test("a wide interval around the expected number is undecided", () => {
  assertEquals(verdicts({ burst: [10, 60], refillPerSecond: [0, 40] }), [null, null]);
  assertEquals(verdicts({ burst: [50, 50], refillPerSecond: [1, Infinity] }), [true, null]);
  // A wide interval without the expected number is a disagreement.
  assertEquals(verdicts({ burst: [1, 20], refillPerSecond: [20, Infinity] }), [false, false]);
});
