import { assertEquals, assertMatch } from "@std/assert";
import { LIGHT_PROFILES, type ProfileName } from "../../lib/run/scenario.ts";
import { parseThreshold } from "../../lib/stats/thresholds.ts";
import { SCENARIOS } from "../../scenarios/mod.ts";

const VOCABULARY = Object.fromEntries(SCENARIOS.map(({ name, metrics }) => [name, metrics]));

Deno.test("every scenario has a name in kebab-case of its own, and asks one question", () => {
  const names = SCENARIOS.map(({ name }) => name);
  assertEquals(new Set(names).size, names.length);
  for (const { name, question } of SCENARIOS) {
    assertMatch(name, /^[a-z]+(-[a-z]+)*$/);
    assertMatch(question, /^[A-Z][^?]*\?$/);
  }
});

Deno.test("the README lists every scenario with its question", async () => {
  const { default: readme } = await import("../../README.md", { with: { type: "text" } });
  for (const { name, question } of SCENARIOS) {
    const row = readme.split("\n").find((line) => line.startsWith(`| \`${name}\``));
    assertEquals(row?.split("|")[2]?.trim(), question);
  }
});

Deno.test("the metrics are named as people's scripts know them", () => {
  const named = Object.fromEntries(
    SCENARIOS.map(({ name, metrics }) => [name, Object.keys(metrics)]),
  );
  const expected: Record<string, string[]> = {
    "connection-establishment": ["connect", "authenticate", "establish", "close"],
    "message-throughput": ["latency", "throughput"],
    "concurrent-connections": ["establish", "latency", "throughput", "speedup", "fairness"],
    "reconnection": ["close", "reconnect", "recovery"],
    "authentication": ["accept", "reject"],
    "connection-limit": ["limit", "rejection", "slotRelease"],
    "overhead-breakdown": [
      "layer.dispatch",
      "layer.codec",
      "layer.tcp",
      "layer.websocket",
      "layer.routing",
      "layer.tool",
      "serverReported",
      "networkAndQueue",
    ],
    "pipelining": ["throughput@N", "latency@N"],
    "open-loop": ["latency", "serviceTime", "slip", "throughput"],
    "saturation": ["sustainableRate"],
    "scaling": [
      "throughput@N",
      "latency@N",
      "efficiency@N",
      "fitted@N",
      "singleRate",
      "contention",
      "coherency",
      "rSquared",
      "peakConcurrency",
      "peakThroughput",
    ],
    "payload-size": [
      "latency@N",
      "rate@N",
      "throughput@N",
      "floor@N",
      "largestServed",
      "smallestRefused",
    ],
    "malformed-input": ["answer"],
    "rate-limit": ["sessionBurst", "sessionRefill", "ipBurst", "ipRefill"],
    "reconnect-storm": ["served99DropImmediate", "handshakesDropBackoff", "refusedRestartBackoff"],
    "heavy-tools": [
      ...["latency.TOOL", "firstProgress.TOOL", "concurrentLatency.TOOL", "cached.TOOL"],
      ...["latencyAlone", "latency", "throughputAlone", "throughput", "speedup"],
    ],
    "head-of-line": [
      ...["alone", "sameConnection", "otherConnection", "otherAddress", "heavy"],
      ...["interference.sameConnection", "interference.otherConnection"],
      "interference.otherAddress",
    ],
  };
  for (const [name, metrics] of Object.entries(expected)) {
    assertEquals(metrics.filter((metric) => !named[name]?.includes(metric)), [], name);
  }
});

Deno.test("quick, standard and phase2 run the six scenarios of the phase document first", () => {
  for (const profile of LIGHT_PROFILES.filter((name) => name !== "thorough")) {
    assertEquals(namesOf(profile), [
      "connection-establishment",
      "message-throughput",
      "concurrent-connections",
      "reconnection",
      "authentication",
      "connection-limit",
      // What the document lists causes for without a figure; its own counts are the phase2 profile's.
      ...(profile === "standard" ? ["overhead-breakdown"] : []),
    ]);
  }
});

Deno.test("phase3 runs what calls heavy tools, and nothing else", () => {
  assertEquals(namesOf("phase3"), ["heavy-tools", "head-of-line"]);
  const heavy = SCENARIOS.filter(({ heavyCalls }) => heavyCalls !== undefined);
  assertEquals(heavy.map(({ name }) => name), namesOf("phase3"));
});

function namesOf(profile: ProfileName): string[] {
  return SCENARIOS.filter(({ profiles }) => profiles.includes(profile)).map(({ name }) => name);
}

Deno.test("every metric of every scenario can be held against a threshold", () => {
  for (const { name, metrics } of SCENARIOS) {
    for (const [metric, { kind, unit }] of Object.entries(metrics)) {
      const path = `${name}.${metric.replace("@N", "@8").replace("TOOL", "my.chat")}${
        kind === "distribution" ? ".p50" : ""
      }`;
      assertEquals(
        parseThreshold(`${path}<5${unit === "ns" ? "ms" : ""}`, VOCABULARY).scenario,
        name,
      );
    }
  }
});
