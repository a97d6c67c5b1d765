import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import type { Report } from "../../lib/schema.ts";
import { concurrentConnections } from "../../scenarios/concurrent_connections.ts";
import { connectionEstablishment } from "../../scenarios/connection_establishment.ts";
import { messageThroughput } from "../../scenarios/message_throughput.ts";
import { openLoop } from "../../scenarios/open_loop.ts";
import { payloadSize } from "../../scenarios/payload_size/mod.ts";
import { pipelining } from "../../scenarios/pipelining.ts";
import { reconnectStorm } from "../../scenarios/reconnect_storm.ts";
import { reconnection } from "../../scenarios/reconnection.ts";
import { scaling } from "../../scenarios/scaling.ts";
import { runBenchAt } from "../support/bench_run.ts";
import { repeats } from "../support/repeats.ts";
import { NO_OVERRIDES } from "../support/run_scenarios.ts";
import {
  answerSoundly,
  type ScriptedPeer,
  startScriptedServer,
} from "../support/scripted_server.ts";
import { NO_NET as ignore } from "../support/targets.ts";

/** On a busy machine, megabytes take longer than the timeout. */
const SMALL = { ...payloadSize.defaults.quick, highestBytes: 1024 };
const SCENARIOS = [
  ...[connectionEstablishment, messageThroughput, concurrentConnections, reconnection],
  ...[pipelining, scaling, openLoop, reconnectStorm],
  { ...payloadSize, defaults: { ...payloadSize.defaults, quick: SMALL } },
];

/** What the server does at one moment of a run. */
const fault = fc.record({
  kind: fc.constantFrom("cut", "close", "closeAfterAnswer", "stall", "die"),
  /** Counts incoming messages, hellos included. */
  atMessage: fc.integer({ min: 1, max: 120 }),
});

type Fault = typeof fault extends fc.Arbitrary<infer T> ? T : never;

/** A sound server that fails at the given message. */
function startFailing({ kind, atMessage }: Fault | { kind: "none"; atMessage: number }) {
  let messages = 0;
  let isDead = false;
  const peers = new Map<number, ScriptedPeer>();
  const server = startScriptedServer((peer, message) => {
    const isFirst = !peers.has(peer.nth);
    peers.set(peer.nth, peer);
    messages++;
    if (isDead) return kind === "die" ? peer.cut() : undefined;
    if (isFirst && message?.op !== "hello") return peer.close(4001, "missing hello");
    if (messages !== atMessage) return answerSoundly(peer, message);
    switch (kind) {
      case "cut":
        return peer.cut();
      case "close":
        return peer.close(1001, "going away");
      case "closeAfterAnswer":
        answerSoundly(peer, message);
        return peer.close(1001, "connection age");
      case "stall":
        isDead = true;
        return;
      case "die":
        isDead = true;
        for (const one of peers.values()) one.cut();
        return;
      default:
        return answerSoundly(peer, message);
    }
  });
  return { server, hasFailed: () => kind !== "none" && messages >= atMessage };
}

async function bench(url: string, scenario: string): Promise<Report> {
  const settings = {
    scenarios: [scenario],
    epochs: 2,
    timeoutMs: 400,
    ignoreLimits: true,
    overrides: {
      ...NO_OVERRIDES,
      ...{ messages: 4, connections: 2, durationMs: 100, ratePerSecond: 100, warmupMs: 20 },
    },
  };
  return (await runBenchAt(url, settings, SCENARIOS)).report;
}

/** What a run counts; on a sound server this is always the same. */
function measured({ scenarios: [scenario] }: Report) {
  const { ledger, metrics, checks } = scenario!;
  return {
    sent: ledger.sent,
    ok: ledger.ok,
    metrics: metrics.map(({ name, at, epochs }) => [name, at, epochs.length]),
    checks: checks.map(({ name }) => name),
  };
}

Deno.test({
  name: "a server that fails at any moment: exit 0 only if everything was measured",
  ignore,
}, async () => {
  const sound = new Map<string, ReturnType<typeof measured>>();
  for (const { name } of SCENARIOS) {
    const { server } = startFailing({ kind: "none", atMessage: 0 });
    const report = await bench(server.url, name);
    await server[Symbol.asyncDispose]();
    assertEquals(report.verdict.exitCode, 0, JSON.stringify(report.verdict));
    sound.set(name, measured(report));
  }
  let failures = 0;
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...sound.keys()), fault, async (name, fault) => {
      const { server, hasFailed } = startFailing(fault);
      try {
        const report = await bench(server.url, name);
        const { verdict, scenarios: [scenario] } = report;
        if (hasFailed()) failures++;
        if (verdict.exitCode !== 0) return;
        assertEquals(scenario!.status, "passed");
        assertEquals(scenario!.ledger.sent, scenario!.ledger.ok);
        assertEquals(measured(report), sound.get(name));
      } finally {
        await server[Symbol.asyncDispose]();
      }
    }),
    {
      numRuns: repeats(6, 60),
      endOnFailure: true,
      examples: [["message-throughput", { kind: "cut", atMessage: 6 }]],
    },
  );
  assert(failures > 0, "no server failed");
});
