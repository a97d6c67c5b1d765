import { assert, assertEquals } from "@std/assert";
import { drawFigures } from "../../lib/report/charts/mod.ts";
import { textWidth } from "../../lib/report/charts/draw.ts";
import { CHART_WIDTH } from "../../lib/report/charts/theme.ts";
import { placeOf } from "../../lib/report/quantities.ts";
import { sampleReport } from "../support/sample_report.ts";
import { metricsOf, sampleScenario } from "../support/sample_scenario.ts";

/** Draws a search for a number of sessions, and finds its texts with their positions. */
async function wordsOf(capacity: number, latencies: Record<number, number>) {
  const metrics = Object.entries(latencies).flatMap(([sessions, ms]) =>
    metricsOf(
      `latency ${ms} ms n=2000 @sessions=${sessions}\n` +
        `throughput ${Number(sessions) * 10} msg/s @sessions=${sessions}`,
    )
  );
  const scenario = sampleScenario("one", {
    parameters: { sloMs: 50 },
    metrics: [...metrics, ...metricsOf(`capacity ${capacity} sessions *`)],
  });
  const report = { ...sampleReport("preflight_failure"), scenarios: [scenario] };
  const { svg } = (await drawFigures(report)).get("one")!;
  const texts = [...svg.matchAll(/<text ([^>]*)>([^<]*)<\/text>/g)].map(([, attributes, text]) => {
    const [, x, y] = /translate\(([\d.]+) ([\d.]+)\)/.exec(attributes!)!.map(Number);
    const [, anchor = "start"] = /text-anchor="(\w+)"/.exec(attributes!) ?? [];
    const share = { start: 0, middle: 0.5, end: 1 }[anchor]!;
    const from = x! - share * textWidth(text!);
    return { text: text!, from, to: from + textWidth(text!), y: y! };
  });
  return (wanted: string) => texts.find(({ text }) => text === wanted)!;
}

Deno.test("the label of the result stays within the picture, even at the ends of the axis", async () => {
  for (const capacity of [5, 40, 100]) {
    const at = await wordsOf(capacity, { 5: 1, 40: 2, 100: 3 });
    const { from, to } = at("carried");
    assert(from >= 0 && to <= CHART_WIDTH, `${capacity}: ${from} to ${to}`);
  }
});

Deno.test("the objective is within the axes, even if all calls were much faster", async () => {
  const at = await wordsOf(40, { 5: 1, 40: 2, 100: 3 });
  const [words, top] = [at("objective 50 ms"), at("100 ms")];
  assert(top !== undefined, "the axis ends at the objective");
  assert(words.y > top.y, `${words.y}, axis from ${top.y}`);
});

Deno.test("a place with sessions is labelled in sessions", () => {
  assertEquals([1, 20].flatMap((sessions) => placeOf({ sessions })), ["1 session", "20 sessions"]);
});
