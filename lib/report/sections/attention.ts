/**
 * What a reader should look at, each with what to do: the most urgent first. The first three stand on the
 * first screen, any further ones with the next steps.
 *
 * @module
 */

import type { Reason, Report, ScenarioReport } from "../../schema.ts";
import { type Block, code, type Content, foreign, inlines, joined, list } from "../document.ts";
import { heading, mark, type MarkName } from "../document.ts";
import { factWords, ranScenarios } from "../quantities.ts";
import { scenarioLink } from "../trust.ts";
import { formatCount } from "../units.ts";
import { findScenario, isLoadPhase } from "./key_numbers.ts";

export interface Attention {
  mark: MarkName;
  text: Content;
  action: Content;
}

function attentionLine({ mark: name, text, action }: Attention): Content {
  return [mark(name), " ", ...inlines(text), " → ", ...inlines(action)];
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
  return [
    // The cause of what the reasons say.
    ...limiterItem(report),
    ...reasons.map((reason) => reasonItem(report, reason)),
    ...others.flatMap((scenario) => invalidItem(report, scenario)),
    ...incomparableItem(report),
  ];
}

/** What to do about a reason, by the exit code that it calls for. */
const ACTIONS: Record<number, string> = {
  1: "see the failed checks: each has what was expected and what was seen.",
  2: "free the place named, or choose another with --out.",
  3: "put right what the message names, and run again.",
  4: "find what changed, or ask for what the server has to give.",
  5: "run again: what is slower twice is slower.",
  6: "follow the warning, or run again on a quieter machine.",
  130: "run again to the end; what was measured until then is below.",
  143: "run again to the end; what was measured until then is below.",
};

function reasonItem(report: Report, { code: exit, scenario, message }: Reason): Attention {
  const found = scenario === null ? undefined : findScenario(report, scenario);
  const said = message.startsWith(`${scenario}: `) ? message.slice(scenario!.length + 2) : message;
  const isCheck = exit !== 1 || found !== undefined;
  return {
    mark: exit >= 128 || exit === 6 ? "warning" : "failed",
    text: [...(found === undefined ? [] : [scenarioLink(report, found), ": "]), foreign(said)],
    action: (isCheck ? ACTIONS[exit] : undefined) ?? "look into it, and run again.",
  };
}

function invalidItem(report: Report, scenario: ScenarioReport): Attention[] {
  const { valid, client, warnings } = scenario.validity;
  if (valid) return [];
  const said = warnings.map((fact) => foreign(factWords(scenario, fact)));
  return [{
    mark: "warning",
    text: [scenarioLink(report, scenario), ": ", ...joined(said, "; ")],
    action: client === "bound"
      ? ["spread the load over ", code("--workers"), ", or measure from a faster machine."]
      : "do not quote its numbers before that is put right.",
  }];
}

/** One that was looked for and kept to has refused no call of a scenario. */
function limiterItem({ rateLimit }: Report): Attention[] {
  return rateLimit === null || rateLimit.scenario === null ? [] : [{
    mark: "warning",
    text: [
      `The server's rate limiter refused call ${formatCount(rateLimit.atCall)} of a session: `,
      foreign(rateLimit.message),
    ],
    action: ["raise its limits, or stay under them with ", code("--max-rate"), "."],
  }];
}

function incomparableItem({ comparison }: Report): Attention[] {
  const differences = comparison?.differences ?? [];
  return differences.length === 0 ? [] : [{
    mark: "warning",
    text: ["The runs compared differ: ", ...joined(differences.map(foreign), "; ")],
    action: "compare runs of the same settings before you conclude anything.",
  }];
}

/** Where to go from here, whatever the outcome; what is wrong stands in {@linkcode attention}. */
export function nextSteps(report: Report): Content[] {
  const embedded = report.target.kind === "embedded";
  const steps: [boolean, Content][] = [
    [report.epochs < 5 && report.scenarios.length > 0, [
      "Ask for 5 epochs or more: fewer have no interval (",
      code("--epochs 10"),
      ").",
    ]],
    [embedded, [
      ...["Measure your own server: ", code("--url ws://host:port")],
      ...[" with ", code("EXAI_WS_TOKEN"), " set."],
    ]],
    [!isLoadPhase(report), [
      "Measure heavy tools: ",
      code(embedded ? "--profile phase3" : "--profile phase3 --heavy-tools FILE"),
      ".",
    ]],
    [report.verdict.status === "passed" && (report.comparison?.automatic ?? true), [
      ...[
        "Let a regression against earlier runs fail a run: ",
        code("--baseline reports/history"),
        ".",
      ],
    ]],
  ];
  return [
    ...attention(report).slice(FIRST_ITEMS).map(attentionLine),
    ...steps.flatMap(([applies, step]) => applies ? [step] : []),
  ];
}
