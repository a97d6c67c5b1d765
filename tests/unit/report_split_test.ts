import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { renderHtml } from "../../lib/report/html.ts";
import { renderSummary } from "../../lib/report/markdown/summary.ts";
import { splitSentence } from "../../lib/report/run_facts.ts";
import { SHARD_HEADINGS, shardRows } from "../../lib/report/shard_rows.ts";
import { sampleReport } from "../support/sample_report.ts";

Deno.test("the first screen of a split run says whose numbers they are", () => {
  const merged = sampleReport("merged");
  const sentence =
    "This is the share of shard 1 of 2 alone. Merged from 3 shards, 1 of which died.";
  assertEquals(splitSentence(merged), sentence);
  assertStringIncludes(renderSummary(merged), sentence);
  assertStringIncludes(renderHtml(merged, []), sentence);
  const { shard: _, ...whole } = merged;
  for (const part of whole.merged!.parts) part.lost = null;
  assertEquals(splitSentence(whole), "Merged from 3 shards.");
  assertEquals(splitSentence(sampleReport("passed")), "");
  assert(!renderSummary(sampleReport("passed")).includes("shard"));
});

Deno.test("a part that measured nothing is not called valid", () => {
  const report = sampleReport("merged");
  const { parts } = report.merged!;
  Object.assign(parts[0]!.scenarios[0]!, {
    ...{ status: "interrupted", sent: 0, ok: 0, ratePerSecond: null, p99: null },
  });
  const valid = () => shardRows(report)[0]![SHARD_HEADINGS.indexOf("Valid")];
  assertEquals(valid(), "–");
  parts[0]!.scenarios[0]!.sent = 1;
  assertEquals(valid(), "yes");
});
