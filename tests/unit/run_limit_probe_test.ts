import { assertEquals, assertThrows } from "@std/assert";
import { readLimitOwner, readRetryAfter } from "../../lib/client/limiter_words.ts";
import { type FoundLimit, keptRate } from "../../lib/run/limit_probe.ts";
import { TargetUnusableError } from "../../lib/run/scenario.ts";

const LIMIT: FoundLimit = {
  ...{ owner: "session", atCall: 51, message: "slow down", burst: 50 },
  refillPerSecond: 5,
};

Deno.test("the rate kept is 80 % of the refill, shared by the sessions of an address", () => {
  assertEquals(keptRate(LIMIT, { sessions: 5 }), 4);
  assertEquals(keptRate({ ...LIMIT, owner: "ip" }, { sessions: 5 }), 0.8);
  // Rounded, so the same limit gives the same rate in every run.
  assertEquals(keptRate({ ...LIMIT, refillPerSecond: 10 / 3 }, { sessions: 1 }), 2.7);
});

Deno.test("a limit under 20 calls a minute is too tight, and reported with its figures", () => {
  assertEquals(keptRate({ ...LIMIT, refillPerSecond: 0.42 }, { sessions: 1 }), 0.34);
  const cases = [[0.41, "session", "0.41"], [0, "session", "0.0"], [2, "ip", "2.0"]] as const;
  for (const [refillPerSecond, owner, rate] of cases) {
    assertThrows(
      () => keptRate({ ...LIMIT, refillPerSecond, owner }, { sessions: 5 }),
      TargetUnusableError,
      `it served 50 calls at once and then ${rate}`,
    );
  }
});

Deno.test("the time to retry is read from the server's message, in seconds", () => {
  const seen = "Rate limit exceeded: user_rate_limit_exceeded (retry after 0.2s)";
  assertEquals(readRetryAfter(seen), 0.2);
  assertEquals(readRetryAfter("Retry-After: 3"), 3);
  assertEquals(readRetryAfter("too many, retry after 250 ms"), 0.25);
  for (const text of ["retry after a while", "retry after 0s", ""]) {
    assertEquals(readRetryAfter(text), null);
  }
});

Deno.test("the owner of a limit is read from the server's message, if it names one", () => {
  const ownerIn = (reason: string) =>
    readLimitOwner(`Rate limit exceeded: ${reason} (retry after 1s)`);
  assertEquals(ownerIn("user_rate_limit_exceeded"), "session");
  assertEquals(ownerIn("ip_rate_limit_exceeded"), "ip");
  for (const other of ["global_rate_limit_exceeded", "zip_codes", ""]) {
    assertEquals(ownerIn(other), null);
  }
});
