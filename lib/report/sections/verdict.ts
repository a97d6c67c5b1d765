/**
 * The outcome of a run in words: verdict, target, duration, ledger.
 *
 * @module
 */

import type { Ledger, Report, ScenarioReport, ThresholdResult } from "../../schema.ts";
import { code, type Content, foreign, type Inline, joined, mark } from "../document.ts";
import { type MarkName, prose } from "../document.ts";
import { formatCount, formatCounted, formatDigits, formatQuantity, formatSpan } from "../units.ts";

export const STATUS_MARKS = {
  passed: "passed",
  failed: "failed",
  skipped: "skipped",
  interrupted: "warning",
} as const satisfies Record<ScenarioReport["status"], MarkName>;

/** The mark of a scenario: a warning if it passed but is not valid. */
export function scenarioMark(scenario: ScenarioReport | undefined): MarkName {
  if (scenario === undefined) return "skipped";
  const { status, validity } = scenario;
  return status === "passed" && !validity.valid ? "warning" : STATUS_MARKS[status];
}

/** Causes of failure by exit code. */
const CAUSES: Record<number, string> = {
  1: "a check failed",
  2: "the reports could not be written",
  3: "the target cannot be used",
  4: "a threshold was missed",
  6: "a result is invalid or undecided",
};

/** `PASSED`, `FAILED: a threshold was missed`. */
export function verdictWords({ verdict, ab }: Report): string {
  if (verdict.status === "passed") return "PASSED";
  if (verdict.status === "interrupted") return "INTERRUPTED";
  const worse = ab === undefined ? "slower than the baseline" : "B is worse than A";
  const causes = verdict.reasons.flatMap(({ code }) => code === 5 ? worse : CAUSES[code] ?? []);
  return `FAILED${causes.length === 0 ? "" : `: ${[...new Set(causes)].join(", ")}`}`;
}

/** The mark of a run and its verdict. */
export function verdictInline(report: Report): Inline[] {
  return [mark(STATUS_MARKS[report.verdict.status]), " ", verdictWords(report)];
}

/** `7 of 7 scenarios passed`, `6 of 7 scenarios passed, 1 skipped`. */
export function tally({ scenarios }: Report): string {
  if (scenarios.length === 0) return "no scenario ran";
  const count = (wanted: ScenarioReport["status"]) =>
    scenarios.filter(({ status }) => status === wanted).length;
  const others = (["skipped", "interrupted"] as const)
    .flatMap((status) => count(status) === 0 ? [] : `, ${count(status)} ${status}`);
  const all = formatCounted(scenarios.length, "scenario");
  return `${count("passed")} of ${all} passed${others.join("")}`;
}

/** The duration of the run; empty if the report's timestamps cannot be read. */
export function runSpan({ startedAt, finishedAt }: Report): string {
  const milliseconds = Date.parse(finishedAt) - Date.parse(startedAt);
  return Number.isFinite(milliseconds) ? formatSpan(Math.max(0, milliseconds)) : "";
}

/** The server, or both servers, and the tool. */
export function targetName({ target, ab }: Report): Inline[] {
  const server = target.kind === "embedded" ? "Bundled server" : foreign(target.url);
  const servers = ab === undefined
    ? server
    : prose`B ${foreign(ab.b.url)} against A ${foreign(ab.a.url)}`;
  return prose`${servers}, tool ${code(target.tool)}`;
}

/** The address of the server, or of both, and how it was called. */
export function targetWords({ target, ab }: Report): Inline[] {
  const kind = target.kind === "embedded" ? "The bundled reference server" : "The server";
  const where = ab === undefined
    ? prose`${kind} at ${code(target.url)}`
    : prose`A is ${code(ab.a.url)}, B is ${code(ab.b.url)}`;
  const relay = target.noDelay ? ", through a relay without Nagle's algorithm" : "";
  const insecure = target.insecure ? ", without a check of its certificate" : "";
  const { proxy, uniqueArguments } = target;
  const through = proxy === undefined ? "" : prose`, through the proxy ${foreign(proxy)}`;
  const unique = uniqueArguments === undefined
    ? ""
    : prose` with unique arguments for every call, ${code(uniqueArguments)}, because the server
      serves repeated calls from a cache`;
  return prose`${where}, protocol ${target.protocol}${relay}${insecure}${through}, tool
    ${code(target.tool)}${unique}`;
}

/** The parts of a merged run, or the share of a shard; empty for other runs. */
export function splitWords({ shard, merged }: Report): string {
  if (merged !== undefined) {
    const lost = merged.parts.filter(({ lost }) => lost !== null).length;
    const died = lost > 0 ? `, ${lost} of which died` : "";
    return `Merged from ${merged.parts.length} ${merged.of}${died}.`;
  }
  if (shard === undefined) return "";
  return `Shard ${shard.index} of ${shard.count} only.`;
}

/** The units a threshold can use, in nanoseconds. */
const THRESHOLD_UNITS: Record<string, number> = { ns: 1, "µs": 1e3, ms: 1e6, s: 1e9 };

/** The observed value of a threshold, in the unit of its expression, or why there is none. */
export function observedWords({ expression, observed, unit, reason }: ThresholdResult): Content {
  if (observed === null) {
    return reason === null ? "not measured" : ["not measured: ", foreign(reason)];
  }
  const [written] = unit === "ns"
    ? /(?<=\d\s*)(?:ns|[uµμ]s|ms|s)$/.exec(expression.trim()) ?? []
    : [];
  if (written === undefined) return formatQuantity(observed, unit);
  // The micro sign, for the Greek letter too.
  const name = written.replace(/[uμ]s/, "µs");
  return `${formatDigits(observed / THRESHOLD_UNITS[name]!)} ${name}`;
}

const OUTCOMES = [
  ["ok", "ok"],
  ["cached", "of them from a cache"],
  ["toolError", "answered with an error"],
  ["rateLimited", "rate-limited"],
  ["timeout", "timed out"],
  ["connectionLost", "lost with their connection"],
  ["aborted", "aborted"],
  ["dropped", "never sent"],
] as const;

const FRAMES = ["final", "progress", "late", "duplicate", "orphan", "malformed"] as const;

/** `500 calls sent: 500 ok; 1,000 frames received: 500 final, 500 progress` */
export function ledgerWords(ledger: Ledger): string {
  const outcomes = OUTCOMES.flatMap(([key, word]) =>
    ledger[key] === 0 && key !== "ok" ? [] : `${formatCount(ledger[key])} ${word}`
  );
  const frames = FRAMES.flatMap((key) =>
    ledger.frames[key] === 0 ? [] : `${formatCount(ledger.frames[key])} ${key}`
  );
  const received = frames.length === 0
    ? ""
    : `; ${formatCounted(ledger.frames.received, "frame")} received: ${frames.join(", ")}`;
  return `${formatCounted(ledger.sent, "call")} sent: ${outcomes.join(", ")}${received}`;
}

/** Each error code with its count and the server's first message for it, the most frequent first. */
export function errorItems({ errorCodes, errorMessages = {} }: Ledger): Content[] {
  return Object.entries(errorCodes).toSorted(([, a], [, b]) => b - a).map(([name, count]) => {
    const said = Object.hasOwn(errorMessages, name)
      ? prose`: ${foreign(errorMessages[name]!)}`
      : "";
    return prose`${code(name)} x ${formatCount(count)}${said}`;
  });
}

/** Close codes other than 1000, each with the first reason given: `1008 x 1 (go away)`. */
export function closeWords({ closeCodes, closeReasons = {} }: Ledger): Inline[] {
  const codes = Object.entries(closeCodes).filter(([name]) => name !== "1000");
  const words = codes.map(([name, count]) => {
    const why = Object.hasOwn(closeReasons, name) ? prose` (${foreign(closeReasons[name]!)})` : "";
    return prose`${code(name)} x ${formatCount(count)}${why}`;
  });
  return joined(words, ", ");
}

/** The command, quoted for a shell where necessary. */
export function commandLine({ command }: Report): string {
  return command.map((argument) =>
    /^[\w@%+=:,./-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", `'\\''`)}'`
  ).join(" ");
}
