import { assert, assertEquals } from "@std/assert";
import { assertGolden, reportGoldens } from "../support/golden.ts";
import passedMd from "../golden/report_passed.md" with { type: "text" };
import failedMd from "../golden/report_failed.md" with { type: "text" };
import interruptedMd from "../golden/report_interrupted.md" with { type: "text" };
import preflightFailureMd from "../golden/report_preflight_failure.md" with { type: "text" };
import skippedMd from "../golden/report_skipped.md" with { type: "text" };
import comparedMd from "../golden/report_compared.md" with { type: "text" };
import layeredMd from "../golden/report_layered.md" with { type: "text" };
import hostileMd from "../golden/report_hostile.md" with { type: "text" };
import passedHtml from "../golden/report_passed.html" with { type: "text" };
import comparedHtml from "../golden/report_compared.html" with { type: "text" };
import layeredHtml from "../golden/report_layered.html" with { type: "text" };
import sweepsMd from "../golden/report_sweeps.md" with { type: "text" };
import sweepsHtml from "../golden/report_sweeps.html" with { type: "text" };
import phase3Md from "../golden/report_phase3.md" with { type: "text" };
import phase3Html from "../golden/report_phase3.html" with { type: "text" };
import mergedMd from "../golden/report_merged.md" with { type: "text" };
import mergedHtml from "../golden/report_merged.html" with { type: "text" };
import hostileHtml from "../golden/report_hostile.html" with { type: "text" };
import pyramidSvg from "../golden/chart_testing-pyramid.svg" with { type: "text" };
import comparisonSvg from "../golden/chart_comparison.svg" with { type: "text" };
import roundsSvg from "../golden/chart_message-throughput-rounds.svg" with { type: "text" };
import percentilesSvg from "../golden/chart_open-loop-percentiles.svg" with { type: "text" };
import overTimeSvg from "../golden/chart_soak-over-time.svg" with { type: "text" };
import sweepSvg from "../golden/chart_scaling-sweep.svg" with { type: "text" };
import saturationSvg from "../golden/chart_saturation-rate-latency.svg" with { type: "text" };
import waterfallSvg from "../golden/chart_overhead-breakdown-waterfall.svg" with { type: "text" };
import chartedMd from "../golden/report_charted.md" with { type: "text" };
import pageMd from "../golden/page_charted.md" with { type: "text" };
import failedXml from "../golden/report_failed.xml" with { type: "text" };
import skippedXml from "../golden/report_skipped.xml" with { type: "text" };
import hostileXml from "../golden/report_hostile.xml" with { type: "text" };
import passedTxt from "../golden/report_passed.txt" with { type: "text" };
import failedTxt from "../golden/report_failed.txt" with { type: "text" };
import interruptedTxt from "../golden/report_interrupted.txt" with { type: "text" };
import preflightFailureTxt from "../golden/report_preflight_failure.txt" with { type: "text" };
import skippedTxt from "../golden/report_skipped.txt" with { type: "text" };
import comparedTxt from "../golden/report_compared.txt" with { type: "text" };
import layeredTxt from "../golden/report_layered.txt" with { type: "text" };
import sweepsTxt from "../golden/report_sweeps.txt" with { type: "text" };
import chartedTxt from "../golden/report_charted.txt" with { type: "text" };
import chartedNarrowTxt from "../golden/report_charted_narrow.txt" with { type: "text" };
import githubMd from "../golden/github_charted.md" with { type: "text" };
import githubTxt from "../golden/github_charted.txt" with { type: "text" };
import phase3Txt from "../golden/report_phase3.txt" with { type: "text" };
import mergedTxt from "../golden/report_merged.txt" with { type: "text" };
import hostileTxt from "../golden/report_hostile.txt" with { type: "text" };

const EXPECTED: Record<string, string> = {
  "report_passed.md": passedMd,
  "report_failed.md": failedMd,
  "report_interrupted.md": interruptedMd,
  "report_preflight_failure.md": preflightFailureMd,
  "report_skipped.md": skippedMd,
  "report_compared.md": comparedMd,
  "report_layered.md": layeredMd,
  "report_hostile.md": hostileMd,
  "report_passed.html": passedHtml,
  "report_compared.html": comparedHtml,
  "report_layered.html": layeredHtml,
  "report_sweeps.md": sweepsMd,
  "report_sweeps.html": sweepsHtml,
  "report_phase3.md": phase3Md,
  "report_phase3.html": phase3Html,
  "report_merged.md": mergedMd,
  "report_merged.html": mergedHtml,
  "report_hostile.html": hostileHtml,
  "report_failed.xml": failedXml,
  "report_skipped.xml": skippedXml,
  "report_hostile.xml": hostileXml,
  "chart_testing-pyramid.svg": pyramidSvg,
  "chart_comparison.svg": comparisonSvg,
  "chart_message-throughput-rounds.svg": roundsSvg,
  "chart_open-loop-percentiles.svg": percentilesSvg,
  "chart_soak-over-time.svg": overTimeSvg,
  "chart_scaling-sweep.svg": sweepSvg,
  "chart_saturation-rate-latency.svg": saturationSvg,
  "chart_overhead-breakdown-waterfall.svg": waterfallSvg,
  "report_charted.md": chartedMd,
  "page_charted.md": pageMd,
  "report_passed.txt": passedTxt,
  "report_failed.txt": failedTxt,
  "report_interrupted.txt": interruptedTxt,
  "report_preflight_failure.txt": preflightFailureTxt,
  "report_skipped.txt": skippedTxt,
  "report_compared.txt": comparedTxt,
  "report_layered.txt": layeredTxt,
  "report_sweeps.txt": sweepsTxt,
  "report_phase3.txt": phase3Txt,
  "report_merged.txt": mergedTxt,
  "report_hostile.txt": hostileTxt,
  "report_charted.txt": chartedTxt,
  "report_charted_narrow.txt": chartedNarrowTxt,
  "github_charted.md": githubMd,
  "github_charted.txt": githubTxt,
};

for (const { name, text } of reportGoldens()) {
  Deno.test(`${name} is as expected`, () => {
    assertGolden(name, text, { expected: EXPECTED[name] ?? "" });
  });
}

Deno.test("every golden report is compared", () => {
  assertEquals(reportGoldens().map(({ name }) => name).sort(), Object.keys(EXPECTED).sort());
});

Deno.test("a difference fails, and is left beside the expectation where files may be written", () => {
  const url = new URL("../golden/difference.txt.got", import.meta.url);
  const may = (name: "read" | "write") =>
    Deno.permissions.querySync({ name, path: url }).state === "granted";
  let message = "";
  try {
    assertGolden("difference.txt", "new", { expected: "old" });
  } catch (error) {
    message = (error as Error).message;
  }
  assert(message.includes("tests/golden/difference.txt differs"), message);
  if (!may("write")) return;
  if (may("read")) assertEquals(Deno.readTextFileSync(url), "new");
  Deno.removeSync(url);
});
