import { assert, assertEquals, AssertionError, assertRejects, assertThrows } from "@std/assert";
import { requireDescriptors } from "../../lib/cli/plan.ts";
import { UsageError } from "../../lib/cli/usage_error.ts";
import { dialError } from "../../lib/client/connect_error.ts";
import { configOf } from "../support/config_of.ts";
import { planScenarios } from "../../lib/run/plan.ts";
import { SCENARIOS } from "../../scenarios/mod.ts";

async function messageOf(args: string[], { free = 0, sides = 1 } = {}): Promise<string> {
  const config = await configOf(args, { env: {}, directory: "/", vocabulary: {} });
  const names = ["concurrent-connections", "message-throughput"];
  const planned = planScenarios(SCENARIOS, { ...config, scenarios: names });
  return assertThrows(
    () => requireDescriptors({ config, planned, sides }, (wanted) => Math.min(wanted, free)),
    UsageError,
  ).message;
}

Deno.test("descriptors: a run with too few of them is refused, with the connections that fit", async () => {
  assertEquals(
    await messageOf(["--connections", "200"], { free: 400 }),
    'Cannot use --connections "200": such a run opens about 848 files at once, and this process can open ' +
      "400 more: accepted is up to 88, or raise the limit (ulimit -n 2048)",
  );
  await assertRejects(() => messageOf(["--connections", "88"], { free: 400 }), AssertionError);
  assertEquals(
    await messageOf(["--connections", "1"], { free: 39 }),
    "Cannot run: such a run opens about 52 files at once, and this process can open 39 more: raise the " +
      "limit (ulimit -n 512)",
  );
});

Deno.test("descriptors: servers, shards, relays and the ends in this process count", async () => {
  const filesOf = async (args: string[], sides?: number) => {
    const message = await messageOf(["--connections", "300", ...args], { sides });
    return Number(/about (\d+) files/.exec(message)![1]) - 48;
  };
  const url = ["--url", "ws://a"];
  assertEquals(await filesOf([]), 4 * 300);
  assertEquals(await filesOf(url), 3 * 300);
  assertEquals(await filesOf(url, 2), 4 * 300);
  assertEquals(await filesOf([...url, "--shard", "1/4"]), 3 * 75);
  for (const relay of [["--insecure"], ["--no-delay", "on"]]) {
    assertEquals(await filesOf([...url, ...relay]), 7 * 300);
    assertEquals(await filesOf([...url, ...relay], 2), 10 * 300);
  }
});

Deno.test("descriptors: running out while connecting is not blamed on the server", () => {
  for (const detail of ["tcp open error", "Too many open files (os error 24)"]) {
    const cause = `NetworkError: failed to connect to WebSocket: ${detail}`;
    const { failure, message } = dialError("ws://127.0.0.1:1", cause);
    assertEquals(failure, "clientLimit");
    assert(message.includes("ulimit -n"), message);
  }
});
