import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import type { Report } from "../../lib/schema.ts";
import { readShardSet, ShardSetError } from "../../lib/split/shard_set.ts";
import { sampleReport } from "../support/sample_report.ts";

const COUNT = 3;

/** The report of one shard of three. */
function shard(index: number, change: (report: Report) => void = () => {}) {
  const report = sampleReport("passed");
  report.shard = {
    ...{ index, count: COUNT, startAtMs: 1_700_000_000_000 },
    ...{ startOffsetMs: 3, late: false, clock: null },
  };
  change(report);
  return { file: `shard-${index}.json`, report };
}

function messageOf(files: ReturnType<typeof shard>[]): string {
  return assertThrows(() => readShardSet(files), ShardSetError).message;
}

Deno.test("all shards of one run form a set, in any order", () => {
  const { parts, count } = readShardSet([shard(3), shard(1), shard(2)]);
  assertEquals(parts.map(({ index }) => index), [3, 1, 2]);
  assertEquals(count, COUNT);
});

Deno.test("a missing shard is named", () => {
  assertStringIncludes(messageOf([shard(3), shard(1)]), "shard 2 of 3 is in none of the files");
});

Deno.test("a shard that appears twice is named with both files", () => {
  const again = { ...shard(2), file: "copy.json" };
  assertStringIncludes(
    messageOf([shard(1), shard(2), again, shard(3)]),
    "shard 2 of 3 appears twice: shard-2.json, copy.json",
  );
});

Deno.test("a report that is not a shard is named", () => {
  const whole = { file: "whole.json", report: sampleReport("passed") };
  assertStringIncludes(
    messageOf([shard(1), shard(2), shard(3), whole]),
    "whole.json: it has no field shard",
  );
  assertStringIncludes(messageOf([whole]), "whole.json: it has no field shard");
});

const DIFFERENCES: [name: string, change: (report: Report) => void, expected: string][] = [
  ["another count", (report) => report.shard!.count = 4, "shard.count: 3 -> 4"],
  ["another start", (report) => report.shard!.startAtMs = 1, "shard.startAtMs: 1700000000000 -> 1"],
  ["another seed", (report) => report.seed = 9, "seed: 42 -> 9"],
  ["another version", (report) => report.suite.version = "9.9.9", "suite.version: 0.2.0 -> 9.9.9"],
  [
    "another server",
    (report) => report.target = { ...report.target, kind: "external", url: "ws://other" },
    'target.url: none -> "ws://other"',
  ],
  ["another tool", (report) => report.target.tool = "echo", 'target.tool: "status" -> "echo"'],
  ["another profile", (report) => report.profile = "quick", 'profile: "standard" -> "quick"'],
  [
    "another parameter",
    (report) => report.scenarios[1]!.parameters.messages = 7,
    "message-throughput.messages: 200 -> 7",
  ],
  ["other epochs", (report) => report.epochs = 7, "epochs: 10 -> 7"],
  [
    "other scenarios",
    (report) => report.scenarios.pop(),
    "scenarios: authentication, concurrent-connections, connection-establishment",
  ],
];

for (const [name, change, expected] of DIFFERENCES) {
  Deno.test(`shards with ${name} are refused, naming field and file`, () => {
    const message = messageOf([shard(1), shard(2, change), shard(3)]);
    assertStringIncludes(message, expected);
    assertStringIncludes(message, "(shard-1.json -> shard-2.json)");
  });
}

Deno.test("an interrupted shard may lack scenarios", () => {
  const early = shard(2, (report) => {
    report.scenarios.pop();
    report.verdict = { ...report.verdict, status: "interrupted", exitCode: 130 };
  });
  assertEquals(readShardSet([shard(1), early, shard(3)]).count, COUNT);
});

Deno.test("shards may run on different machines", () => {
  const other = shard(2, (report) => report.environment.cpuModel = "Another CPU");
  assertEquals(readShardSet([shard(1), other, shard(3)]).count, COUNT);
});

Deno.test("a shard with a damaged histogram is named, with the metric", () => {
  const damaged = shard(2, (report) => report.scenarios[1]!.share = { connections: 1, of: 3 });
  assertStringIncludes(
    messageOf([shard(1), damaged, shard(3)]),
    "shard-2.json: message-throughput.latency has no readable histogram",
  );
});
