/**
 * The performance table, testing pyramid and checklist of the phase document, filled in by the run.
 *
 * @module
 */

import type { Ledger, Report, ScenarioReport } from "../../schema.ts";
import { type Block, type Content, foreign, type Inline, inlines, left } from "../document.ts";
import { joined, link, list, mark, type MarkName, pageSection, right } from "../document.ts";
import { prose, type Section, strong, type Table, table } from "../document.ts";
import { findMetric, halfWidth, type Measured, quantity, ranScenarios } from "../quantities.ts";
import { scenarioLink } from "../trust.ts";
import { DASH, formatCompactRate, formatCount, formatPercent, formatRatio } from "../units.ts";
import { documentScenarios, findScenario, isLoadPhase } from "./key_numbers.ts";
import { type KeyNumber, keyNumbers, pyramidMetrics } from "./key_numbers.ts";
import { checksWords } from "./scenario.ts";
import { scenarioMark } from "./verdict.ts";

/** The performance table and the pyramid, if any of their numbers was measured. */
export function performanceSection(report: Report): Section[] {
  if (keyNumbers(report).every(({ measured }) => measured === undefined)) return [];
  const blocks = [performanceTable(report), pyramid(report)];
  return [pageSection("pyramid", "Performance and the testing pyramid", ...blocks)];
}

/** The key numbers, each with what it compares to. */
export function performanceTable(report: Report): Table {
  return table(
    "Performance",
    [left("Metric"), right("Result"), left("Comparison to Unit Tests"), left("")],
    keyNumbers(report).map((number) => [
      strong(...inlines(number.label)),
      number.measured === undefined ? DASH : quantity(number.measured.metric, number.figure),
      comparison(report, number),
      mark(keyMark(report, number)),
    ]),
  );
}

/** The mark of its scenario, unless the number missed a threshold. */
export function keyMark({ thresholds = [] }: Report, { measured, figure }: KeyNumber): MarkName {
  if (measured === undefined) return "skipped";
  const { scenario, metric } = measured;
  const points = Object.values(metric.at ?? {}).flatMap((point) => [`@${point}`, `.${point}`]);
  const endings = figure === "value" ? ["", ".value"] : [`.${figure}`];
  const subjects = ["", ...points].flatMap((point) =>
    endings.map((ending) => `${scenario.name}.${metric.name}${point}${ending}`)
  );
  const isMissed = thresholds.some(({ expression, passed }) =>
    !passed && subjects.includes(expression.split(/[<>=]/, 1)[0]!.trim())
  );
  return isMissed ? "failed" : scenarioMark(scenario);
}

function comparison(report: Report, { measured, figure }: KeyNumber): Content {
  if (measured === undefined) return "not measured";
  const { metric, scenario } = measured;
  if (metric === pyramidMetrics(report).rate?.metric) {
    return slowdown(report) ?? "no unit baseline to compare with";
  }
  if (metric.kind === "scalar") {
    const speedup = metric.name === "throughput" && findMetric(report, "speedup", scenario.name);
    return speedup ? prose`${quantity(speedup.metric)} the rate of one client` : "";
  }
  const count = formatCount(metric.count);
  if (figure === "p95" && metric.p95 === null) return `N/A: too few samples (${count})`;
  return `N/A; ${figure === "p50" ? "median" : figure} of ${count} samples`;
}

/** `2,540x slower than unit tests (median call, ± 3 %)`; `null` if not known, or calls failed. */
export function slowdown(report: Report): Inline[] | null {
  const factor = findMetric(report, "unitFactor");
  if (factor === undefined || factor.scenario.status !== "passed") return null;
  const width = halfWidth(factor.metric);
  const within = width === null ? "" : `, ± ${formatPercent(width)}`;
  return prose`${
    strong(quantity(factor.metric), " slower")
  } than unit tests (median call${within})`;
}

/** Unit, integration and end-to-end tests, one level each. */
export function pyramid(report: Report): Table {
  const { rate, latency, heavy } = pyramidMetrics(report);
  const { unitBaseline } = report;
  const factor = slowdown(report) === null ? undefined : findMetric(report, "unitFactor");
  const alone = findMetric(report, "latencyAlone", heavy?.scenario.name ?? "");
  const ratio = alone?.metric.kind === "distribution" && latency?.metric.kind === "distribution"
    ? `${formatRatio(alone.metric.p50 / latency.metric.p50)} slower (median call)`
    : "";
  const here = isLoadPhase(report) ? "End-to-end tests" : "Integration tests";
  const level = (name: string, speed: Content, what: string, against: Content): Content[] => [
    name === here ? prose`${strong(name)} ${mark("here")}` : name,
    ...[speed, what, against],
  ];
  const dispatch = unitBaseline?.source === "given"
    ? "given with --unit-baseline"
    : "the bundled server's dispatch, in-process";
  const speed = formatCompactRate(unitBaseline?.throughput ?? null);
  const slower = factor === undefined ? "" : prose`${quantity(factor.metric)} slower (median call)`;
  const load = `heavy tools${heavy === undefined ? ": not measured in this run" : ", one client"}`;
  const valueOf = (one: Measured | undefined) => one === undefined ? DASH : quantity(one.metric);
  const titles = ["Level", "One call at a time", "What", "Compared with the level above"];
  return table(
    "Testing pyramid",
    titles.map((title, at) => at === 1 ? right(title) : left(title)),
    [
      level("Unit tests", speed, dispatch, ""),
      level("Integration tests", valueOf(rate), "one client over a real WebSocket", slower),
      level("End-to-end tests", valueOf(heavy), load, ratio),
    ],
  );
}

/** A line of the checklist; `met` is `null` if it was not measured. */
export interface Criterion {
  text: string;
  met: boolean | null;
  note: Content;
  /** The mark if it is not met. Default: `failed`. */
  unmet?: MarkName;
}

/** The phase document's checklist. */
export function criteria(report: Report): Criterion[] {
  const ran = ranScenarios(report);
  const sum = (of: (ledger: Ledger) => number) =>
    report.scenarios.reduce((total, { ledger }) => total + of(ledger), 0);
  const [sent, ok] = [sum(({ sent }) => sent), sum(({ ok }) => ok)];
  const stray = sum(({ frames }) => frames.duplicate + frames.orphan + frames.malformed);
  const passed = ran.filter(({ status }) => status === "passed").length;
  const invalid = ran.filter(({ validity }) => !validity.valid);
  const valid = ran.length - invalid.length;
  const links = joined(invalid.map((one) => scenarioLink(report, one)), ", ");
  const except = links.length === 0 ? [] : [", except ", ...links];
  const all = (count: number) => ran.length === 0 ? null : count === ran.length;
  const isCompared = slowdown(report) !== null;
  return [
    {
      text: "Real WebSocket connections tested (not direct method calls)",
      met: sent === 0 ? null : ok > 0,
      note: sent === 0
        ? "no call was sent"
        : `${formatCount(ok)} of ${formatCount(sent)} calls served`,
    },
    ...documentScenarios(report).map(({ name, checked }) =>
      scenarioCriterion(checked, findScenario(report, name))
    ),
    {
      text: "Every frame accounted for",
      met: sent === 0 ? null : stray === 0,
      note: stray === 0
        ? "no stray or malformed frame"
        : `${formatCount(stray)} stray or malformed`,
    },
    ...isLoadPhase(report) ? [] : [{
      text: "Performance comparison documented",
      met: isCompared ? true : null,
      note: isCompared ? link("pyramid", "in the testing pyramid") : "no unit baseline",
    }],
    { text: "All tests passing", met: all(passed), note: `${passed}/${ran.length}` },
    {
      text: "Numbers are the server's own (not limited by the client, not from a cache)",
      met: all(valid),
      note: [`${valid}/${ran.length}`, ...except],
      unmet: "warning",
    },
  ];
}

function scenarioCriterion(text: string, scenario: ScenarioReport | undefined): Criterion {
  if (scenario === undefined) return { text, met: null, note: "not part of this run" };
  const { status, reason } = scenario;
  if (status === "skipped") {
    return { text, met: null, note: prose`not measured: ${foreign(reason ?? "skipped")}` };
  }
  const note = checksWords(scenario);
  return status === "interrupted"
    ? { text, met: null, note: `interrupted; ${note}` }
    : { text, met: status === "passed", note };
}

/** Criteria as a list of marks. */
export function criteriaList(items: readonly Criterion[]): Block {
  return list(
    items.map(({ text, met, note, unmet = "failed" }) =>
      prose`${mark(met === null ? "open" : met ? "passed" : unmet)} ${text}: ${note}`
    ),
  );
}

/** The checklist, if anything was run. */
export function checklistSection(report: Report): Section[] {
  if (report.scenarios.length === 0) return [];
  return [pageSection("checklist", "Checklist", criteriaList(criteria(report)))];
}
