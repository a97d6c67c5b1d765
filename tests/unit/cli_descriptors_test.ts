import { assert, assertEquals, assertThrows } from "@std/assert";
import { filesOfEach, mostPlanned, requireDescriptors } from "../../lib/cli/plan.ts";
import { UsageError } from "../../lib/cli/usage_error.ts";
import { dialError } from "../../lib/client/connect_error.ts";
import { NO_OVERRIDES } from "../support/run_scenarios.ts";
import { planScenarios } from "../../lib/run/plan.ts";
import { SCENARIOS } from "../../scenarios/mod.ts";

Deno.test("descriptors: a run with too few of them is refused, with the connections that fit", () => {
  const messageOf = (connections: number, free: number) =>
    assertThrows(() => requireDescriptors({ connections, each: 4 }, () => free), UsageError)
      .message;
  assertEquals(
    messageOf(200, 400),
    'Cannot use --connections "200": such a run opens about 848 files at once, and this process can open ' +
      "400 more: accepted is up to 88, or raise the limit (ulimit -n 2048)",
  );
  requireDescriptors({ connections: 88, each: 4 }, (wanted) => Math.min(wanted, 400));
  assertEquals(
    messageOf(0, 39),
    "Cannot run: such a run opens about 48 files at once, and this process can open 39 more: raise the " +
      "limit (ulimit -n 512)",
  );
});

Deno.test("descriptors: the planned connections count, and whether both ends are in this process", () => {
  const overrides = { ...NO_OVERRIDES, connections: 300 };
  const names = ["concurrent-connections", "message-throughput"];
  const planned = planScenarios(SCENARIOS, { names, profile: "quick", overrides });
  assertEquals([mostPlanned(planned, 1), mostPlanned(planned, 4)], [300, 75]);
  const bare = { isBundled: false, insecure: false, noDelay: "auto" } as const;
  assertEquals(filesOfEach(bare), 3);
  assertEquals(filesOfEach({ ...bare, isBundled: true }), 4);
  assertEquals(filesOfEach({ ...bare, insecure: true }), 7);
  assertEquals(filesOfEach({ ...bare, noDelay: "on" }), 7);
});

Deno.test("descriptors: running out while connecting is not blamed on the server", () => {
  for (const detail of ["tcp open error", "Too many open files (os error 24)"]) {
    const cause = `NetworkError: failed to connect to WebSocket: ${detail}`;
    const { failure, message } = dialError("ws://127.0.0.1:1", cause);
    assertEquals(failure, "clientLimit");
    assert(message.includes("ulimit -n"), message);
  }
});
