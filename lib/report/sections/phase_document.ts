/**
 * The report of the profiles phase2 and phase3, with the sections and the order of the phase document.
 *
 * @module
 */

import type { Report } from "../../schema.ts";
import { type Block, code, type Content, type Figure, foreign, heading } from "../document.ts";
import { list, mark, pageSection, paragraph, prose, type Section, strong } from "../document.ts";
import { findMetric, quantity, ranScenarios, withInterval } from "../quantities.ts";
import { scenarioLink } from "../trust.ts";
import { formatCompactRate, formatCounted, formatTimestamp } from "../units.ts";
import { attentionBlocks, nextSteps } from "./attention.ts";
import { driftBlocks, layersOf, trustBlock } from "./first_screen.ts";
import { documentScenarios, findScenario, isLoadPhase } from "./key_numbers.ts";
import { keyNumbers, pyramidMetrics } from "./key_numbers.ts";
import { criteria, criteriaList, keyMark, performanceTable, pyramid } from "./performance.ts";
import { slowdown } from "./performance.ts";
import { layerBlocks, scenarioSection } from "./scenario.ts";
import { runSpan, scenarioMark, tally, targetWords, verdictInline } from "./verdict.ts";
import { verdictWords } from "./verdict.ts";

/** True if the report of a run is a phase document. */
export function isPhaseDocument({ profile, ab }: Report): boolean {
  return (profile === "phase2" || profile === "phase3") && ab === undefined;
}

/** `Phase 2: Real Integration Tests - COMPLETE` */
export function phaseTitle(report: Report): string {
  const name = isLoadPhase(report)
    ? "Phase 3: End-to-End Load Tests"
    : "Phase 2: Real Integration Tests";
  return `${name} - ${report.verdict.status === "passed" ? "COMPLETE" : verdictWords(report)}`;
}

const NONE = paragraph("None.");

/** The sections, in the phase document's order. */
export function phaseSections(report: Report, figures: ReadonlyMap<string, Figure>): Section[] {
  const [goals, steps] = [criteria(report), nextSteps(report)];
  const met = goals.filter((goal) => goal.met === true).length;
  return [
    pageSection("status", "", ...status(report)),
    pageSection("objective", "🎯 Objective", objective(report)),
    pageSection("tasks", "✅ Completed Tasks", tasks(report)),
    pageSection("performance", "📊 Performance Results", ...performance(report)),
    pageSection("achievements", "🎯 Key Achievements", ...achievements(report)),
    pageSection("pyramid", "📈 Performance Comparison", pyramid(report)),
    pageSection("scenarios", "🔍 Detailed Test Results"),
    ...report.scenarios.map((scenario) =>
      scenarioSection(report, scenario, figures.get(scenario.name), false)
    ),
    pageSection("next-steps", "🔄 Next Steps", steps.length > 0 ? list(steps, true) : NONE),
    pageSection("files", "📝 Files", list(FILES)),
    pageSection("checklist", "✅ Validation Checklist", criteriaList(goals)),
    pageSection(
      "criteria",
      `🎯 Success Criteria: ${met} of ${goals.length} met`,
      paragraph(prose`${strong("Status:")} ${verdictInline(report)}, ${tally(report)}`),
    ),
    pageSection("insights", "📊 Performance Insights", list(insights(report), true)),
  ];
}

function status(report: Report): Block[] {
  const outcome = prose`${strong("Created:")} ${foreign(formatTimestamp(report.startedAt))},
    ${strong("duration:")} ${runSpan(report)},
    ${strong("status:")} ${verdictInline(report)} (${tally(report)})`;
  const advice = [trustBlock(report), ...attentionBlocks(report)];
  return [paragraph(outcome), ...driftBlocks(report), ...advice];
}

function objective(report: Report): Block {
  const what = isLoadPhase(report)
    ? "under load with heavy tools: what one client gets, what several get at once, and how much " +
      "that slows down cheap calls."
    : "that validate the WebSocket protocol and component integration.";
  return paragraph(prose`Real WebSocket connections ${what} ${targetWords(report)}.`);
}

function tasks(report: Report): Block {
  const known = documentScenarios(report);
  const items = known.map(({ name, subject }): Content => {
    const scenario = findScenario(report, name);
    const sent = scenario?.ledger.sent ?? 0;
    const title = strong(scenario === undefined ? name : scenarioLink(report, scenario));
    const calls = sent === 0 ? "" : `${formatCounted(sent, "call")}: `;
    return prose`${mark(scenarioMark(scenario))} ${title} - ${calls}${subject}`;
  });
  const further = report.scenarios
    .filter((scenario) => known.every(({ name }) => name !== scenario.name))
    .map((scenario) => prose`${mark(scenarioMark(scenario))} ${scenarioLink(report, scenario)}`);
  return list([...items, ...further], true);
}

const WIRE_CODE = `const socket = new WebSocket(url);
socket.send(JSON.stringify(call));                 // serialisation, framing, network
socket.onmessage = ({ data }) => JSON.parse(data); // and back: routing, the tool itself`;

const FILES: readonly Content[] = [
  prose`${code("report.json")}: every number of this page and more`,
  prose`${code("report.md")}, ${code("report.html")}: this page`,
];

function performance(report: Report): Block[] {
  const { rate } = pyramidMetrics(report);
  const { unitBaseline, target } = report;
  const layered = ranScenarios(report).filter((scenario) => layersOf(scenario).length > 0);
  const factor = slowdown(report);
  const example = (title: string, speed: Content, text: string): Block[] => [
    paragraph(prose`${strong(title)} (${speed}):`),
    { kind: "code", text },
  ];
  const reasons = [
    ...unitBaseline === null ? [] : example(
      "Unit tests",
      formatCompactRate(unitBaseline.throughput),
      "dispatch(call); // in-process, no socket",
    ),
    ...rate === undefined ? [] : example(
      "Integration tests",
      prose`${quantity(rate.metric)}, tool ${code(target.tool)}`,
      WIRE_CODE,
    ),
    ...layered.flatMap(layerBlocks),
    ...factor === null ? [] : [paragraph(prose`${strong("Total overhead:")} ${factor}`)],
  ];
  const why = reasons.length === 0 ? [] : [heading("Why slower than unit tests"), ...reasons];
  return [performanceTable(report), ...why];
}

function achievements(report: Report): Block[] {
  const claims = criteria(report).filter(({ met }) => met !== null);
  const provoked = documentScenarios(report).slice(4).flatMap(({ name }) => {
    const scenario = findScenario(report, name);
    return scenario === undefined || scenario.status === "skipped" ? [] : scenario.checks;
  });
  const numbers = keyNumbers(report).map((number) => {
    const { label, measured, figure } = number;
    const value = measured ? withInterval(quantity(measured.metric, figure)) : "not measured";
    return prose`${mark(keyMark(report, number))} ${label}: ${value}`;
  });
  return [
    heading("1. Real WebSocket Testing"),
    criteriaList(claims.slice(0, 2)),
    heading("2. Baseline Performance Established"),
    list(numbers),
    ...provoked.length === 0 ? [] : [
      heading("3. Authentication & Connection Limits"),
      list(
        provoked.map(({ name, passed, observed }) =>
          prose`${mark(passed ? "passed" : "failed")} ${foreign(name)}: ${foreign(observed)}`
        ),
      ),
    ],
  ];
}

function insights(report: Report): Content[] {
  const speedup = findMetric(report, "speedup")?.metric;
  const fairness = findMetric(report, "fairness")?.metric;
  const latency = pyramidMetrics(report).latency?.metric;
  const hasP95 = latency?.kind === "distribution" && latency.p95 !== null;
  return [
    ...speedup === undefined
      ? []
      : [prose`Concurrent clients achieve ${quantity(speedup)} the rate of one`],
    ...hasP95 ? [prose`95 of 100 calls are answered within ${quantity(latency, "p95")}`] : [],
    ...fairness === undefined ? [] : [
      prose`Fairness among clients: Jain's index ${quantity(fairness)}, where 1 is equal shares`,
    ],
    prose`${formatCounted(ranScenarios(report).length, "scenario")} ran on fresh connections in each
      of ${formatCounted(report.epochs, "epoch")}, for the tool ${code(report.target.tool)} only`,
  ];
}
