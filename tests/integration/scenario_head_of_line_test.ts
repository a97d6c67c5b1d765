import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { ScenarioReport } from "../../lib/schema.ts";
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
import { NO_NET as ignore, SHORT_TIMEOUT_MS, TOKEN } from "../support/targets.ts";
import { heavyToolsOf } from "../support/workloads.ts";

/** On macOS, loopback addresses other than 127.0.0.1 must be set up manually. */
const OTHER_ADDRESS = Deno.build.os !== "darwin";
const THINK_MS = 400;
const THINK = { chat: { medianMs: THINK_MS, sigma: 0 } };
const OTHER_PLACES = ["otherConnection", ...(OTHER_ADDRESS ? ["otherAddress"] : [])];
const PLACES = ["sameConnection", ...OTHER_PLACES];
const SHORT = { ratePerSecond: 100, durationMs: 360 };
/** Cheap calls with no heavy one: 36 in 360 ms, a part of them before each place. */
const ALONE = 36;

/** A server on its own thread, so that blocking it does not block its client. */
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

Deno.test("head of line: a waiting server delays only one connection", { ignore }, async () => {
  const { report, callsServed } = await measure({ thinkMode: "wait" });
  assertEquals([report.status, failedChecks(report)], ["passed", []]);
  assertEquals([report.ledger.ok, report.ledger.sent], [callsServed, callsServed]);
  assertEquals(metricNamed(report, "heavy", "distribution").count, PLACES.length);
  assertEquals(metricNamed(report, "alone", "distribution").count, ALONE);
  // The first call there waits for the whole heavy one.
  assert(cheapAt(report, "sameConnection").max >= 0.9 * THINK_MS * 1e6);
  for (const place of OTHER_PLACES) {
    const times = cheapAt(report, place);
    const most = metricNamed(report, "heavy", "distribution").max / 10e6 + 1;
    assert(times.count >= 10 && times.count <= most, `${place}: ${times.count}`);
    // Most are answered long before the heavy call is over.
    assert(times.p50! < THINK_MS / 2 * 1e6, place);
    const ratio = interferenceAt(report, place);
    assert(ratio < interferenceAt(report, "sameConnection"));
    // Means lie between their minimum and maximum, which bounds their ratio.
    const alone = metricNamed(report, "alone", "distribution");
    assert(ratio >= times.min / alone.max && ratio <= times.max / alone.min, `${place}: ${ratio}`);
  }
});

Deno.test("head of line: a blocking server delays every connection", { ignore }, async () => {
  const { report } = await measure({ thinkMode: "block" });
  assertEquals([report.status, failedChecks(report)], ["passed", []]);
  const alone = metricNamed(report, "alone", "distribution");
  for (const place of PLACES) {
    const times = cheapAt(report, place);
    // Sent throughout the heavy call and answered at its end: on average half its time.
    assert(times.mean >= THINK_MS / 4 * 1e6, `${place}: ${times.mean}`);
    const ratio = interferenceAt(report, place);
    assert(ratio >= 0.9 * THINK_MS / 4 * 1e6 / alone.mean, `${place}: ${ratio}`);
  }
});

Deno.test("head of line: cheap calls are sent only during the heavy one", { ignore }, async () => {
  let outstanding = 0;
  let sentAlone = 0;
  let heavyCalls = 0;
  await using server = startScriptedServer((peer, message) => {
    if (message?.op !== "call_tool") return answerSoundly(peer, message);
    if (message.name !== "chat") {
      if (outstanding === 0) sentAlone++;
      return answerSoundly(peer, message);
    }
    heavyCalls++;
    outstanding++;
    setTimeout(() => {
      answerSoundly(peer, message);
      // Calls sent before the reply arrived can still be on their way.
      setTimeout(() => outstanding--, 15);
    }, 300);
  });
  const report = await runScenario(headOfLine, SHORT, { ...server, epochs: 1 });
  assertEquals([report.status, heavyCalls], ["passed", PLACES.length]);
  // At most the calls meant to be alone: the first of a part can fall into the 15 ms.
  assert(sentAlone <= ALONE, `${sentAlone}`);
  assert(report.ledger.sent > ALONE + PLACES.length, "none was sent alongside a heavy call");
});

Deno.test("head of line: heavy calls too short for a ratio are reported", { ignore }, async () => {
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

Deno.test("head of line: heavy calls served from a cache do not count", { ignore }, async () => {
  await using server = await startThreaded({ dialect: "nov" });
  const report = await runScenario(headOfLine, SHORT, {
    ...server,
    epochs: 2,
    heavyTools: heavyToolsOf([{ argsJson: '{"prompt":"x"}' }]),
  });
  // Only the first call of the first epoch is computed.
  assertEquals(metricNamed(report, "heavy", "distribution").count, 1);
  const ratios = report.metrics.filter(({ name }) => name === "interference");
  assertEquals(ratios.map((one) => one.epochs.length), [1]);
});

Deno.test("head of line: skipped if the light tool is a heavy one", { ignore }, async () => {
  await using server = await startReference({ think: THINK });
  const report = await runScenario(headOfLine, SHORT, {
    ...server,
    epochs: 1,
    workload: () => ({ tool: "chat", argsJson: '{"prompt":"x"}' }),
  });
  assertEquals([report.status, server.stats().callsReceived], ["skipped", 0]);
  assertStringIncludes(report.reason!, "choose a light --tool");
});

Deno.test("head of line: a lost or silent server ends it, ledger intact", { ignore }, async () => {
  for (const fate of ["silent", "cut"] as const) {
    await using server = startScriptedServer((peer, message) => {
      if (message?.op !== "call_tool" || message.name !== "chat") {
        return answerSoundly(peer, message);
      }
      if (fate === "cut") peer.cut();
    });
    const report = await runScenario(headOfLine, SHORT, {
      ...server,
      epochs: 3,
      timeoutMs: SHORT_TIMEOUT_MS,
      heavyTools: heavyToolsOf([{ timeoutMs: SHORT_TIMEOUT_MS }]),
    });
    assertEquals(report.status, "failed");
    assertEquals(checkNamed(report, "ledger reconciles").passed, true);
    const { timeout, connectionLost } = report.ledger;
    assert(fate === "cut" ? connectionLost >= 1 && timeout === 0 : timeout >= 1);
    assertEquals(metricNamed(report, "alone", "distribution").count, ALONE / PLACES.length);
  }
});
