/**
 * Where the time of a call goes, layer by layer, from the metrics of overhead-breakdown. Shared by every
 * format.
 *
 * @module
 */

import type { Added, Report } from "../schema.ts";
import { findDistribution, findScenario, isSound } from "./lookup.ts";
import { DASH, formatDuration, formatInterval, formatPercent } from "./units.ts";

/** One layer of a call. */
export interface LayerPart {
  /** The layer's own name, such as `tcp`. */
  name: string;
  label: string;
  /** The label within a sentence. */
  short: string;
  added: Added;
  /** Whether its interval leaves no doubt of its sign; `null` without an interval. */
  isTold: boolean | null;
}

const LABELS: Record<string, { label: string; short: string }> = {
  dispatch: { label: "In-process dispatch", short: "in-process dispatch" },
  codec: { label: "JSON, encoded and decoded", short: "JSON" },
  tcp: { label: "TCP round trip on loopback", short: "TCP" },
  websocket: { label: "WebSocket", short: "WebSocket" },
  routing: { label: "The server's routing", short: "routing" },
  tool: { label: "The tool", short: "tool" },
};

/** The topmost layer of a server that answers nothing without a tool. */
const ROUTING_AND_TOOL = { label: "The server's routing and the tool", short: "routing and tool" };
const SCENARIO = "overhead-breakdown";
const PREFIX = "layer.";

/** The layers that the run told apart, the lowest first; empty where it did not. */
export function layerParts(report: Report): LayerPart[] {
  const metrics = findScenario(report, SCENARIO)?.metrics ?? [];
  const told = metrics.flatMap((metric) =>
    metric.kind === "distribution" && metric.name.startsWith(PREFIX) && metric.added !== undefined
      ? [{ metric, added: metric.added }]
      : []
  );
  const hasRouting = told.some(({ metric }) => metric.name === `${PREFIX}routing`);
  return told.map(({ metric, added }) => {
    const name = metric.name.slice(PREFIX.length);
    const own = Object.hasOwn(LABELS, name) ? LABELS[name] : { label: name, short: name };
    const words = name === "tool" && !hasRouting ? ROUTING_AND_TOOL : own;
    return { name, ...words, added, isTold: isTold(added) };
  });
}

function isTold({ ci95 }: Added): boolean | null {
  return ci95 === null ? null : ci95[0] > 0 || ci95[1] < 0;
}

/** The headings of {@linkcode layerRows}. */
export const LAYER_HEADINGS = [
  "Layer",
  "Waterfall",
  "Call down to it",
  "Added",
  "95 % interval",
  "Share",
  "95 % interval",
  "Remark",
];

/** A waterfall: one row for each layer, then their sum beside the whole call. */
export function layerRows(report: Report): string[][] {
  const parts = layerParts(report);
  const last = parts.at(-1);
  if (last === undefined) return [];
  const wholeNs = last.added.call;
  const sumNs = parts.reduce((sum, { added }) => sum + added.value, 0);
  return [
    ...parts.map((part) => layerRow(report, part, wholeNs)),
    [
      "Sum of the layers",
      "",
      formatDuration(wholeNs),
      formatDuration(sumNs),
      DASH,
      formatPercent(wholeNs > 0 ? sumNs / wholeNs : null),
      DASH,
      "the whole call's median beside it",
    ],
  ];
}

function layerRow(report: Report, part: LayerPart, wholeNs: number): string[] {
  const { label, added } = part;
  return [
    label,
    bar(added.call - added.value, added.call, wholeNs),
    formatDuration(added.call),
    formatDuration(added.value),
    formatInterval(added.ci95, "ns"),
    formatPercent(added.share),
    added.shareCi95 === null ? DASH : added.shareCi95.map(formatPercent).join(" to "),
    remark(report, part),
  ];
}

const BAR_CHARACTERS = 20;

/** From where to where a layer reaches in the whole; at least one block wide. */
function bar(fromNs: number, toNs: number, wholeNs: number): string {
  const place = (ns: number) =>
    Math.round(Math.min(1, Math.max(0, wholeNs > 0 ? ns / wholeNs : 0)) * BAR_CHARACTERS);
  const start = Math.min(place(Math.min(fromNs, toNs)), BAR_CHARACTERS - 1);
  const end = Math.max(start + 1, place(Math.max(fromNs, toNs)));
  return "░".repeat(start) + "█".repeat(end - start) + "░".repeat(BAR_CHARACTERS - end);
}

function remark({ target }: Report, { added, isTold }: LayerPart): string {
  const remarks = [
    ...(isTold === false ? ["cannot be told from noise"] : []),
    ...(isTold && added.value < 0
      ? ["faster than without it: another way through the server"]
      : []),
    ...(isTold === null ? ["too few rounds for an interval"] : []),
    ...(added.measuredOn === "bundled" && target.kind === "external"
      ? ["on the bundled parts, not on the target"]
      : []),
  ];
  return remarks.join("; ");
}

/** What belongs to the table to be read right, and what the server says of its own time. */
export function layerNotes(report: Report): string[] {
  if (layerParts(report).length === 0) return [];
  const { kind, url } = report.target;
  return [
    ...(areLayersSound(report)
      ? []
      : ["These figures are not to be relied on: their scenario has not passed, or is not valid."]),
    "One call at a time; each row does all that the rows above it do, and one thing more. Figures are " +
    "medians over rounds, which do not add: the sum need not be the whole to the last per cent.",
    ...(kind === "external"
      ? [
        "What no server shows (dispatch, JSON, TCP and WebSocket) is measured on parts that the suite " +
        "brings along, on this machine; what the target does otherwise is in its routing and tool.",
      ]
      : []),
    ...(isLoopback(url) ? [] : ["The network to the target is part of the server's routing."]),
    ...serverTimes(report),
  ];
}

/** Whether the scenario that the layers are from passed and is valid. */
export function areLayersSound(report: Report): boolean {
  return isSound(findScenario(report, SCENARIO));
}

function serverTimes(report: Report): string[] {
  const scenario = findScenario(report, SCENARIO);
  const reported = findDistribution(scenario, "serverReported");
  const rest = findDistribution(scenario, "networkAndQueue");
  const seen = findDistribution(scenario, `${PREFIX}tool`);
  if (reported === undefined || rest === undefined || seen === undefined) return [];
  return [
    `The server itself reports ${
      formatDuration(reported.p50)
    } for a call (latency_metrics, median); ` +
    `the client saw ${formatDuration(seen.p50)}: ${
      formatDuration(rest.p50)
    } are the network, its ` +
    "queues and all that the server does not count.",
  ];
}

function isLoopback(url: string): boolean {
  const { hostname } = URL.parse(url) ?? { hostname: "" };
  return hostname === "localhost" || hostname === "[::1]" || hostname.startsWith("127.");
}

/** The layers in one line: `in-process dispatch 670 ns (1.0%), JSON …`; empty where there are none. */
export function layerSentence(report: Report): string {
  return layerParts(report).map(({ short, added, isTold }) =>
    isTold === false
      ? `${short} lost in the noise`
      : `${short} ${formatDuration(added.value)} (${formatPercent(added.share)})`
  ).join(", ");
}
