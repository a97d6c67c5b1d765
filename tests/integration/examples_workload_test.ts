import { assert, assertEquals } from "@std/assert";
import { brokenEquations } from "../../lib/client/ledger.ts";
import { readWorkload } from "../../lib/cli/workload_file.ts";
import { sessionCapacity } from "../../scenarios/session_capacity/mod.ts";
import { lacks } from "../support/permissions.ts";
import { PROJECT_FOLDER } from "../support/run_cli.ts";
import { failedChecks, runScenario, startReference } from "../support/run_scenarios.ts";

const ignore = lacks("net", "read");

Deno.test(
  { name: "examples/workloads: the agent's day runs, with an exact ledger", ignore },
  async () => {
    const given = { source: "--workload", text: "examples/workloads/agent.yaml" };
    const read = await readWorkload(given, { directory: PROJECT_FOLDER });
    const fast = { medianMs: 2, sigma: 0 };
    await using server = await startReference({
      think: { chat: fast, analyze: fast, debug: fast },
    });
    // Unchanged, except that think times are a hundredth.
    const text = JSON.stringify(read).replaceAll(
      /"(ms|meanMs|medianMs)":(\d+)/g,
      (_, name, ms) => `"${name}":${Number(ms) / 100}`,
    );
    const report = await runScenario(sessionCapacity, {
      ...{ stages: "0.2s:5,1s:5", connections: 5, sloMs: 8_000 },
    }, { ...server, settings: { workload: JSON.parse(text) } });
    const { ledger, metrics } = report;
    assertEquals([failedChecks(report), brokenEquations(ledger), ledger.cached], [[], [], 0]);
    assert(ledger.sent > 20 && ledger.sent === ledger.ok, `${ledger.ok} of ${ledger.sent}`);
    assert(metrics.some(({ name }) => name === "capacity"));
  },
);
