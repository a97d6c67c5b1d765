import { assertEquals, assertThrows } from "@std/assert";
import { readLimitOwner, readRetryAfter } from "../../lib/client/limiter_words.ts";
import { type FoundLimit, keptRate } from "../../lib/run/limit_probe.ts";
import { TargetUnusableError } from "../../lib/run/scenario.ts";

const LIMIT: FoundLimit = {
  ...{ owner: "session", atCall: 51, message: "slow down", burst: 50 },
  refillPerSecond: 5,
};

Deno.test("a session is kept to 80 % of its refill, an address to that of all its sessions", () => {
  assertEquals(keptRate(LIMIT, { sessions: 5 }), 4);
  assertEquals(keptRate({ ...LIMIT, owner: "ip" }, { sessions: 5 }), 0.8);
  // The same limit gives the same rate, however exactly it was measured.
  assertEquals(keptRate({ ...LIMIT, refillPerSecond: 10 / 3 }, { sessions: 1 }), 2.7);
});

Deno.test("a limit under 20 calls a minute is too tight, and its figures are said", () => {
  assertEquals(keptRate({ ...LIMIT, refillPerSecond: 0.42 }, { sessions: 1 }), 0.34);
  for (const [refillPerSecond, owner] of [[0.41, "session"], [0, "session"], [2, "ip"]] as const) {
    assertThrows(
      () => keptRate({ ...LIMIT, refillPerSecond, owner }, { sessions: 5 }),
      TargetUnusableError,
      `it served 50 calls at once and then ${
        refillPerSecond === 2 ? "2.0" : refillPerSecond || "0.0"
      }`,
    );
  }
});

Deno.test("the server's words on when to retry are read in seconds", () => {
  const said = (text: string) => readRetryAfter(text);
  assertEquals(said("Rate limit exceeded: user_rate_limit_exceeded (retry after 0.2s)"), 0.2);
  assertEquals(said("Retry-After: 3"), 3);
  assertEquals(said("too many, retry after 250 ms"), 0.25);
  assertEquals([said("retry after a while"), said("retry after 0s"), said("")], [null, null, null]);
});

Deno.test("whose limit it is stands in the server's own words, or does not", () => {
  const said = (reason: string) =>
    readLimitOwner(`Rate limit exceeded: ${reason} (retry after 1s)`);
  assertEquals(said("user_rate_limit_exceeded"), "session");
  assertEquals(said("ip_rate_limit_exceeded"), "ip");
  assertEquals([said("global_rate_limit_exceeded"), said("zip_codes"), said("")], [
    null,
    null,
    null,
  ]);
});
