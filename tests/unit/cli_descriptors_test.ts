import { assert, assertEquals, assertThrows } from "@std/assert";
import { filesOfEach, mostPlanned, requireDescriptors } from "../../lib/cli/plan.ts";
import { UsageError } from "../../lib/cli/usage_error.ts";
import { dialError } from "../../lib/client/connect_error.ts";
import { NO_OVERRIDES } from "../support/run_scenarios.ts";
import { planScenarios } from "../../lib/run/plan.ts";
import { SCENARIOS } from "../../scenarios/mod.ts";

Deno.test("descriptors: a run that has no room for its connections is refused, with what there is room for", () => {
  const { message } = assertThrows(
    () => requireDescriptors({ connections: 200, each: 4 }, () => 400),
    UsageError,
  );
  assertEquals(
    message,
    'Cannot use --connections "200": such a run opens about 848 files at once, and this process can open ' +
      "400 more: accepted is up to 88, or raise the limit (ulimit -n 2048)",
  );
  requireDescriptors({ connections: 88, each: 4 }, (wanted) => Math.min(wanted, 400));
  const none = assertThrows(
    () => requireDescriptors({ connections: 0, each: 4 }, () => 39),
    UsageError,
  );
  assertEquals(
    none.message,
    "Cannot run: such a run opens about 48 files at once, and this process can open 39 more: raise the " +
      "limit (ulimit -n 512)",
  );
});

Deno.test("descriptors: what is planned counts, and where both ends are in this process", () => {
  const overrides = { ...NO_OVERRIDES, connections: 300 };
  const names = ["concurrent-connections", "message-throughput"];
  const planned = planScenarios(SCENARIOS, { names, profile: "quick", overrides });
  assertEquals([mostPlanned(planned, 1), mostPlanned(planned, 4)], [300, 75]);
  const bare = { isBundled: false, insecure: false, noDelay: "auto" } as const;
  const ways = [bare, { ...bare, isBundled: true }, { ...bare, insecure: true }, {
    ...bare,
    noDelay: "on",
  }] as const;
  assertEquals(ways.map(filesOfEach), [3, 4, 7, 7]);
});

Deno.test("descriptors: the runtime's words for too few of them are not the server's fault", () => {
  const url = "ws://127.0.0.1:1";
  for (const said of ["tcp open error", "Too many open files (os error 24)"]) {
    const { failure, message } = dialError(
      { url },
      `NetworkError: failed to connect to WebSocket: ${said}`,
    );
    assertEquals(failure, "clientLimit");
    assert(message.includes("ulimit -n"), message);
  }
});
