/**
 * "Performance results" and "Performance analysis".
 *
 * @module
 */

import type { Distribution, Report } from "../../schema.ts";
import { escapeMarkdown, markdownCode } from "../escape.ts";
import {
  baselineSource,
  keyNumbers,
  singleThroughput,
  slowdown,
  slowerOrFaster,
} from "../key_numbers.ts";
import { layerSentence } from "../layers.ts";
import { findDistribution, findScenario } from "../lookup.ts";
import { numberMark } from "../marks.ts";
import { DASH, formatCompactRate, formatDuration, formatRate, formatRatio } from "../units.ts";
import { right, stack, table } from "./blocks.ts";
import { renderLayers } from "./layers.ts";

/** The five numbers with their comparison, and what the time goes into. */
export function renderPerformance(report: Report): string {
  return stack([
    "## 📊 Performance Results",
    "### Real-World Performance Measured",
    table(
      ["Metric", right("Result"), "Comparison to Unit Tests", "Scenario"],
      keyNumbers(report).map((number) => [
        `**${number.label}**`,
        number.value,
        number.comparison.replace(/^(\S+ (?:slower|faster)) /, "**$1** "),
        numberMark(number),
      ]),
    ),
    "### Performance Analysis",
    analysis(report),
    overheadTable(report),
    renderLayers(report),
  ]);
}

function analysis(report: Report): string {
  const baseline = report.unitBaseline;
  const single = singleThroughput(report);
  const tool = markdownCode(report.target.tool);
  const unit = baseline === null
    ? "**Unit tests:** not measured in this run, so there is nothing to compare with."
    : `**Unit tests (${formatCompactRate(baseline.throughput)}):** one call without a socket: ` +
      `${baselineSource(baseline)}.${foreignBaseline(report)}`;
  const integration = single === null
    ? `**Integration tests:** the throughput of ${tool} was not measured in this run.`
    : `**Integration tests (${formatRate(single)}):** the full stack for every call of ${tool}: ` +
      `${causes(report)}.`;
  const ratio = slowdown(report, single);
  const total = ratio === null ? DASH : slowerOrFaster(ratio);
  return stack([unit, integration, `**Total overhead:** ${total}`]);
}

/** What the time goes into, with the figures that this run has. */
function causes(report: Report): string {
  const layers = layerSentence(report);
  return layers === ""
    ? "serialisation, WebSocket framing, network, routing on the server, the tool itself, and back"
    : escapeMarkdown(layers);
}

/** A baseline of the bundled server says little about another one. */
function foreignBaseline({ target, unitBaseline }: Report): string {
  return target.kind === "external" && unitBaseline?.source === "measured"
    ? " The target is another server, so the ratio compares two implementations."
    : "";
}

/** What is known of where time goes: the call without a socket, the connection, the full call. */
/** What the metric `authenticate` is in each protocol. */
const HANDSHAKES = {
  exai: "Authenticate: hello to its answer",
  mcp: "Initialize: request to its answer",
  echo: "Handshake: none beyond WebSocket's own",
} satisfies Record<Report["target"]["protocol"], string>;

function overheadTable(report: Report): string {
  const connection = findScenario(report, "connection-establishment");
  const baselineNs = report.unitBaseline === null || report.unitBaseline.throughput <= 0
    ? null
    : 1e9 / report.unitBaseline.throughput;
  const against = (ns: number | null) =>
    ns === null || baselineNs === null ? DASH : formatRatio(ns / baselineNs);
  const row = (what: string, distribution: Distribution | undefined, paid: string) => [
    what,
    paid,
    formatDuration(distribution?.p50 ?? null),
    against(distribution?.p50 ?? null),
  ];
  const latency = findDistribution(findScenario(report, "message-throughput"), "latency");
  return table(["What", "Paid", right("Median"), right("Against In-Process")], [
    [
      "In-process call, no socket",
      "each call",
      formatDuration(baselineNs),
      against(baselineNs),
    ],
    row("Connect: dial and WebSocket upgrade", findDistribution(connection, "connect"), "once"),
    row(HANDSHAKES[report.target.protocol], findDistribution(connection, "authenticate"), "once"),
    row("Full call through the WebSocket", latency, "each call"),
  ]);
}
