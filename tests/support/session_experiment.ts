/**
 * Searches ten times for the session capacity of a server that sustains exactly 40 sessions within
 * the objective: `deno run -q -P=test tests/support/session_experiment.ts [exponential [RUNS]]`.
 * Each search should find 36 to 40. Takes some minutes. The machine repairman model gives the
 * objective: its p99 with exponential times, its response with constant ones.
 *
 * @module
 */

import type { SessionSpec } from "../../lib/load/session.ts";
import { sessionCapacity } from "../../scenarios/session_capacity/mod.ts";
import { printLine } from "./print.ts";
import { startQueueServer } from "./queue_server.ts";
import { constantResponse, mostUsers, responseP99 } from "./repairman.ts";
import { metricNamed, runScenario } from "./run_scenarios.ts";

const RUNS = Number(Deno.args[1] ?? 10);
const USERS = 40;
/** In milliseconds. */
const MODEL = { service: 20, think: 600 };

const isRandom = Deno.args[0] === "exponential";
const response = isRandom ? responseP99 : constantResponse;
const at = (users: number) => response({ ...MODEL, users });
const sloMs = (at(USERS) + at(USERS + 1)) / 2;
const modelled = mostUsers(MODEL, sloMs, response);
printLine(`objective ${sloMs.toFixed(1)} ms: the model sustains ${modelled} sessions`);
const workload: SessionSpec = {
  begin: [],
  lasts: { patterns: null, time: null },
  patterns: [{
    name: "status",
    weight: 1,
    steps: [{
      tool: "status",
      argsJson: "{}",
      think: isRandom
        ? { kind: "exponential", meanMs: MODEL.think }
        : { kind: "constant", ms: MODEL.think },
      timeoutMs: null,
      onError: "continue",
    }],
  }],
};

let good = 0;
for (let run = 1; run <= RUNS; run++) {
  using server = await startQueueServer(1e3 / MODEL.service, isRandom ? "exponential" : "constant");
  const startMs = performance.now();
  const report = await runScenario(sessionCapacity, {
    sloMs,
    durationMs: isRandom ? 10_000 : 2_000,
    confirmMs: isRandom ? 40_000 : 4_000,
  }, { ...server, settings: { workload, seed: run } });
  const capacity = report.metrics.some(({ name }) => name === "capacity")
    ? metricNamed(report, "capacity", "scalar").value
    : 0;
  if (capacity >= 36 && capacity <= 40) good++;
  const tried = report.metrics.filter(({ name }) => name === "throughput")
    .map(({ at }) => at!.sessions).join(" ");
  const { sent, ok } = report.ledger;
  printLine(
    `run ${run}: ${capacity} sessions, tried ${tried}, ${ok} of ${sent} calls served, ` +
      `${((performance.now() - startMs) / 1e3).toFixed(0)} s; ` +
      (report.notes ?? []).map(({ message }) => message).join("; "),
  );
}
printLine(`${good} of ${RUNS} found 36 to 40`);
