/**
 * The end of a report: next steps, the parts of a merged run, one call on the wire, method, machine.
 *
 * @module
 */

import type { MergedShard, Report } from "../../schema.ts";
import { code, type Content, fold, foreign, left, list, mark, paragraph } from "../document.ts";
import { pageSection, prose, right, type Section, sectionFor, table } from "../document.ts";
import { DASH, formatBytes, formatCount, formatMilliseconds } from "../units.ts";
import { formatPercent, formatQuantity } from "../units.ts";
import { nextSteps } from "./attention.ts";
import { checkTable } from "./scenario.ts";
import { commandLine, STATUS_MARKS } from "./verdict.ts";

/** Next steps, if there are any. */
export function nextStepsSection(report: Report): Section[] {
  const steps = nextSteps(report);
  return steps.length === 0 ? [] : [pageSection("next-steps", "Next steps", list(steps, true))];
}

/** The shards or workers of a merged run. */
export function partsSection({ merged }: Report): Section[] {
  if (merged === undefined) return [];
  const columns = [
    ...[left(""), left(""), left("Scenario"), right("Sent", 1)],
    ...[right("Ok"), right("Rate"), right("p99", 2), right("Started", 3)],
  ];
  const parts = table("Parts of the run", columns, merged.parts.flatMap(partRows));
  const title = merged.of === "workers" ? "Workers" : "Shards";
  return [sectionFor(["page", "terminal"], "parts", title, parts)];
}

function partRows({ index, lost, machine, late, clock, scenarios }: MergedShard): Content[][] {
  const rest = ["", "", "", "", ""];
  if (lost !== null) return [[mark("failed"), String(index), ["died: ", foreign(lost)], ...rest]];
  const offset = clock === null
    ? ""
    : `, clock ${formatMilliseconds(clock.offsetMs)} ± ${formatMilliseconds(clock.errorMs)}`;
  return [
    [mark(late ? "warning" : "passed"), String(index), [foreign(machine), offset], ...rest],
    ...scenarios.map((one): Content[] => [
      mark(one.valid ? STATUS_MARKS[one.status] : "warning"),
      "",
      foreign(one.name),
      formatCount(one.sent),
      formatCount(one.ok),
      formatQuantity(one.ratePerSecond, "msg/s"),
      formatQuantity(one.p99, "ns"),
      one.startOffsetMs === null ? DASH : `+${formatMilliseconds(one.startOffsetMs)}`,
    ]),
  ];
}

/** The frames of one real call, and how the ledger counts them. */
export function transcriptSection({ transcript = [] }: Report): Section[] {
  if (transcript.length === 0) return [];
  const frames = transcript.map(({ direction, text, countedAs }) => [
    ...[direction === "sent" ? "→" : "←", code(text), foreign(countedAs)],
  ]);
  const rows = table("Frames", [left(""), left("Frame"), left("Counted as")], frames);
  const shown = fold(`${formatCount(transcript.length)} frames of a real call`, [rows]);
  return [pageSection("wire", "One call on the wire", shown)];
}

const METHOD: readonly string[] = [
  "An epoch measures everything once, on fresh connections. Each number is computed for each epoch, then " +
  "averaged. ± is half of the 95 % interval, in which the next run is expected; it needs at least 5 epochs.",
  "A call counts as served only if a success for that very call arrived. The ledger counts every other outcome, " +
  "and its sums are checked.",
  "Latency runs from handing the frame to the socket until the reply is decoded; in an open loop, from when the " +
  "call was due.",
  "A percentile needs 10 samples beyond it; with fewer there is a dash. \u201CAt least\u201D means that it falls " +
  "among calls without an answer or never sent, of which only the timeout is known.",
  "\u201CSlower than unit tests\u201D compares the median call over the wire with one call in-process, paired in " +
  "each epoch.",
  "Loopback is not a network. Compare ratios within a run, not times across machines or hours.",
];

/** How the numbers are made, and what they were measured on. */
export function methodSection(report: Report): Section {
  const { environment: machine, suite, seed, epochs, preflight } = report;
  const { uniqueSeed } = machine;
  const facts: Content[][] = [
    ["Command", code(commandLine(report))],
    ["Suite", foreign(`${suite.name} ${suite.version} ${suite.commit ?? ""}`)],
    [
      "Machine",
      prose`${foreign(machine.cpuModel)}, ${String(machine.cpuCount)} cores,
        ${formatBytes(machine.memoryBytes)}, ${foreign(`${machine.os} ${machine.arch}`)}`,
    ],
    ["Waiting for a core", formatPercent(machine.cpuPressure)],
    ["Runtime", foreign(`Deno ${machine.deno}, V8 ${machine.v8}, mitata ${machine.mitata}`)],
    ["Epochs, seed", `${formatCount(epochs)}, ${seed}`],
    ...uniqueSeed === undefined ? [] : [["Seed of {unique}", String(uniqueSeed)]],
  ];
  return pageSection(
    "method",
    "Method and environment",
    fold("How the numbers are made", [list(METHOD)]),
    fold("Machine, command and preflight", [
      table("Environment", [left("What"), left("Value")], facts),
      ...preflight.length === 0 ? [] : [checkTable("Preflight", preflight)],
    ]),
  );
}

/** The preflight of a run that measured nothing, unfolded. */
export function preflightSection({ preflight, scenarios }: Report): Section[] {
  if (scenarios.length > 0 || preflight.length === 0) return [];
  const why = paragraph("Nothing was measured: the run ended before the first scenario.");
  const checks = checkTable("Preflight checks", preflight);
  return [sectionFor(["page", "summary"], "preflight", "Preflight", why, checks)];
}
