import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { renderTerminalSummary } from "../../lib/cli/write_reports.ts";
import { defaultServerOptions, type ServerOptionOverrides } from "../../lib/server/options.ts";
import { startServer } from "../../lib/server/serve.ts";
import { runBenchAt } from "../support/bench_run.ts";
import { NO_OVERRIDES } from "../support/run_scenarios.ts";
import { NO_NET as ignore } from "../support/targets.ts";

/** Runs at full speed into a server's limits; returns the summary too, without line wraps. */
async function runInto(options: ServerOptionOverrides, scenario: string) {
  await using server = await startServer(defaultServerOptions(options));
  const { report } = await runBenchAt(server.url, {
    epochs: 2,
    timeoutMs: 1_000,
    ignoreLimits: true,
    toolArgsJson: '{"n":"{unique}"}',
    scenarios: [scenario],
    overrides: { ...NO_OVERRIDES, messages: 40, connections: 5 },
  });
  const screen = renderTerminalSummary(report, { color: false, width: 2000 });
  return { scenario: report.scenarios[0]!, screen };
}

const NONE = { userRate: null, ipRate: null, globalRate: null };

Deno.test("dropped refusals count as the limiter's, and cost one timeout", { ignore }, async () => {
  const limits = { ...NONE, userRate: { capacity: 20, refillPerSecond: 2 } };
  const { scenario, screen } = await runInto({ dialect: "oct", limits }, "message-throughput");
  const { warmupLedger, ledger, notes = [] } = scenario;
  assertEquals(warmupLedger.timeout + ledger.timeout, 1);
  assertEquals(notes.map(({ kind }) => kind), ["refusalsDropped"]);
  assertMatch(screen, /refused call 21 of a session: .*later calls got no answer at all/);
  assertStringIncludes(screen, "--max-rate 1.6 (a session has 2 a second)");
  assertStringIncludes(screen, "RATE_LIMIT_USER_CAPACITY, RATE_LIMIT_USER_REFILL_RATE");
});

Deno.test("a limit per address is reported as such, and no rate is shown", { ignore }, async () => {
  const limits = { ...NONE, ipRate: { capacity: 60, refillPerSecond: 10 } };
  const { scenario, screen } = await runInto({ dialect: "nov", limits }, "concurrent-connections");
  assert(scenario.ledger.rateLimited > 0);
  assertStringIncludes(screen, "rate limit per address, which all clients share, refused calls");
  assert(!/of a session|the rate of one|msg\/s/.test(screen), screen);
  assertStringIncludes(screen, "--max-rate 1.6 (5 clients share the address's 10 a second)");
  assertStringIncludes(screen, "RATE_LIMIT_IP_CAPACITY, RATE_LIMIT_IP_REFILL_RATE");
});
