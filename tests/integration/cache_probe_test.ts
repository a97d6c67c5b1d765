import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { renderTerminalSummary } from "../../lib/cli/write_reports.ts";
import type { ScenarioReport } from "../../lib/schema.ts";
import { defaultServerOptions, type ServerOptionOverrides } from "../../lib/server/options.ts";
import { type RunningServer, startServer } from "../../lib/server/serve.ts";
import { runBenchAt } from "../support/bench_run.ts";
import { NO_OVERRIDES } from "../support/run_scenarios.ts";
import { answerSoundly, HELLO_ACK, startScriptedServer } from "../support/scripted_server.ts";
import { NO_NET as ignore } from "../support/targets.ts";

/** A short run of two clients. */
async function run(url: string) {
  const overrides = { ...NO_OVERRIDES, messages: 5, connections: 2, warmupMs: 0 };
  const scenarios = ["concurrent-connections"];
  const { report, warnings } = await runBenchAt(url, { epochs: 1, scenarios, overrides });
  const [{ ledger, validity, parameters }] = report.scenarios as [ScenarioReport];
  return { report, warnings, ledger, validity, parameters };
}

function start(options: ServerOptionOverrides): Promise<RunningServer> {
  return startServer(defaultServerOptions({ limits: "off", ...options }));
}

for (
  const [what, options] of [
    ["nov, which marks cached replies", { dialect: "nov" }],
    ["oct, which answers identical calls in flight once", { dialect: "oct", slowDownMs: 4 }],
    ["oct25", { dialect: "oct25", slowDownMs: 4 }],
  ] as [string, ServerOptionOverrides][]
) {
  Deno.test({ name: `a cache is bypassed by default: ${what}`, ignore }, async () => {
    await using server = await start(options);
    const { report, warnings, ledger, validity, parameters } = await run(server.url);
    assertEquals([ledger.ok > 0, ledger.cached], [true, 0]);
    assertEquals(validity.warnings, []);
    assertEquals(parameters.toolArgs, '{"n":"{unique}"}');
    assertEquals(report.target.uniqueArguments, '{"n":"{unique}"}');
    assertEquals(report.environment.uniqueSeed, 1);
    assertMatch(warnings.join(), /the server caches repeated calls/);
    const screen = renderTerminalSummary(report, { color: false, width: 200 });
    assertStringIncludes(screen, "unique arguments for every call");
  });
}

Deno.test({ name: "sessions bypass a cache too", ignore }, async () => {
  await using server = await start({ dialect: "nov" });
  const { report } = await runBenchAt(server.url, {
    ...{ epochs: 1, scenarios: ["session-capacity"] },
    overrides: { ...NO_OVERRIDES, stages: "3s:10", warmupMs: 0 },
  });
  const { ok, cached } = report.scenarios[0]!.ledger;
  assertEquals([ok > 1, cached], [true, 0]);
});

Deno.test({ name: "a server without a cache gets the user's arguments", ignore }, async () => {
  await using server = await start({ dialect: "oct" });
  const { report, warnings, parameters } = await run(server.url);
  assertEquals([parameters.toolArgs, warnings], ["{}", []]);
  assertEquals("uniqueArguments" in report.target || "uniqueSeed" in report.environment, false);
});

Deno.test({ name: "a cache that cannot be bypassed causes a warning", ignore }, async () => {
  await using server = startScriptedServer((peer, message, text) => {
    if (message?.op === "hello") return peer.send(HELLO_ACK);
    if (message?.op !== "call_tool") return answerSoundly(peer, message);
    const { request_id } = message;
    peer.send(
      text.includes('"n"')
        ? { op: "call_tool_res", request_id, error: { code: "INVALID", message: "no argument n" } }
        : { op: "call_tool_res", request_id, outputs: [], from_cache: true },
    );
  });
  const { report, ledger, validity, parameters } = await run(server.url);
  assertEquals([parameters.toolArgs, ledger.cached, ledger.toolError], ["{}", ledger.ok, 0]);
  assert(!("uniqueArguments" in report.target));
  assertEquals(validity.warnings.map(({ kind }) => kind), ["cached"]);
  assertStringIncludes(validity.warnings[0]!.message, "{unique}");
});
