import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  defaultsOf,
  headlineOf,
  LIGHT_PROFILES,
  PROFILE_NAMES,
  type ProfileName,
  titleOf,
} from "../../lib/run/scenario.ts";
import { parseThreshold } from "../../lib/stats/thresholds.ts";
import { SCENARIOS } from "../../scenarios/mod.ts";

const VOCABULARY = Object.fromEntries(SCENARIOS.map(({ name, metrics }) => [name, metrics]));

Deno.test("every scenario has a unique kebab-case name and asks one question", () => {
  const names = SCENARIOS.map(({ name }) => name);
  assertEquals(new Set(names).size, names.length);
  for (const scenario of SCENARIOS) {
    const { name, question } = scenario;
    assertMatch(name, /^[a-z]+(-[a-z]+)*$/);
    assertMatch(titleOf(scenario), /^[A-Z][a-z -]+$/);
    assertMatch(question, /^[A-Z][^?]*\?$/);
  }
});

Deno.test("metrics keep the names that users' scripts know", () => {
  const named = Object.fromEntries(
    SCENARIOS.map(({ name, metrics }) => [name, Object.keys(metrics)]),
  );
  const expected: Record<string, string[]> = {
    "connection-establishment": ["connect", "authenticate", "establish", "close", "coldEstablish"],
    "message-throughput": ["latency", "throughput", "unitFactor"],
    "concurrent-connections": ["establish", "latency", "throughput", "speedup", "fairness"],
    "reconnection": ["close", "reconnect", "recovery"],
    "authentication": ["accept", "reject"],
    "connection-limit": ["limit", "rejection", "slotRelease"],
    "overhead-breakdown": ["layer", "serverReported", "networkAndQueue"],
    "pipelining": ["throughput", "latency"],
    "scaling": [
      ...["throughput", "latency", "efficiency", "fitted", "singleRate", "contention", "coherency"],
      ...["rSquared", "peakConcurrency", "peakThroughput"],
    ],
    "payload-size": [
      ...["latency", "throughput", "bandwidth", "floor", "largestServed", "smallestRefused"],
    ],
    "open-loop": ["latency", "serviceTime", "slip", "throughput"],
    "saturation": ["sustainableRate", "metShare", "met", "latency", "throughput"],
    "spike": ["recovery", "lost", "latency", "latencyOverTime", "slip"],
    "soak": [
      ...["latency", "serviceTime", "slip", "throughput", "changeP50", "changeP99"],
      ...["changeThroughput", "memoryGrowth"],
    ],
    "malformed-input": ["answer"],
    "reconnect-storm": ["recovery", "lastServed", "served99", "handshakes", "refused"],
    "rate-limit": ["sessionBurst", "sessionRefill", "ipBurst", "ipRefill"],
    "heavy-tools": [
      ...["latency", "firstProgress", "concurrentLatency", "cached"],
      ...["latencyAlone", "throughputAlone", "throughput", "speedup"],
    ],
    "head-of-line": ["alone", "cheap", "heavy", "interference"],
    "session-capacity": [
      ...["capacity", "metShare", "met", "callRate", "sessionBytes", "sessionFrames"],
      ...["latency", "establish", "throughput"],
    ],
  };
  const sorted = (names: Record<string, string[]>) =>
    Object.entries(names).map(([name, metrics]) => [name, metrics.toSorted()]);
  assertEquals(sorted(named), sorted(expected));
});

Deno.test("in every profile, headline and gates are metrics of the scenario", () => {
  for (const scenario of SCENARIOS) {
    const { name, metrics, gates = [] } = scenario;
    const headlines = PROFILE_NAMES.map((profile) =>
      headlineOf(scenario, defaultsOf(scenario, profile))
    );
    for (const { metric, statistics = [] } of [...headlines, ...gates]) {
      assert(metrics[metric] !== undefined, `${name}.${metric}`);
      assert(metrics[metric].kind === "distribution" || statistics.length === 0, name);
    }
    for (const { metric } of gates) assert(metrics[metric]!.better !== null, `${name}.${metric}`);
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
      // The document names these causes but has no figures, so phase2 leaves them out.
      ...(profile === "standard" ? ["overhead-breakdown"] : []),
    ]);
  }
});

Deno.test("phase3 runs exactly the scenarios that call heavy tools", () => {
  assertEquals(namesOf("phase3"), ["heavy-tools", "head-of-line", "session-capacity"]);
  // Sessions call them on the bundled server only, so they announce no number of calls.
  const heavy = SCENARIOS.filter(({ heavyCalls, worksInSessions }) =>
    heavyCalls !== undefined || worksInSessions
  );
  assertEquals(heavy.map(({ name }) => name), namesOf("phase3"));
});

function namesOf(profile: ProfileName): string[] {
  return SCENARIOS.filter(({ profiles }) => profiles.includes(profile)).map(({ name }) => name);
}

Deno.test("every metric of every scenario can have a threshold", () => {
  for (const { name, metrics } of SCENARIOS) {
    for (const [metric, spec] of Object.entries(metrics)) {
      const isTime = spec.kind === "distribution" || spec.unit === "ns";
      const path = `${name}.${metric}${spec.kind === "distribution" ? ".p50" : ""}`;
      const threshold = parseThreshold(`${path}<5${isTime ? "ms" : ""}`, VOCABULARY);
      assertEquals([threshold.scenario, threshold.metric], [name, metric]);
    }
  }
});
