/**
 * What a reader should look at, each with what to do: the most urgent first. The first three stand on the
 * first screen, any further ones with the next steps.
 *
 * @module
 */

import type { RateLimit, Reason, Report, ScenarioReport } from "../../schema.ts";
import { type Block, code, type Content, foreign, joined, list } from "../document.ts";
import { heading, mark, type MarkName, prose } from "../document.ts";
import { factWords, ranScenarios } from "../quantities.ts";
import { scenarioLink, wideHalfWidth } from "../trust.ts";
import { formatCount, formatCounted, formatNumber, formatPercent } from "../units.ts";
import { findScenario, isLoadPhase } from "./key_numbers.ts";

export interface Attention {
  mark: MarkName;
  text: Content;
  action: Content;
}

function attentionLine({ mark: name, text, action }: Attention): Content {
  return prose`${mark(name)} ${text} → ${action}`;
}

const FIRST_ITEMS = 3;

/** The most urgent of what to look at, each with what to do. */
export function attentionBlocks(report: Report): Block[] {
  const items = attention(report).slice(0, FIRST_ITEMS).map(attentionLine);
  return items.length === 0 ? [] : [heading("What to look at"), list(items)];
}

/** What to look at; empty where all is well. */
export function attention(report: Report): Attention[] {
  // Missed thresholds, and what is slower of two servers, stand above it one by one.
  const reasons = report.verdict.reasons.filter(({ code, kind }) =>
    (code !== 5 || report.ab === undefined) &&
    (kind !== "threshold" || report.thresholds === undefined)
  );
  const told = new Set(reasons.map(({ scenario }) => scenario));
  const others = ranScenarios(report).filter(({ name }) => !told.has(name));
  const causes = ranScenarios(report).filter(({ name, validity }) =>
    told.has(name) && validity.warnings.some(({ kind }) => PACE.includes(kind))
  );
  return [
    // The cause of what the reasons say.
    ...limiterItem(report),
    ...causes.flatMap((scenario) => invalidItem(report, scenario)),
    ...reasons.map((reason) => reasonItem(report, reason)),
    ...others.flatMap((scenario) => invalidItem(report, scenario)),
    ...incomparableItem(report),
    ...wideItem(report),
  ];
}

/** Where two servers were compared, their rows say what more epochs would do. */
function wideItem(report: Report): Attention[] {
  const width = wideHalfWidth(report);
  if (width === null || report.ab !== undefined) return [];
  return [{
    mark: "warning",
    text: `Another run may differ by ${formatPercent(width)}`,
    action: [
      "stop other work on this machine, or measure until the numbers repeat: ",
      // Parts of a run cannot agree on when to stop.
      code(
        report.merged === undefined && report.shard === undefined ? "--precision 10" : "--epochs",
      ),
      ".",
    ],
  }];
}

/** What a server that is offered too much, and a client that is late, make a scenario fail by. */
const PACE = ["serverBehind", "clientLate"];

/** What to do about a reason, by the exit code that it calls for. */
const ACTIONS: Record<number, string> = {
  1: "see the failed checks: each has what was expected and what was seen.",
  2: "free the place named, or choose another with --out.",
  3: "fix what the message names, and run again.",
  4: "find what changed, or set a bound that the server can meet.",
  5: "run again: a slowdown that repeats is real.",
  6: "follow the warning, or run again on a quieter machine.",
  130: "run again; any numbers cover only what was measured until then.",
  143: "run again; any numbers cover only what was measured until then.",
};

function reasonItem(report: Report, { code: exit, scenario, message }: Reason): Attention {
  const found = scenario === null ? undefined : findScenario(report, scenario);
  const said = message.startsWith(`${scenario}: `) ? message.slice(scenario!.length + 2) : message;
  const isCheck = exit !== 1 || found !== undefined;
  return {
    mark: exit >= 128 || exit === 6 ? "warning" : "failed",
    text: joined([found === undefined ? "" : scenarioLink(report, found), foreign(said)], ": "),
    action: (isCheck ? ACTIONS[exit] : undefined) ?? "look into it, and run again.",
  };
}

function invalidItem(report: Report, scenario: ScenarioReport): Attention[] {
  const { valid, client, warnings } = scenario.validity;
  if (valid) return [];
  const said = warnings.map((fact) => foreign(factWords(scenario, fact)));
  return [{
    mark: "warning",
    text: prose`${scenarioLink(report, scenario)}: ${joined(said, "; ")}`,
    action: warnings.some(({ kind }) => kind === "serverBehind")
      ? prose`this is the server's limit: offer less than it answered (${code("--rate")}), or let
        ${code("--scenarios saturation")} find what it sustains.`
      : client === "bound"
      ? prose`spread the load over ${code("--workers")}, or measure from a faster machine.`
      : "do not quote its numbers until that is fixed.",
  }];
}

/** One that was looked for and kept to has refused no call of a scenario. */
function limiterItem(report: Report): Attention[] {
  const { rateLimit, target: { protocol } } = report;
  if (rateLimit === null || rateLimit.scenario === null) return [];
  const { owner, atCall, advisedPerSecond, addressRefillPerSecond: shared } = rateLimit;
  const isAddress = owner === "ip";
  const where = isAddress
    ? "The server's rate limit of one address, which all clients share, refused calls: "
    : `The server's rate limiter refused call ${formatCount(atCall)} of a session: `;
  const dropped = ranScenarios(report).flatMap(({ notes = [] }) => notes)
    .filter(({ kind }) => kind === "refusalsDropped").slice(0, 1);
  const buckets = isAddress ? ["IP"] : shared === undefined ? ["USER"] : ["USER", "IP"];
  const variables = buckets.flatMap((name) =>
    ["CAPACITY", "REFILL_RATE"].map((what) => code(`RATE_LIMIT_${name}_${what}`))
  );
  const option = advisedPerSecond === undefined ? "--max-rate" : `--max-rate ${advisedPerSecond}`;
  return [{
    mark: "warning",
    text: [where, ...joined([rateLimit, ...dropped].map((one) => foreign(one.message)), "; ")],
    action: prose`stay under it with ${code(option)}${shareWords(rateLimit)}, or raise the server's
      limits${protocol === "exai" ? prose` (${joined(variables, ", ")})` : ""}.`,
  }];
}

/** Why a rate is advised: ` (5 clients share the address's 10 a second)`. */
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
    mark: "warning",
    text: prose`The runs compared differ: ${joined(differences.map(foreign), "; ")}`,
    action: "compare runs of the same settings before you conclude anything.",
  }];
}

/** Where to go from here, whatever the outcome; what is wrong stands in {@linkcode attention}. */
export function nextSteps(report: Report): Content[] {
  const embedded = report.target.kind === "embedded";
  const heavy = embedded ? "--profile phase3" : "--profile phase3 --heavy-tools FILE";
  const steps: [boolean, Content][] = [
    [
      report.epochs < 5 && report.scenarios.length > 0,
      prose`Ask for 5 epochs or more: fewer have no interval (${code("--epochs 10")}).`,
    ],
    [
      embedded,
      prose`Measure your own server: ${code("--url ws://host:port")} with
        ${code("EXAI_WS_TOKEN")} set.`,
    ],
    [!isLoadPhase(report), prose`Measure heavy tools: ${code(heavy)}.`],
    [
      report.verdict.status === "passed" && (report.comparison?.automatic ?? true),
      prose`Let a regression against earlier runs fail a run:
        ${code("--baseline reports/history")}.`,
    ],
  ];
  return [
    ...attention(report).slice(FIRST_ITEMS).map(attentionLine),
    ...steps.flatMap(([applies, step]) => applies ? [step] : []),
  ];
}
