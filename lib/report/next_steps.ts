/**
 * What to do after this run, decided by what it found. Shared by every format.
 *
 * @module
 */

import type { Report, ScenarioReport } from "../schema.ts";
import { callsHeavyTool, heavyToolNumbers, isHeavyPhase } from "./heavy.ts";
import { findScenario } from "./lookup.ts";
import { coreScenarioNames } from "./scenario_names.ts";

/** With fewer rounds than this there is no interval, and no comparison. */
const ROUNDS_FOR_INTERVALS = 5;

/** Plain sentences, the most urgent first; never empty. */
export function nextSteps(report: Report): string[] {
  const urgent = [...repairs(report), ...completions(report)];
  return report.scenarios.length === 0 && urgent.length > 0
    ? urgent
    : [...urgent, ...continuations(report)];
}

/** What has to be put right before the numbers can be used. */
function repairs(report: Report): string[] {
  const failed = report.scenarios.some(({ status }) => status === "failed");
  const invalid = report.scenarios.some(({ validity, status }) =>
    !validity.valid && status !== "skipped"
  );
  return [
    ...(report.verdict.status === "interrupted" ? ["Run again to the end."] : []),
    ...(report.scenarios.length === 0 && report.verdict.status === "failed"
      ? ["Put right what stopped the run before it could measure anything, and run again."]
      : []),
    ...(losesCalls(report)
      ? ["Look into the server's log for why it closed connections with calls outstanding."]
      : []),
    ...(report.rateLimit === null
      ? []
      : ["Raise the server's limits or stay under them with --max-rate, and run again."]),
    ...(failed
      ? ["Look into the checks that failed: each says what was expected and observed."]
      : []),
    ...(hasReason(report, 4)
      ? ["Look into the thresholds that were missed, and whether they ask for what is needed."]
      : []),
    ...(hasReason(report, 5)
      ? ["Look into what has become slower: a second run tells whether it stays so."]
      : []),
    ...(invalid
      ? ["Follow the warnings on validity and run again: those numbers are not the server's alone."]
      : []),
  ];
}

/** Whether connections went with calls outstanding where that is a failure. */
function losesCalls({ scenarios }: Report): boolean {
  return scenarios.some(({ status, ledger }) => status === "failed" && ledger.connectionLost > 0);
}

/** Whether the verdict has a reason that calls for this exit code. */
function hasReason({ verdict }: Report, code: number): boolean {
  return verdict.reasons.some((reason) => reason.code === code);
}

/** What this run left out. */
function completions(report: Report): string[] {
  const absent = coreScenarioNames(report).filter((name) =>
    findScenario(report, name) === undefined
  );
  const canBeOn = report.target.protocol === "exai";
  const skipped = canBeOn && findScenario(report, "authentication")?.status === "skipped";
  const few = report.scenarios.some(hasFewRounds);
  return [
    ...(absent.length > 0 && report.scenarios.length > 0
      ? [`Run the scenarios that are missing: --scenarios ${absent.join(",")}`]
      : []),
    ...(skipped ? ["Measure authentication on a server that has it switched on."] : []),
    ...(few
      ? [`Ask for more rounds: under ${ROUNDS_FOR_INTERVALS} there is no interval (--rounds).`]
      : []),
  ];
}

/** Whether it was asked for too few; rounds that an interrupt has cut off come with the next run. */
function hasFewRounds({ status, parameters, metrics }: ScenarioReport): boolean {
  const asked = status === "interrupted" ? parameters.rounds : undefined;
  return metrics.some(({ name, rounds }) =>
    name === "throughput" && rounds.length > 0 &&
    (typeof asked === "number" ? asked : rounds.length) < ROUNDS_FOR_INTERVALS
  );
}

/** Where to go from here. */
function continuations(report: Report): string[] {
  return [
    ...(report.target.kind === "embedded"
      ? [
        isHeavyPhase(report)
          ? "Measure your own server's tools: --url ws://host:port with EXAI_WS_TOKEN set and " +
            "--heavy-tools FILE."
          : "Measure your own server: --url ws://host:port with EXAI_WS_TOKEN set.",
      ]
      : []),
    ...heavySteps(report),
    ...(report.verdict.status === "passed"
      ? ["Keep report.json and compare later runs with it: --baseline report.json"]
      : []),
  ];
}

/** How to measure heavy tools, where that was not done. */
function heavySteps(report: Report): string[] {
  if (isHeavyPhase(report) || heavyToolNumbers(report).length > 0) return [];
  const how = report.target.kind === "embedded"
    ? "--profile phase3"
    : "--profile phase3 with --heavy-tools FILE";
  return [
    callsHeavyTool(report)
      ? `Measure ${report.target.tool} beside the other heavy tools: ${how}.`
      : `Measure heavy tools: ${how}; this run does not say how long they take.`,
  ];
}
