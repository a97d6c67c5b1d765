import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import type { Fact, ScenarioReport } from "../../lib/schema.ts";
import { brokenEquations } from "../../lib/client/ledger.ts";
import { echo } from "../../lib/protocols/echo.ts";
import { mcp } from "../../lib/protocols/mcp.ts";
import { type Case, type CaseResult, ONE_CLIENT } from "../../lib/run/scenario.ts";
import { createWorkload } from "../../lib/run/workload.ts";
import { judgeFloors, payloadSize } from "../../scenarios/payload_size/mod.ts";
import { startFaultyServer } from "../support/faulty_server.ts";
import {
  checkNamed,
  failedChecks,
  metricNamed,
  runScenario,
  startReference,
} from "../support/run_scenarios.ts";
import {
  answerSoundly,
  type ScriptedPeer,
  startScriptedServer,
} from "../support/scripted_server.ts";
import { startStallingProxy } from "../support/stalling_proxy.ts";
import { ledgerWith, NO_NET as ignore, SHORT_TIMEOUT_MS } from "../support/targets.ts";
import { distinctCalls } from "../support/workloads.ts";

const KIB = 1024;
const COUNTED = { messages: 2, durationMs: null };
/** The run's own calls, 256 B and 1 KiB. */
const SMALL = { ...COUNTED, highestBytes: KIB };
/** Without a warm-up epoch. */
const SHORT = { epochs: 2, cold: true };
const REFUSED = "a request that is too large is refused";
const ANSWERS = "a new connection answers after each refusal";
const RECONCILE = "the calls that look for the limit reconcile";

function sizesOf({ metrics }: ScenarioReport): number[] {
  return metrics.filter(({ kind }) => kind === "distribution").map(({ at }) =>
    Number(at!.payloadBytes)
  );
}

Deno.test("payload-size finds sizes served, refused and closed with 1009", { ignore }, async () => {
  for (const dialect of ["oct", "nov"] as const) {
    await using server = await startReference({
      dialect,
      maxCallBytes: 100 * KIB,
      maxFrameBytes: 500 * KIB,
    });
    const report = await runScenario(payloadSize, COUNTED, {
      ...server,
      ...SHORT,
      workload: distinctCalls(),
    });
    assertEquals([report.status, failedChecks(report)], ["passed", []]);
    const sizes = [0, 256, KIB, 4 * KIB, 16 * KIB, 64 * KIB];
    assertEquals(sizesOf(report), sizes);
    const sent = sizes.length * 2 * 2;
    assertEquals(
      report.ledger,
      ledgerWith({ sent, ok: sent, frames: { received: 2 * sent, final: sent, progress: sent } }),
    );
    for (const size of sizes) {
      const at = { payloadBytes: size };
      assertEquals(metricNamed(report, "latency", "distribution", at).count, 4);
      const { epochs: rates, role } = metricNamed(report, "throughput", "scalar", at);
      assertEquals([rates.length, role === "headline"], [2, size === 64 * KIB]);
      assertEquals(metricNamed(report, "floor", "scalar", at).epochs.length, 2);
      if (size === 0) continue;
      const { epochs, unit } = metricNamed(report, "bandwidth", "scalar", at);
      assertEquals([unit, epochs], ["bytes/s", rates.map((rate) => rate * size)]);
    }
    const value = (name: string) => metricNamed(report, name, "scalar").value;
    assertEquals([value("largestServed"), value("smallestRefused")], [64 * KIB, 256 * KIB]);
    assertMatch(
      checkNamed(report, REFUSED).observed,
      /^256 KiB: OVER_CAPACITY: Request too large: \d+ bytes exceeds limit of 102400 bytes; 1 MiB: close 1009$/,
    );
    assertEquals(checkNamed(report, ANSWERS).observed, "2 of 2");
    // Five sizes served, one refused, one closed; after both of these, a call on a new connection.
    assertEquals(
      checkNamed(report, RECONCILE).observed,
      "9 sent: ok 7, toolError 1, connectionLost 1",
    );
    const { callsReceived, callsServed } = server.stats();
    const all = sent + report.warmupLedger.sent;
    // The oversized frame was no call to the server.
    assertEquals([callsReceived, callsServed], [all + 8, all + 7]);
  }
});

Deno.test("no limit is reported if all sizes up to the bound are served", { ignore }, async () => {
  await using server = await startReference();
  const report = await runScenario(payloadSize, SMALL, { ...server, ...SHORT });
  assertEquals([report.status, sizesOf(report)], ["passed", [0, 256, KIB]]);
  assertEquals(report.notMeasured, [{
    name: "limit of a request's size",
    reason: "every request up to 1 KiB was served",
  }]);
  assertEquals(metricNamed(report, "largestServed", "scalar").value, KIB);
  assertEquals(report.parameters.payloadBytes, null);
});

Deno.test("--payload measures only that size", { ignore }, async () => {
  const seen = new Set<number>();
  await using server = startScriptedServer((peer, message, text) => {
    if (message?.op === "call_tool") seen.add(JSON.parse(text).arguments.payload.length);
    answerSoundly(peer, message);
  });
  const report = await runScenario(payloadSize, { ...COUNTED, payloadBytes: 100 }, {
    ...SHORT,
    ...server,
    workload: createWorkload("status", { argsJson: "{}", payloadBytes: 100 }),
  });
  assertEquals([report.status, sizesOf(report), [...seen]], ["passed", [100], [100]]);
  assertEquals([report.ledger.ok, report.parameters.payloadBytes], [4, 100]);
  assertEquals(report.notMeasured[0]?.reason, "--payload asks for 100 B only");
  const none = await runScenario(payloadSize, { ...COUNTED, payloadBytes: 0 }, server);
  assertEquals([none.status, none.reason], ["skipped", "--payload 0 leaves no payload to measure"]);
});

Deno.test("every call has the payload size it is reported under", { ignore }, async () => {
  const seen: number[] = [];
  await using server = startScriptedServer((peer, message, text) => {
    if (message?.op === "call_tool") seen.push(JSON.parse(text).arguments.payload?.length ?? 0);
    answerSoundly(peer, message);
  });
  const report = await runScenario(payloadSize, SMALL, { ...server, ...SHORT });
  // Each once to see if it is served, then in slices of one size each.
  assertEquals(seen.slice(0, 2), [256, KIB]);
  const slices = seen.slice(2).filter((size, index, all) => size !== all[index - 1]);
  assertEquals(slices.length <= 6 && new Set(slices).size === 3, true, slices.join());
  assertEquals(seen.length, 2 + report.ledger.sent + report.warmupLedger.sent);
});

Deno.test("a call without arguments is skipped, with advice", { ignore }, async () => {
  const report = await runScenario(payloadSize, COUNTED, {
    url: "ws://127.0.0.1:1",
    protocol: mcp,
    workload: () => ({ tool: "ping", argsJson: "{}" }),
  });
  assertEquals([report.status, report.reason], [
    "skipped",
    "a call of ping carries no arguments: choose another with --tool",
  ]);
});

Deno.test("a tool that rejects a payload is skipped, quoting its error", { ignore }, async () => {
  await using server = await startFaultyServer({ script: () => ({ kind: "toolError" }) });
  const report = await runScenario(payloadSize, COUNTED, server);
  assertEquals([report.status, report.ledger], ["skipped", ledgerWith({})]);
  assertStringIncludes(
    report.reason ?? "",
    "a payload of 256 B is not served (INTERNAL_ERROR: the tool raised): choose a tool",
  );
});

Deno.test("payload-size measures MCP tools and echo servers", { ignore }, async () => {
  await using echoing = startScriptedServer((peer, _message, text) => peer.send(text));
  await using speaking = startScriptedServer((peer, _message, text) => {
    const { id, method, params } = JSON.parse(text);
    const size = params?.arguments?.payload?.length ?? 0;
    const result = size > 500
      ? { isError: true }
      : method === "initialize"
      ? { protocolVersion: "2025-06-18", capabilities: {} }
      : { content: [] };
    if (id !== undefined) peer.send({ jsonrpc: "2.0", id, result });
  });
  const workload = () => ({ tool: "echo", argsJson: "{}" });
  const common = { ...SHORT, workload, timeoutMs: 5_000 };
  const echoed = await runScenario(payloadSize, SMALL, {
    ...common,
    url: echoing.url,
    protocol: echo,
  });
  assertEquals([echoed.status, echoed.ledger.ok], ["passed", 12]);
  const spoken = await runScenario(payloadSize, SMALL, {
    ...common,
    url: speaking.url,
    protocol: mcp,
  });
  assertEquals([failedChecks(spoken), sizesOf(spoken)], [[], [0, 256]]);
  assertEquals(checkNamed(spoken, REFUSED).observed, "1 KiB: TOOL_ERROR");
});

/** A sound server that refuses every request of 1 KiB and more in this way. */
function startRefusing(refuse: (peer: ScriptedPeer, id: string) => void) {
  return startScriptedServer((peer, message, text) => {
    const isLarge = message?.op === "call_tool" && text.includes("x".repeat(KIB));
    if (isLarge) refuse(peer, message.request_id!);
    else answerSoundly(peer, message);
  });
}

Deno.test("a cut, another close code and silence are bad refusals", { ignore }, async () => {
  const refusals: [(peer: ScriptedPeer) => void, string][] = [
    [(peer) => peer.close(4000, "no"), "1 KiB: close 4000 no"],
    [(peer) => peer.cut(), "1 KiB: close 1006"],
    [() => {}, "1 KiB: neither answered nor closed"],
  ];
  for (const [refuse, observed] of refusals) {
    await using server = startRefusing(refuse);
    const report = await runScenario(payloadSize, SMALL, {
      ...SHORT,
      ...server,
      timeoutMs: SHORT_TIMEOUT_MS,
    });
    assertEquals([report.status, failedChecks(report)], ["failed", [REFUSED]]);
    assertEquals(checkNamed(report, REFUSED).observed, observed);
    // The probing calls are in no ledger of the report.
    assertEquals([report.ledger.sent, report.ledger.ok], [8, 8]);
  }
});

Deno.test("sizes served above a refusal do not raise the limit", { ignore }, async () => {
  await using server = startScriptedServer((peer, message, text) => {
    const size = message?.op === "call_tool" ? JSON.parse(text).arguments.payload?.length : 0;
    if (size !== KIB) return answerSoundly(peer, message);
    const error = { code: "INTERNAL_ERROR", message: "not this one" };
    peer.send({ op: "call_tool_res", request_id: message?.request_id, error });
  });
  const report = await runScenario(payloadSize, { ...COUNTED, highestBytes: 4 * KIB }, {
    ...server,
    ...SHORT,
  });
  const value = (name: string) => metricNamed(report, name, "scalar").value;
  assertEquals([value("largestServed"), value("smallestRefused")], [256, KIB]);
  assertEquals(sizesOf(report), [0, 256]);
});

Deno.test("a refusal that brings the server down fails", { ignore }, async () => {
  let isDown = false;
  await using server = await startFaultyServer({
    // The first call has 256 B, the second 1 KiB.
    script: (call) => {
      isDown ||= call === 2;
      return { kind: call === 2 ? "toolError" : "ok" };
    },
    handshakes: () => isDown ? { kind: "httpStatus", status: 503 } : { kind: "ok" },
  });
  const report = await runScenario(payloadSize, SMALL, server);
  assertEquals(report.status, "failed");
  assertStringIncludes(report.reason ?? "", "HTTP 503");
});

Deno.test("a new connection that does not answer fails the check", { ignore }, async () => {
  let refused = 0;
  await using server = startScriptedServer((peer, message, text) => {
    const isCall = message?.op === "call_tool";
    if (isCall && text.includes("x".repeat(KIB))) {
      refused++;
      return peer.close(1009);
    }
    // Only the call after the refusal.
    if (isCall && refused === 1) {
      refused++;
      return;
    }
    answerSoundly(peer, message);
  });
  const report = await runScenario(payloadSize, SMALL, {
    ...SHORT,
    ...server,
    timeoutMs: SHORT_TIMEOUT_MS,
  });
  assertEquals([report.status, failedChecks(report)], ["failed", [ANSWERS]]);
  assertEquals(checkNamed(report, ANSWERS).observed, "0 of 1");
});

Deno.test("a rate limiter's refusal is no limit of the size", { ignore }, async () => {
  await using server = startRefusing((peer, id) =>
    peer.send({
      op: "error",
      request_id: id,
      error: { code: "OVER_CAPACITY", message: "Rate limit exceeded: ip_rate_limit_exceeded" },
    })
  );
  const report = await runScenario(payloadSize, SMALL, { ...server, ...SHORT });
  assertEquals(report.status, "passed");
  assertEquals(report.notMeasured, [{
    name: "limit of a request's size",
    reason: "refused because of load: OVER_CAPACITY: Rate limit exceeded: ip_rate_limit_exceeded",
  }]);
});

Deno.test("no verdict on the close if a server stops reading mid-request", { ignore }, async () => {
  await using server = await startReference();
  // More of the 33 MiB is left than the buffers on the way hold.
  await using proxy = startStallingProxy(server.url, { budgetBytes: 17 * KIB * KIB, stallMs: 300 });
  const report = await runScenario(
    payloadSize,
    { ...COUNTED, messages: 1 },
    { url: proxy.url, epochs: 1, cold: true },
  );
  assertEquals([report.status, report.ledger.ok], ["passed", 8]);
  assertEquals(report.notMeasured, [{
    name: "how 33 MiB are refused",
    reason:
      "the server stopped reading the request halfway, and the client sees no close frame until " +
      "it has sent the whole request",
  }]);
  assertMatch(checkNamed(report, REFUSED).observed, /^16 MiB: OVER_CAPACITY[^;]*$/);
  assertEquals(checkNamed(report, ANSWERS).observed, "2 of 2");
});

Deno.test("a server that dies during the sweep fails it, ledger intact", { ignore }, async () => {
  await using server = await startFaultyServer({
    script: (call) => ({ kind: call === 7 ? "abruptClose" : "ok" }),
  });
  const report = await runScenario(payloadSize, SMALL, { ...server, ...SHORT });
  assertEquals([report.status, brokenEquations(report.ledger)], ["failed", []]);
  const { ledger, warmupLedger } = report;
  assertEquals(ledger.connectionLost + warmupLedger.connectionLost, 1);
  // One slice of an epoch ends early, and the epoch's others do not begin.
  const { seen, wanted } = checkNamed(report, "every slice measured");
  assert(wanted === 6 && seen! >= 3 && seen! <= 5, `${seen} of ${wanted}`);
});

Deno.test("an interrupt ends payload-size without failed checks", { ignore }, async () => {
  for (const nth of [1, 7]) {
    const controller = new AbortController();
    await using server = await startFaultyServer({
      script: (call) => {
        if (call === nth) controller.abort(new Error("interrupted"));
        return { kind: call < nth ? "ok" : "silent" };
      },
    });
    const report = await runScenario(payloadSize, SMALL, {
      ...SHORT,
      ...server,
      signal: controller.signal,
    });
    assertEquals([report.status, brokenEquations(report.ledger)], ["interrupted", []]);
    assertEquals(report.checks.filter(({ passed }) => !passed), []);
  }
});

/** Results of two sizes in five epochs: the target's share of the floor, and the floor's median. */
function derivationOf(sizes: [share: number, floorMs: number][]) {
  const warnings: Fact[] = [];
  const result = (rate: number, medianNs: number) =>
    ({ rates: Array(5).fill(rate), medians: Array(5).fill(medianNs) }) as unknown as CaseResult;
  const sizeOf = ({ payloadBytes }: Case) => sizes[payloadBytes === 256 ? 0 : 1]!;
  return {
    warnings,
    of: (one: Case) => result(1_000 * sizeOf(one)[0], 1e6),
    floorOf: (one: Case) => result(1_000, sizeOf(one)[1] * 1e6),
    invalidate: (fact: Fact) => void warnings.push(fact),
  };
}

Deno.test("exactly the sizes at which the client is the bottleneck are named", () => {
  const judge = (...sizes: [number, number][]) => {
    const derivation = derivationOf(sizes);
    judgeFloors(
      derivation,
      new Map([256, KIB].map((payloadBytes) => [payloadBytes, { ...ONE_CLIENT, payloadBytes }])),
    );
    return derivation.warnings;
  };
  const free: [number, number] = [0.8, 0.01];
  assertEquals(judge(free, free), []);
  // A held-back floor needs a lower share, but more than a slow server reaches.
  assertEquals(judge(free, [0.6, 44]), [{
    kind: "clientBoundSizes",
    message: "client-bound at 1 KiB: a server that does nothing is no faster with this client, " +
      "whose system holds back frames of 1 KiB for up to 40 ms (Nagle's algorithm); the figures of " +
      "all other sizes are valid",
    sizes: "1 KiB",
    heldBack: "1 KiB",
  }]);
  assertEquals(judge(free, [0.4, 44]), []);
  const [small] = judge([0.95, 1], free);
  assertEquals([small!.sizes, small!.heldBack], ["256 B", null]);
  const [all] = judge([1, 1], [1, 1]);
  assert(all!.message.endsWith("is no faster with this client"));
});
