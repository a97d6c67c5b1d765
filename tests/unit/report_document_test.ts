import { assert, assertEquals } from "@std/assert";
import type { Audience, Quantity } from "../../lib/report/document.ts";
import { figureValue, rowScale } from "../../lib/report/quantities.ts";
import { renderMarkdown } from "../../lib/report/render/markdown.ts";
import { buildDocument } from "../../lib/report/sections/mod.ts";
import { formatCompactRate, formatInterval } from "../../lib/report/units.ts";
import { formatPercent, formatQuantity } from "../../lib/report/units.ts";
import type { Report } from "../../lib/schema.ts";
import { compareWithEarlier } from "../../lib/stats/compare.ts";
import { blocksOf, inlinesOf } from "../support/document_walk.ts";
import { SAMPLE_KINDS, sampleReport } from "../support/sample_report.ts";

const AUDIENCES: readonly Audience[] = ["page", "terminal", "summary"];
const CHARTS = new Map();

function documents(report: Report) {
  return AUDIENCES.map((audience) => buildDocument(report, { charts: CHARTS, audience }));
}

function quantitiesOf(report: Report): Quantity[] {
  return documents(report).flatMap(inlinesOf).filter((inline): inline is Quantity =>
    typeof inline === "object" && inline.kind === "quantity"
  );
}

/** Samples with unique scenario names. */
const NAMED = SAMPLE_KINDS.filter((kind) => kind !== "hostile");

/** Reports of every profile and outcome, and one compared automatically with the last run. */
const REPORTS: Record<string, () => Report> = {
  ...Object.fromEntries(NAMED.map((kind) => [kind, () => sampleReport(kind)])),
  quick: () => ({ ...sampleReport("passed"), profile: "quick", epochs: 5 }),
  "since the last run": () => {
    const last = { ...sampleReport("passed"), startedAt: "2025-10-25T17:10:00.000Z" };
    const options = { noisePercent: null, bandPercent: 3 };
    return compareWithEarlier(sampleReport("passed"), [last], options);
  },
};

for (const [kind, reportOf] of Object.entries(REPORTS)) {
  Deno.test(`${kind}: every number is a figure of a metric of the report`, () => {
    const report = reportOf();
    const measured = new Set(report.scenarios.flatMap(({ metrics }) => metrics));
    const shown = quantitiesOf(report);
    for (const { metric, figure, text } of shown) {
      assert(measured.has(metric), text);
      const value = figureValue(metric, figure);
      const texts = [
        formatQuantity(value, metric.unit),
        formatQuantity(value, metric.unit, rowScale(metric)),
        ...figure === "share" ? [formatPercent(value)] : figure === "count" ? [String(value)] : [],
        ...metric.unit === "x" && value! <= 1 ? ["no slowdown seen"] : [],
      ];
      const said = text.replace("at least ", "").replaceAll(figure === "count" ? "," : "", "");
      assert(texts.includes(said), `${metric.name} ${figure}: ${text}, not ${texts}`);
    }
    assert(shown.length > 0 || report.scenarios.length === 0);
  });

  Deno.test(`${kind}: every rate in the text was measured, not derived from a median`, () => {
    const report = reportOf();
    const known = new Set(
      report.scenarios.flatMap(({ metrics }) =>
        metrics.flatMap((metric) =>
          metric.kind === "scalar" && metric.unit === "msg/s"
            ? [
              formatQuantity(metric.value, "msg/s"),
              ...metric.ci95 === null
                ? []
                : formatInterval(metric.ci95, "msg/s", metric.value).split(" to "),
            ]
            : []
        )
      ).concat(
        report.unitBaseline === null ? [] : formatCompactRate(report.unitBaseline.throughput),
        report.comparison?.rows.flatMap(({ old, new: now }) =>
          [old, now].map((rate) => formatQuantity(rate, "msg/s"))
        ) ?? [],
        report.merged?.parts.flatMap(({ scenarios }) =>
          scenarios.map(({ ratePerSecond }) => formatQuantity(ratePerSecond, "msg/s"))
        ) ?? [],
      ),
    );
    for (const document of documents(report)) {
      const page = renderMarkdown(document, { chartPath: () => null });
      for (const [rate] of page.matchAll(/[\d.,]+[KMG]? msg\/s/g)) assert(known.has(rate), rate);
    }
  });
}

Deno.test("every link leads to a section, and section ids are unique", () => {
  for (const kind of SAMPLE_KINDS) {
    for (const document of documents(sampleReport(kind))) {
      const ids = document.sections.map(({ id }) => id);
      assertEquals(ids.length, new Set(ids).size, kind);
      for (const id of ids) assert(/^[a-z0-9-]+$/.test(id), id);
    }
    const page = buildDocument(sampleReport(kind), { charts: CHARTS, audience: "page" });
    const ids = page.sections.map(({ id }) => id);
    for (const inline of inlinesOf(page)) {
      if (typeof inline === "object" && inline.kind === "link") assert(ids.includes(inline.to));
    }
  }
});

Deno.test("every row of every table has a cell for each column", () => {
  for (const kind of SAMPLE_KINDS) {
    for (const block of documents(sampleReport(kind)).flatMap(blocksOf)) {
      if (block.kind !== "table") continue;
      for (const row of block.rows) assertEquals(row.length, block.columns.length, block.caption);
    }
  }
});

Deno.test("a report is short enough to read", () => {
  const lines = (kind: "passed" | "thorough" | "phase2" | "phase3") => {
    const document = buildDocument(sampleReport(kind), { charts: CHARTS, audience: "page" });
    return renderMarkdown(document, { chartPath: (id) => `${id}.svg` }).split("\n").length;
  };
  for (const kind of ["passed", "phase2", "phase3"] as const) assert(lines(kind) <= 350, kind);
  assert(lines("thorough") <= 600);
});
