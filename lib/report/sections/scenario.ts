/**
 * The section of a scenario: the answer to its question, failures, a figure, numbers and, folded, the
 * checks and the ledger.
 *
 * @module
 */

import type { Check, Metric, NotMeasured, Report, ScenarioReport } from "../../schema.ts";
import { type Block, type Figure, figures, fold, foreign } from "../document.ts";
import { type Inline, joined, left, list, mark, paragraph, right } from "../document.ts";
import { prose, type Section, type Table, table } from "../document.ts";
import { capitalise, factWords, figureValue, headlines, intervalText } from "../quantities.ts";
import { isSamePlace, placeKey, placeOf, quantity, rowScale } from "../quantities.ts";
import { sparkline, unitOf, withInterval, words } from "../quantities.ts";
import { scenarioId } from "../trust.ts";
import { formatCount, formatCounted, formatPercent, formatSpan } from "../units.ts";
import { layerName, layersOf } from "./first_screen.ts";
import { closeWords, errorItems, ledgerWords, scenarioMark } from "./verdict.ts";

/** The section of a scenario, on level 3. `hasLayers`: with the table of a call's layers. */
export function scenarioSection(
  report: Report,
  scenario: ScenarioReport,
  figure: Figure | undefined,
  hasLayers = true,
): Section {
  const { status, reason, checks, validity, notes = [] } = scenario;
  const failed = checks.filter(({ passed }) => !passed);
  const remarks = [
    ...validity.warnings.map((fact) =>
      prose`${mark("warning")} ${foreign(factWords(scenario, fact))}`
    ),
    ...notes.map(({ message }) => foreign(message)),
  ];
  return {
    id: scenarioId(report, scenario),
    title: foreign(scenario.title),
    level: 3,
    audience: ["page", "summary"],
    mark: scenarioMark(scenario),
    blocks: [
      paragraph(foreign(scenario.question), "note"),
      ...answer(scenario),
      ...reason === null
        ? []
        : [paragraph(foreign(reason), status === "skipped" ? "note" : "warning")],
      ...failed.length === 0 ? [] : [checkTable("Failed checks", failed)],
      ...errors(scenario),
      ...remarks.length === 0 ? [] : [list(remarks)],
      ...figures(figure),
      ...numberTables(scenario, hasLayers),
      ...details(scenario),
    ],
  };
}

function answer(scenario: ScenarioReport): Block[] {
  const [headline] = scenario.status === "skipped" ? [] : headlines(scenario);
  if (scenario.answer !== undefined) return [paragraph(foreign(scenario.answer), "lead")];
  if (headline === undefined) return [];
  return [paragraph(prose`${headlineWords(scenario, headline)}.`, "lead")];
}

/** `5 clients: throughput 9,410 msg/s (9,100 to 9,510), latency median 512 µs` */
function headlineWords(scenario: ScenarioReport, metric: Metric): Inline[] {
  const value = withInterval(quantity(metric));
  if (metric.kind === "distribution" && metric.added !== undefined) {
    const most = layersOf(scenario)
      .toSorted((a, b) => (b.added.share ?? 0) - (a.added.share ?? 0))[0]!;
    const { share } = most.added;
    const where = share === null ? "" : prose`, ${formatPercent(share)} of it ${layerName(most)}`;
    return prose`A call: median ${value}${where}`;
  }
  const place = placeOf(metric.at);
  const name = words(metric.name);
  const start = place.length > 0
    ? prose`${place}: ${foreign(name)} `
    : prose`${foreign(capitalise(name))}: `;
  if (metric.kind === "distribution") {
    const p99 = metric.p99 === null ? "" : prose`, p99 ${quantity(metric, "p99")}`;
    return prose`${start}median ${value}${p99}`;
  }
  const beside = scenario.metrics.find((one) =>
    one.kind === "distribution" && metric.at !== undefined && isSamePlace(one, metric)
  );
  const times = beside === undefined
    ? ""
    : prose`, ${foreign(words(beside.name))} median ${quantity(beside)}`;
  return prose`${start}${value}${times}`;
}

/** The server's error codes and close codes, unless the scenario provokes them. */
function errors({ ledger, overloads }: ScenarioReport): Block[] {
  const [said, closes] = [errorItems(ledger), closeWords(ledger)];
  const items = closes.length === 0 ? said : [...said, ["connections closed with ", ...closes]];
  const isProvoked = overloads === true && said.length === 0;
  return items.length === 0 || isProvoked ? [] : [list(items)];
}

/** A metric measured at this many places gets a separate table. */
const SWEEP = 3;

const placesOf = (metrics: readonly Metric[]) => new Set(metrics.map(placeKey)).size;

function numberTables(scenario: ScenarioReport, hasLayers: boolean): Block[] {
  const placed = scenario.metrics.filter(({ at }) => at !== undefined);
  const swept = [...Map.groupBy(placed, ({ name }) => name)]
    .flatMap(([name, metrics]) => placesOf(metrics) >= SWEEP ? [name] : []);
  const isSwept = ({ name, at }: Metric) => at !== undefined && swept.includes(name);
  const rest = scenario.metrics.filter((metric) => !isSwept(metric));
  // Places with names keep their order.
  const stepOf = ([first]: readonly Metric[]) => Number(Object.values(first!.at!)[0]) || 0;
  const rows = [...Map.groupBy(placed.filter(isSwept), placeKey).values()]
    .sort((a, b) => stepOf(a) - stepOf(b));
  const isLayered = layersOf(scenario).length > 0;
  return [
    ...isLayered && hasLayers ? layerBlocks(scenario) : [],
    ...!isLayered && rows.length > 0 ? [sweepTable(rows, swept)] : [],
    ...rest.length > 0 ? [metricTable(rest)] : [],
  ];
}

function metricTable(metrics: readonly Metric[]): Table {
  const hasTimes = metrics.some(({ kind }) => kind === "distribution");
  const hasPlaces = placesOf(metrics) > 1;
  const figures = hasTimes ? ["p95", "p99", "p999", "max", "count"] as const : [];
  const titles = { p95: "p95", p99: "p99", p999: "p99.9", max: "Max", count: "Samples" };
  const columns = [
    ...[left("Metric"), right(hasTimes ? "Median or value" : "Value"), right("95 % interval")],
    ...[...figures.map((figure) => right(titles[figure])), left("Epochs")],
  ];
  return table(
    "Numbers",
    columns,
    metrics.map((metric) => {
      const main = quantity(metric, undefined, rowScale(metric));
      return [
        joined([foreign(words(metric.name)), hasPlaces ? placeOf(metric.at) : []], ", "),
        main,
        intervalText(main),
        ...figures.map((figure) =>
          metric.kind === "scalar" || (figure === "p999" && metric.p999 === null)
            ? ""
            : quantity(metric, figure, rowScale(metric))
        ),
        sparkline(metric) ?? "",
      ];
    }),
  );
}

/** Rows of a long sweep: half of them are the last places, near which the answer lies. */
const SHOWN_PLACES = 16;

function shownOf<T>(places: readonly T[]): readonly T[] {
  if (places.length <= SHOWN_PLACES) return places;
  const [early, late] = [places.slice(0, -SHOWN_PLACES / 2), places.slice(-SHOWN_PLACES / 2)];
  const step = Math.ceil(early.length / (SHOWN_PLACES / 2));
  return [...early.filter((_, index) => index % step === 0), ...late];
}

function sweepTable(
  places: readonly (readonly Metric[])[],
  names: readonly string[],
): Table {
  const rows = shownOf(places);
  const figures = names.flatMap((name) => {
    const times = rows.flat().filter((one) => one.name === name && one.kind === "distribution");
    const median = { name, figure: undefined, suffix: times.length > 0 ? ", median" : "" };
    // A column of dashes would only make the table wider.
    const hasP99 = times.some((one) => figureValue(one, "p99") !== null);
    return [median, ...hasP99 ? [{ name, figure: "p99" as const, suffix: ", p99" }] : []];
  });
  const kinds = new Set(rows.flatMap(([first]) => Object.keys(first!.at!)));
  const at = capitalise([...kinds].map((name) => words(unitOf(name)[0])).join(", "));
  const some = rows.length === places.length ? "" : ` (${rows.length} of ${places.length})`;
  return table(
    "Numbers by place",
    [
      left(prose`${foreign(at)}${some}`),
      ...figures.map(({ name, suffix }) => right([foreign(words(name)), suffix])),
    ],
    rows.map((metrics) => [
      placeOf(metrics[0]!.at),
      ...figures.map(({ name, figure }) => {
        const metric = metrics.find((one) => one.name === name);
        return metric === undefined ? "" : quantity(metric, figure, rowScale(metric));
      }),
    ]),
  );
}

/** What each layer of a call adds. */
export function layerBlocks(scenario: ScenarioReport): Block[] {
  const layers = table(
    "Layers of a call",
    [
      ...[left("Layer"), right("Adds"), right("95 % interval")],
      ...[right("Share"), right("Median"), left("Measured on")],
    ],
    layersOf(scenario).map((layer) => {
      const added = quantity(layer, "added");
      const { share, measuredOn } = layer.added;
      return [
        layerName(layer),
        added,
        intervalText(added),
        share === null ? "" : { ...quantity(layer, "share"), text: formatPercent(share) },
        quantity(layer),
        measuredOn === "target" ? "the server" : "parts of the suite",
      ];
    }),
  );
  const why =
    "“Adds” is what a layer takes beyond what it contains: the next simpler exchange, and " +
    "for the call also the dispatch; JSON is part of the layers on the server. It is paired within epochs.";
  return [layers, paragraph(why, "note")];
}

/** A table of checks, and of what was not measured. */
export function checkTable(
  caption: string,
  checks: readonly Check[],
  notMeasured: readonly NotMeasured[] = [],
): Table {
  return table(caption, [left(""), left("Check"), left("Expected"), left("Observed")], [
    ...checks.map(({ name, passed, expected, observed }) => [
      mark(passed ? "passed" : "failed"),
      ...[name, expected, observed].map(foreign),
    ]),
    ...notMeasured.map(({ name, reason }) => [
      ...[mark("skipped"), foreign(name), "", prose`not measured: ${foreign(reason)}`],
    ]),
  ]);
}

/** Checks that observed exactly what was expected: `✓ all clients connected: 5 of 5; …` */
function checkList(checks: readonly Check[]): Block {
  const items = checks.map(({ name, observed }) => prose`${foreign(name)}: ${foreign(observed)}`);
  return paragraph(prose`${mark("passed")} ${joined(items, "; ")}.`);
}

/** `7 checks passed`, `2 of 7 checks failed, 1 not measured`. */
export function checksWords({ checks, notMeasured }: ScenarioReport): string {
  const failed = checks.filter(({ passed }) => !passed).length;
  const all = failed > 0
    ? `${formatCount(failed)} of ${formatCounted(checks.length, "check")} failed`
    : checks.length === 0
    ? "no checks"
    : `${formatCounted(checks.length, "check")} passed`;
  return notMeasured.length === 0 ? all : `${all}, ${formatCount(notMeasured.length)} not measured`;
}

/** Folded: checks, ledgers, settings, and the client's load. */
function details(scenario: ScenarioReport): Block[] {
  const { checks, notMeasured, ledger, warmupLedger, parameters, status, validity } = scenario;
  if (status === "skipped") return [];
  const passed = checks.filter((check) => check.passed);
  const asExpected = passed.filter(({ expected, observed }) => expected === observed);
  const others = passed.filter(({ expected, observed }) => expected !== observed);
  const calls = ledger.sent === 0
    ? ""
    : `, ${formatCount(ledger.ok)} of ${formatCounted(ledger.sent, "call")} served`;
  const warmup = warmupLedger.sent === 0 ? "" : ` Warm-up: ${ledgerWords(warmupLedger)}.`;
  const sent = ledger.sent === 0 ? "" : `${ledgerWords(ledger)}.${warmup} `;
  const settings = Object.entries(parameters).map(([name, value]) => {
    const [base, format] = unitOf(name);
    if (typeof value === "number") return prose`${foreign(words(base))} ${format(value)}`;
    return value === null ? "" : prose`${foreign(words(name))} ${foreign(String(value))}`;
  });
  const shown = joined(settings, ", ");
  const given = shown.length === 0 ? "" : prose` Settings: ${shown}.`;
  const { clientCpu, clientShare, floor } = validity;
  const cpu = clientCpu === null ? "" : `; the client used ${formatPercent(clientCpu)} of a core`;
  const share = clientShare === null || floor === undefined
    ? ""
    : `; the rate is ${formatPercent(clientShare)} of what the client reaches with a server that ` +
      "does nothing";
  return [fold(`${checksWords(scenario)}${calls}`, [
    ...asExpected.length > 0 ? [checkList(asExpected)] : [],
    ...others.length + notMeasured.length > 0 ? [checkTable("Checks", others, notMeasured)] : [],
    paragraph(prose`${sent}Took ${formatSpan(scenario.durationMs)}${cpu}${share}.${given}`),
  ])];
}
