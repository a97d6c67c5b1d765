import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { ScenarioReport } from "../../lib/schema.ts";
import { grantHeavyTools } from "../../lib/run/heavy_tools.ts";
import { startEmbeddedServer } from "../../lib/server/embedded.ts";
import { defaultServerOptions, type ServerOptionOverrides } from "../../lib/server/options.ts";
import { headOfLine } from "../../scenarios/head_of_line.ts";
import {
  checkNamed,
  failedChecks,
  metricNamed,
  runScenario,
  startReference,
} from "../support/run_scenarios.ts";
import { answerSoundly, startScriptedServer } from "../support/scripted_server.ts";
import { NO_NET, TOKEN } from "../support/targets.ts";

const ignore = NO_NET;
/** Other addresses of this machine than 127.0.0.1 are set up on macOS by hand only. */
const OTHER_ADDRESS = Deno.build.os !== "darwin";
const THINK_MS = 400;
const THINK = { chat: { medianMs: THINK_MS, sigma: 0 } };
const PLACES = OTHER_ADDRESS ? 3 : 2;
const SHORT = { ratePerSecond: 100, durationMs: 360 };
/** The cheap calls alone: 36 in 360 ms, a part of them before each place. */
const ALONE = 36;

/** A server on a thread of its own, so that what blocks it does not block its client. */
function startThreaded(overrides: ServerOptionOverrides) {
  return startEmbeddedServer(
    defaultServerOptions({ token: TOKEN, limits: "off", think: THINK, ...overrides }),
  );
}

function cheapAt(report: ScenarioReport, place: string) {
  return metricNamed(report, "cheap", "distribution", { place });
}

function interferenceAt(report: ScenarioReport, place: string): number {
  return metricNamed(report, "interference", "scalar", { place }).value;
}

async function measure(overrides: ServerOptionOverrides) {
  await using server = await startThreaded(overrides);
  const report = await runScenario(headOfLine, SHORT, { ...server, epochs: 1 });
  const { callsServed } = await server.stats();
  return { report, callsServed };
}

Deno.test(
  { name: "head of line: a server that waits holds up the same connection alone", ignore },
  async () => {
    const { report, callsServed } = await measure({ thinkMode: "wait" });
    assertEquals([report.status, failedChecks(report)], ["passed", []]);
    assertEquals([report.ledger.ok, report.ledger.sent], [callsServed, callsServed]);
    assertEquals(metricNamed(report, "heavy", "distribution").count, OTHER_ADDRESS ? 3 : 2);
    assertEquals(metricNamed(report, "alone", "distribution").count, ALONE);
    // The first call there waits for all of the heavy one.
    assert(cheapAt(report, "sameConnection").max >= 0.9 * THINK_MS * 1e6);
    const places = OTHER_ADDRESS ? ["otherConnection", "otherAddress"] : ["otherConnection"];
    for (const place of places) {
      const times = cheapAt(report, place);
      const most = metricNamed(report, "heavy", "distribution").max / 10e6 + 1;
      assert(times.count >= 10 && times.count <= most, `${place}: ${times.count}`);
      // Most are answered long before the heavy call is over.
      assert(times.p50! < THINK_MS / 2 * 1e6, place);
      const ratio = interferenceAt(report, place);
      assert(ratio < interferenceAt(report, "sameConnection"));
      // A mean lies between the least and the most that it is of, and so does a ratio of two.
      const alone = metricNamed(report, "alone", "distribution");
      assert(
        ratio >= times.min / alone.max && ratio <= times.max / alone.min,
        `${place}: ${ratio}`,
      );
    }
  },
);

Deno.test({
  name: "head of line: a server that blocks holds up every connection, and it shows",
  ignore,
}, async () => {
  const { report } = await measure({ thinkMode: "block" });
  assertEquals([report.status, failedChecks(report)], ["passed", []]);
  const alone = metricNamed(report, "alone", "distribution");
  const places = ["sameConnection", "otherConnection", ...(OTHER_ADDRESS ? ["otherAddress"] : [])];
  for (const place of places) {
    const times = cheapAt(report, place);
    // Sent all through the heavy call and answered at its end: half of it on average.
    assert(times.mean >= THINK_MS / 4 * 1e6, `${place}: ${times.mean}`);
    const ratio = interferenceAt(report, place);
    assert(ratio >= 0.9 * THINK_MS / 4 * 1e6 / alone.mean, `${place}: ${ratio}`);
  }
});

Deno.test({
  name: "head of line: a cheap call is sent only while the heavy one is outstanding",
  ignore,
}, async () => {
  let outstanding = 0;
  let besideNone = 0;
  let heavyCalls = 0;
  await using server = startScriptedServer((peer, message) => {
    if (message?.op !== "call_tool") return answerSoundly(peer, message);
    if (message.name !== "chat") {
      if (outstanding === 0) besideNone++;
      return answerSoundly(peer, message);
    }
    heavyCalls++;
    outstanding++;
    setTimeout(() => {
      answerSoundly(peer, message);
      // What the client sent before it had the reply may still be on its way.
      setTimeout(() => outstanding--, 15);
    }, 300);
  });
  const report = await runScenario(headOfLine, SHORT, { ...server, epochs: 1 });
  assertEquals([report.status, heavyCalls], ["passed", PLACES]);
  // Those alone and no others, but for the first of each part that falls into the 15 ms.
  assert(besideNone <= ALONE, `${besideNone}`);
  assert(report.ledger.sent > ALONE + PLACES, "there were some beside the heavy calls");
});

Deno.test({
  name: "head of line: heavy calls that are too short have no ratio, and it says so",
  ignore,
}, async () => {
  await using server = await startThreaded({ think: { chat: { medianMs: 5, sigma: 0 } } });
  const report = await runScenario(headOfLine, SHORT, { ...server, epochs: 1 });
  assertEquals(report.status, "passed");
  assertEquals(report.metrics.filter(({ kind }) => kind === "scalar"), []);
  assert(
    report.notMeasured.some(({ name, reason }) =>
      name === "interference at otherConnection" && reason.includes("slower tool")
    ),
  );
});

Deno.test({ name: "head of line: a heavy call from a cache counts as none", ignore }, async () => {
  await using server = await startThreaded({ dialect: "nov" });
  const tools = grantHeavyTools({
    embedded: true,
    protocol: "exai",
    named: true,
    given: [{
      tool: "chat",
      argsJson: '{"prompt":"x"}',
      timeoutMs: 5000,
      weight: 1,
      repetitions: 1,
    }],
    uniqueSeed: 1,
  });
  const report = await runScenario(headOfLine, SHORT, {
    ...server,
    epochs: 2,
    heavyTools: tools,
  });
  // All but the first call of the first epoch.
  assertEquals(metricNamed(report, "heavy", "distribution").count, 1);
  const ratios = report.metrics.filter(({ name }) => name === "interference");
  assertEquals(ratios.map((one) => one.epochs.length), [1]);
});

Deno.test({ name: "head of line: no cheap calls of a heavy tool", ignore }, async () => {
  await using server = await startReference({ think: THINK });
  const report = await runScenario(headOfLine, SHORT, {
    ...server,
    epochs: 1,
    workload: () => ({ tool: "chat", argsJson: '{"prompt":"x"}' }),
  });
  assertEquals([report.status, server.stats().callsReceived], ["skipped", 0]);
  assertStringIncludes(report.reason!, "choose a light --tool");
});

Deno.test({
  name: "head of line: a server that goes away or silent half-way ends it, accounted for",
  ignore,
}, async () => {
  for (const fate of ["silent", "cut"] as const) {
    await using server = startScriptedServer((peer, message) => {
      if (message?.op !== "call_tool" || message.name !== "chat") {
        return answerSoundly(peer, message);
      }
      if (fate === "cut") peer.cut();
    });
    const tools = grantHeavyTools({
      embedded: true,
      protocol: "exai",
      named: true,
      given: [{ tool: "chat", argsJson: "{}", timeoutMs: 200, weight: 1, repetitions: 1 }],
      uniqueSeed: 1,
    });
    const report = await runScenario(headOfLine, SHORT, {
      ...server,
      epochs: 3,
      timeoutMs: 200,
      heavyTools: tools,
    });
    assertEquals(report.status, "failed");
    assertEquals(checkNamed(report, "ledger reconciles").passed, true);
    const { timeout, connectionLost } = report.ledger;
    assert(fate === "cut" ? connectionLost >= 1 && timeout === 0 : timeout >= 1);
    assertEquals(metricNamed(report, "alone", "distribution").count, ALONE / PLACES);
  }
});
