/**
 * The statements of the phase document that a reader ticks off, each decided by this run: true and
 * false are results, `null` is "not measured".
 *
 * @module
 */

import type { Report } from "../schema.ts";
import { concurrentThroughput, singleThroughput, slowdown, slowerOrFaster } from "./key_numbers.ts";
import { totalCalls } from "./ledger.ts";
import { findScenario, isJudged, isSound } from "./lookup.ts";
import { formatCount, formatRate } from "./units.ts";

export interface Criterion {
  text: string;
  met: boolean | null;
  /** What decided it, as plain text, possibly with a server's own words in it. */
  note: string;
}

/** The outcome of one scenario as a criterion. */
export function scenarioCriterion(report: Report, text: string, name: string): Criterion {
  const scenario = findScenario(report, name);
  if (scenario === undefined) return { text, met: null, note: "not measured in this run" };
  const { status, checks } = scenario;
  if (status === "skipped") {
    return { text, met: null, note: `not measured: ${scenario.reason ?? "skipped"}` };
  }
  const passed = checks.filter((check) => check.passed).length;
  const note = `${formatCount(passed)} of ${formatCount(checks.length)} checks passed`;
  if (status === "interrupted") return { text, met: null, note: `interrupted; ${note}` };
  return { text, met: status === "passed", note };
}

/** Whether calls were served over a real socket, and how many. */
export function realConnectionsCriterion(report: Report): Criterion {
  const { sent, ok } = totalCalls(report);
  const text = "Real WebSocket connections tested (not direct method calls)";
  return sent === 0
    ? { text, met: null, note: "no call was sent" }
    : { text, met: ok > 0, note: `${formatCount(ok)} of ${formatCount(sent)} calls served` };
}

/**
 * Whether the protocol was followed: connections established, no frame that it does not know, and, where
 * it was measured, authentication. Without that it claims none: sessions may be open to everybody.
 */
export function protocolCriterion(report: Report): Criterion {
  const { status } = findScenario(report, "authentication") ?? {};
  const judged = status === "passed" || status === "failed";
  const criterion = scenarioCriterion(
    report,
    `WebSocket protocol validated (handshake, framing${judged ? ", auth" : ""})`,
    "connection-establishment",
  );
  if (criterion.met === null) return criterion;
  const { stray, malformed } = totalCalls(report);
  const frames = stray + malformed === 0
    ? "no stray or malformed frame"
    : `${formatCount(stray)} stray and ${formatCount(malformed)} malformed frames`;
  const auth = judged ? `authentication ${status}` : "authentication not measured";
  return {
    ...criterion,
    met: criterion.met && stray + malformed === 0 && status !== "failed",
    note: `${criterion.note}, ${frames}, ${auth}`,
  };
}

/** Whether the throughput of one and of several clients stands, measured in valid, passed scenarios. */
export function baselineCriterion(report: Report): Criterion {
  const text = "Performance baseline established";
  const single = singleThroughput(report);
  const concurrent = concurrentThroughput(report);
  if (single === null && concurrent === null) return { text, met: null, note: "not measured" };
  const sound = ["message-throughput", "concurrent-connections"].every((name) => {
    return isSound(findScenario(report, name));
  });
  const range = [single, concurrent].filter((rate) => rate !== null).map(formatRate).join(", ");
  const cap = findScenario(report, "message-throughput")?.parameters.maxRatePerSecond;
  if (typeof cap === "number") {
    return { text, met: null, note: `${range}, capped by --max-rate ${cap}: not the server's` };
  }
  return { text, met: sound, note: sound ? range : `${range}, but not all of it passed and valid` };
}

/** Whether there is a unit baseline to compare with. */
export function comparisonCriterion(report: Report): Criterion {
  const text = "Performance comparison documented";
  const ratio = slowdown(report, singleThroughput(report));
  return ratio === null
    ? { text, met: null, note: "not measured" }
    : { text, met: true, note: `${slowerOrFaster(ratio)} than unit tests` };
}

/** Whether every scenario that ran has passed. */
export function allPassedCriterion(report: Report): Criterion {
  const ran = report.scenarios.filter(({ status }) => status !== "skipped");
  const passed = ran.filter(({ status }) => status === "passed").length;
  const text = "All tests passing";
  return ran.length === 0
    ? { text, met: null, note: "none was run" }
    : { text, met: passed === ran.length, note: `${passed}/${ran.length}` };
}

/** Whether the client was never the bottleneck. */
export function validityCriterion(report: Report): Criterion {
  const ran = report.scenarios.filter(({ status }) => status !== "skipped");
  const invalid = ran.filter(({ validity }) => !validity.valid).length;
  const judged = ran.filter(isJudged).length;
  const text = "Measurements valid (not bounded by the client or a cache)";
  return ran.length === 0 ? { text, met: null, note: "none was made" } : {
    text,
    met: invalid > 0 ? false : judged > 0 ? true : null,
    note: invalid > 0
      ? `${invalid}/${ran.length} scenarios are not`
      : `${judged}/${ran.length} scenarios${
        judged < ran.length ? "; too little was seen of the others to tell" : ""
      }`,
  };
}
