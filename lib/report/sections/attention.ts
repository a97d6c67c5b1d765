/**
 * What to look at, each with what to do, the most urgent first: three on the first screen, the
 * others among the next steps.
 *
 * @module
 */

import type { RateLimit, Reason, Report, ScenarioReport } from "../../schema.ts";
import { type Block, code, type Content, foreign, joined, list } from "../document.ts";
import { heading, mark, type MarkName, prose, textOf } from "../document.ts";
import { factWords, ranScenarios } from "../quantities.ts";
import { scenarioLink, wideHalfWidth } from "../trust.ts";
import { formatCount, formatCounted, formatNumber, formatPercent } from "../units.ts";
import { findScenario, isLoadPhase } from "./key_numbers.ts";

export interface Attention {
  /** Default: `warning`. */
  mark?: MarkName;
  text: Content;
  /** Empty if the text says what to do, or an item before it does. */
  action: Content;
}

function attentionLine({ mark: name = "warning", text, action }: Attention): Content {
  return joined([prose`${mark(name)} ${text}`, action], " → ");
}

const FIRST_ITEMS = 3;

/** The most urgent items. */
export function attentionBlocks(report: Report): Block[] {
  const items = attention(report).slice(0, FIRST_ITEMS).map(attentionLine);
  return items.length === 0 ? [] : [heading("What to look at"), list(items)];
}

/** Everything to look at; empty if all is well. */
export function attention(report: Report): Attention[] {
  // The first screen already lists missed thresholds, and the gates of `ab`.
  const reasons = report.verdict.reasons.filter(({ code, kind }) =>
    (code !== 5 || report.ab === undefined) &&
    (kind !== "threshold" || report.thresholds === undefined)
  );
  const named = new Set(reasons.map(({ scenario }) => scenario));
  const others = ranScenarios(report).filter(({ name }) => !named.has(name));
  const causes = ranScenarios(report).filter(({ name, validity }) =>
    named.has(name) && validity.warnings.some(({ kind }) => PACE.includes(kind))
  );
  return [
    // Causes before the failures they explain.
    ...limiterItem(report),
    ...causes.flatMap((scenario) => invalidItem(report, scenario)),
    ...reasons.map((reason) => reasonItem(report, reason)),
    ...others.flatMap((scenario) => invalidItem(report, scenario)),
    ...incomparableItem(report),
    ...wideItem(report),
  ].map((item, nth, all) => {
    const isSaid = all.slice(0, nth).some(({ action }) => textOf(action) === textOf(item.action));
    return isSaid ? { ...item, action: "" } : item;
  });
}

/** Not in `ab`, whose rows say how many more epochs they need. */
function wideItem(report: Report): Attention[] {
  const width = wideHalfWidth(report);
  if (width === null || report.ab !== undefined) return [];
  // Parts of a run cannot agree on when to stop.
  const isWhole = report.merged === undefined && report.shard === undefined;
  return [{
    text: `Another run may differ by up to ${formatPercent(width)}`,
    action: prose`stop other work on this machine, or measure until the numbers repeat:
      ${code(isWhole ? "--precision 10" : "--epochs")}.`,
  }];
}

/** Warnings that explain failed checks: the server was overloaded, or the client was late. */
const PACE = ["serverBehind", "clientLate"];

/** What to do about a reason, by its exit code; nothing where the message says it. */
const ACTIONS: Record<number, string> = {
  1: "see the failed checks: each shows what was expected and what was observed.",
  2: "make the path writable, or choose another with --out.",
  3: "",
  4: "find what changed, or set a threshold the server can meet.",
  5: "run again: a slowdown that repeats is real.",
  6: "follow the warning, or run again on a quieter machine.",
};

function reasonItem(report: Report, { code: exit, scenario, message }: Reason): Attention {
  const found = scenario === null ? undefined : findScenario(report, scenario);
  const text = message.startsWith(`${scenario}: `) ? message.slice(scenario!.length + 2) : message;
  const isCheck = exit !== 1 || found !== undefined;
  const hasNumbers = ranScenarios(report).some(({ metrics }) => metrics.length > 0);
  return {
    mark: exit >= 128 || exit === 6 ? "warning" : "failed",
    text: joined([found === undefined ? "" : scenarioLink(report, found), foreign(text)], ": "),
    action: exit >= 128
      ? `run again${hasNumbers ? ": the numbers cover only what was measured until then" : ""}.`
      : (isCheck ? ACTIONS[exit] : undefined) ?? "find the cause, and run again.",
  };
}

function invalidItem(report: Report, scenario: ScenarioReport): Attention[] {
  const { valid, client, warnings } = scenario.validity;
  if (valid) return [];
  const kinds = Map.groupBy(warnings, ({ kind }) => kind).values();
  const facts = [...kinds].map(([fact]) => foreign(factWords(scenario, fact!)));
  return [{
    text: prose`${scenarioLink(report, scenario)}: ${joined(facts, "; ")}`,
    action: warnings.some(({ kind }) => kind === "serverBehind")
      ? prose`this is the server's limit: offer less than it answered (${code("--rate")}), or let
        ${code("--scenarios saturation")} find the rate it sustains.`
      : client === "bound"
      ? prose`spread the load over ${code("--workers")}, or measure from a faster machine.`
      : warnings.some(({ kind }) => kind === "changed")
      ? "run again on an idle machine before quoting its numbers."
      : "run again before quoting its numbers.",
  }];
}

/** Which call a rate limiter refused. */
export function refusalWords({ owner, atCall }: RateLimit): string {
  return owner === "ip"
    ? "The server's rate limit per address, which all clients share, refused calls"
    : `The server's rate limiter refused call ${formatCount(atCall)} of a session`;
}

/** Not for a limiter that the run found beforehand and stayed under. */
function limiterItem(report: Report): Attention[] {
  const { rateLimit, target: { protocol } } = report;
  if (rateLimit === null || rateLimit.scenario === null) return [];
  const { owner, advisedPerSecond, addressRefillPerSecond: shared } = rateLimit;
  const dropped = ranScenarios(report).flatMap(({ notes = [] }) => notes)
    .filter(({ kind }) => kind === "refusalsDropped").slice(0, 1);
  const messages = [rateLimit, ...dropped].map(({ message }) => foreign(message));
  const buckets = owner === "ip" ? ["IP"] : shared === undefined ? ["USER"] : ["USER", "IP"];
  const variables = buckets.flatMap((name) =>
    ["CAPACITY", "REFILL_RATE"].map((what) => code(`RATE_LIMIT_${name}_${what}`))
  );
  const option = advisedPerSecond === undefined ? "--max-rate" : `--max-rate ${advisedPerSecond}`;
  return [{
    text: prose`${refusalWords(rateLimit)}: ${joined(messages, "; ")}`,
    action: prose`stay under it with ${code(option)}${shareWords(rateLimit)}, or raise the server's
      limits${protocol === "exai" ? prose` (${joined(variables, ", ")})` : ""}.`,
  }];
}

/** The reason for the advised rate: ` (5 clients share the address's 10 a second)`. */
function shareWords(limit: RateLimit): string {
  const { sessions = 0, addressRefillPerSecond: address, refillPerSecond: own } = limit;
  if (limit.advisedPerSecond === undefined) return "";
  const refill = (value: number) => formatNumber(Number(value.toPrecision(2)));
  return address !== undefined && (own === undefined || address / sessions < own)
    ? ` (${formatCounted(sessions, "client")} share the address's ${refill(address)} a second)`
    : own === undefined
    ? ""
    : ` (a session has ${refill(own)} a second)`;
}

function incomparableItem({ comparison }: Report): Attention[] {
  const differences = comparison?.differences ?? [];
  return differences.length === 0 ? [] : [{
    text: prose`The runs compared differ: ${joined(differences.map(foreign), "; ")}`,
    action: "compare runs with the same settings before drawing conclusions.",
  }];
}

/** What is left of {@linkcode attention}, then suggestions that hold whatever the outcome. */
export function nextSteps(report: Report): Content[] {
  const embedded = report.target.kind === "embedded";
  const heavy = embedded ? "--profile phase3" : "--profile phase3 --heavy-tools FILE";
  return [
    ...attention(report).slice(FIRST_ITEMS).map(attentionLine),
    ...report.epochs < 5 && report.scenarios.length > 0
      ? [prose`Measure at least 5 epochs, as fewer give no interval: ${code("--epochs 10")}.`]
      : [],
    ...embedded
      ? [prose`Measure your own server: ${code("--url ws://host:port")} with
        ${code("EXAI_WS_TOKEN")} set.`]
      : [],
    ...isLoadPhase(report) ? [] : [prose`Measure heavy tools: ${code(heavy)}.`],
    ...report.verdict.status === "passed" && report.comparison?.automatic === true
      ? [prose`Make regressions fail the run: ${code("--baseline")} with the history folder next to
        ${code("report.json")}.`]
      : [],
  ];
}
