import { assertEquals } from "@std/assert";
import { errorCourse } from "../../scenarios/soak.ts";

Deno.test("errors are reported by the interval in which they occurred", () => {
  const errors = errorCourse({ startNs: 5e9, intervalMs: 1_000 });
  for (const second of [7.2, 7.4, 7.6, 12]) errors.note(second * 1e9);
  assertEquals(errors.check(14.5e9), {
    kind: "errorsOverTime",
    name: "errors over time",
    passed: false,
    expected: "none in any of 10 intervals",
    observed: "4 in 2 of 10 intervals, up to 3 in one, the first after 2.2 s",
  });
  const none = errorCourse({ startNs: 5e9, intervalMs: 1_000 }).check(14.5e9);
  assertEquals([none.passed, none.observed], [true, none.expected]);
});
