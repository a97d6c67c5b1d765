import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import type { Scalar, ScenarioReport } from "../../lib/schema.ts";
import { brokenEquations } from "../../lib/client/ledger.ts";
import { echo } from "../../lib/protocols/echo.ts";
import { mcp } from "../../lib/protocols/mcp.ts";
import type { FloorGauge } from "../../lib/run/client_floor.ts";
import type { RecordingContext } from "../../lib/run/context.ts";
import { createWorkload } from "../../lib/run/workload.ts";
import { payloadSize } from "../../scenarios/payload_size.ts";
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

const KIB = 1024;
const COUNTED = { rounds: 2, messages: 2, durationMs: null, warmupMs: 0 };
/** So small that nothing is held back by the client's system, and soon over. */
const SMALL = { ...COUNTED, highestBytes: 256 };
const REFUSED = "a request that is too large is refused";
const ANSWERS = "a new connection answers after each refusal";
const RECONCILE = "the calls that look for the limit reconcile";

function distinctCalls() {
  return createWorkload("status", { argsJson: '{"n":"{seq}"}', payloadBytes: 0 });
}

function sizesOf({ metrics }: ScenarioReport): number[] {
  return metrics.filter(({ kind }) => kind === "distribution").map(({ at }) => at!.payloadBytes!);
}

Deno.test({
  name: "payload-size measures what is served, and sees an error and then a close with 1009",
  ignore,
}, async () => {
  for (const dialect of ["oct", "nov"] as const) {
    await using server = await startReference({
      dialect,
      maxCallBytes: 100 * KIB,
      maxFrameBytes: 500 * KIB,
    });
    const report = await runScenario(payloadSize, COUNTED, {
      ...server,
      workload: distinctCalls(),
    });
    assertEquals([report.status, failedChecks(report)], ["passed", []]);
    const sizes = [64, 256, KIB, 4 * KIB, 16 * KIB, 64 * KIB];
    assertEquals(sizesOf(report), sizes);
    const sent = sizes.length * 2 * 2;
    assertEquals(
      report.ledger,
      ledgerWith({ sent, ok: sent, frames: { received: 2 * sent, final: sent, progress: sent } }),
    );
    for (const size of sizes) {
      assertEquals(metricNamed(report, `latency@${size}`, "distribution").count, 4);
      const { rounds: rates } = metricNamed(report, `rate@${size}`, "scalar");
      const { rounds, unit } = metricNamed(report, `throughput@${size}`, "scalar");
      assertEquals([unit, rounds], ["bytes/s", rates.map((rate) => rate * size)]);
    }
    const value = (name: string) => metricNamed(report, name, "scalar").value;
    assertEquals([value("largestServed"), value("smallestRefused")], [64 * KIB, 256 * KIB]);
    assertMatch(
      checkNamed(report, REFUSED).observed,
      /^256 KiB: OVER_CAPACITY: Request too large: \d+ bytes exceeds limit of 102400 bytes; 1 MiB: close 1009$/,
    );
    assertEquals(checkNamed(report, ANSWERS).observed, "2 of 2");
    // Six sizes served, one refused, one closed on; and a call on a new connection after both.
    assertEquals(
      checkNamed(report, RECONCILE).observed,
      "10 sent: ok 8, toolError 1, connectionLost 1",
    );
    const { callsReceived, callsServed } = server.stats();
    // The frame that was closed on was no call to the server.
    assertEquals([callsReceived, callsServed], [sent + 9, sent + 8]);
  }
});

Deno.test(
  { name: "what is served up to the bound has no limit that was found", ignore },
  async () => {
    await using server = await startReference();
    const report = await runScenario(payloadSize, SMALL, server);
    assertEquals([report.status, sizesOf(report)], ["passed", [64, 256]]);
    assertEquals(report.notMeasured, [{
      name: "limit of a request's size",
      reason: "every request up to 256 B was served",
    }]);
    assertEquals(metricNamed(report, "largestServed", "scalar").value, 256);
    assertEquals(report.parameters.payloadBytes, null);
  },
);

Deno.test({ name: "--payload measures that size alone", ignore }, async () => {
  const seen = new Set<number>();
  await using server = startScriptedServer((peer, message, text) => {
    if (message?.op === "call_tool") seen.add(JSON.parse(text).arguments.payload.length);
    answerSoundly(peer, message);
  });
  const report = await runScenario(payloadSize, { ...COUNTED, payloadBytes: 100 }, {
    url: server.url,
    workload: createWorkload("status", { argsJson: "{}", payloadBytes: 100 }),
  });
  assertEquals([report.status, sizesOf(report), [...seen]], ["passed", [100], [100]]);
  assertEquals([report.ledger.ok, report.parameters.payloadBytes], [4, 100]);
  assertEquals(report.notMeasured[0]?.reason, "--payload asks for 100 B alone");
  const none = await runScenario(payloadSize, { ...COUNTED, payloadBytes: 0 }, server);
  assertEquals([none.status, none.reason], [
    "skipped",
    "--payload 0 leaves no payload to measure",
  ]);
});

Deno.test(
  { name: "the payload of every call is of the size that it is measured as", ignore },
  async () => {
    const seen: number[] = [];
    await using server = startScriptedServer((peer, message, text) => {
      if (message?.op === "call_tool") seen.push(JSON.parse(text).arguments.payload.length);
      answerSoundly(peer, message);
    });
    await runScenario(payloadSize, SMALL, server);
    // Each once to see whether it is served, then up in the first round and down in the second.
    assertEquals(seen, [64, 256, 64, 64, 256, 256, 256, 256, 64, 64]);
    seen.length = 0;
    const { warmupLedger } = await runScenario(payloadSize, { ...SMALL, warmupMs: 20 }, server);
    const warm = seen.slice(2, 2 + warmupLedger.sent);
    assertEquals([new Set(warm), seen.length], [new Set([64, 256]), 10 + warmupLedger.sent]);
  },
);

Deno.test(
  { name: "a call that carries no arguments is skipped, with what to do", ignore },
  async () => {
    const report = await runScenario(payloadSize, COUNTED, {
      url: "ws://127.0.0.1:1",
      protocol: mcp,
      workload: () => ({ tool: "ping", argsJson: "{}" }),
    });
    assertEquals([report.status, report.reason], [
      "skipped",
      "a call of ping carries no arguments: name another with --tool",
    ]);
  },
);

Deno.test(
  { name: "a tool that takes no further argument is skipped, with its words", ignore },
  async () => {
    await using server = await startFaultyServer({ script: () => ({ kind: "toolError" }) });
    const report = await runScenario(payloadSize, COUNTED, server);
    assertEquals([report.status, report.ledger], ["skipped", ledgerWith({})]);
    assertStringIncludes(
      report.reason ?? "",
      "a payload of 64 B is not served (INTERNAL_ERROR: the tool raised): name a tool",
    );
  },
);

Deno.test(
  { name: "payload-size measures tools of MCP and servers that echo", ignore },
  async () => {
    await using echoing = startScriptedServer((peer, _message, text) => peer.send(text));
    await using speaking = startScriptedServer((peer, _message, text) => {
      const { id, method, params } = JSON.parse(text);
      const size = params?.arguments?.payload?.length ?? 0;
      const result = size > 100
        ? { isError: true }
        : method === "initialize"
        ? { protocolVersion: "2025-06-18", capabilities: {} }
        : { content: [] };
      if (id !== undefined) peer.send({ jsonrpc: "2.0", id, result });
    });
    const workload = () => ({ tool: "echo", argsJson: "{}" });
    const common = { workload, timeoutMs: 5_000 };
    const echoed = await runScenario(payloadSize, SMALL, {
      ...common,
      url: echoing.url,
      protocol: echo,
    });
    assertEquals([echoed.status, echoed.ledger.ok], ["passed", 8]);
    const spoken = await runScenario(payloadSize, SMALL, {
      ...common,
      url: speaking.url,
      protocol: mcp,
    });
    assertEquals([failedChecks(spoken), sizesOf(spoken)], [[], [64]]);
    assertEquals(checkNamed(spoken, REFUSED).observed, "256 B: TOOL_ERROR");
  },
);

/** A server that does this to every request of 256 B and more, and is sound otherwise. */
function startRefusing(refuse: (peer: ScriptedPeer, id: string) => void) {
  return startScriptedServer((peer, message, text) => {
    const isLarge = message?.op === "call_tool" && text.includes("x".repeat(256));
    if (isLarge) refuse(peer, message.request_id!);
    else answerSoundly(peer, message);
  });
}

Deno.test(
  { name: "a cut, another close code and silence are no way to refuse", ignore },
  async () => {
    const refusals: [(peer: ScriptedPeer) => void, string][] = [
      [(peer) => peer.close(4000, "no"), "256 B: close 4000 no"],
      [(peer) => peer.cut(), "256 B: close 0"],
      [() => {}, "256 B: neither an answer nor a close"],
    ];
    for (const [refuse, observed] of refusals) {
      await using server = startRefusing(refuse);
      const report = await runScenario(payloadSize, SMALL, {
        url: server.url,
        timeoutMs: SHORT_TIMEOUT_MS,
      });
      assertEquals([report.status, failedChecks(report)], ["failed", [REFUSED]]);
      assertEquals(checkNamed(report, REFUSED).observed, observed);
      // What it provoked is in no ledger of the report.
      assertEquals([report.ledger.sent, report.ledger.ok], [4, 4]);
    }
  },
);

Deno.test({ name: "what is served above a refusal is not within the limit", ignore }, async () => {
  await using server = startScriptedServer((peer, message, text) => {
    const size = message?.op === "call_tool" ? JSON.parse(text).arguments.payload?.length : 0;
    if (size !== 256) return answerSoundly(peer, message);
    const error = { code: "INTERNAL_ERROR", message: "not this one" };
    peer.send({ op: "call_tool_res", request_id: message?.request_id, error });
  });
  const report = await runScenario(payloadSize, { ...COUNTED, highestBytes: KIB }, server);
  const value = (name: string) => metricNamed(report, name, "scalar").value;
  assertEquals([value("largestServed"), value("smallestRefused")], [64, 256]);
  assertEquals(sizesOf(report), [64]);
});

Deno.test({ name: "a refusal that brings the server down fails", ignore }, async () => {
  let isDown = false;
  await using server = await startFaultyServer({
    // The first call of 64 B, four measured ones of it, and then the one of 256 B.
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

Deno.test({ name: "a new connection that does not answer fails the check", ignore }, async () => {
  let refused = 0;
  await using server = startScriptedServer((peer, message, text) => {
    const isCall = message?.op === "call_tool";
    if (isCall && text.includes("x".repeat(256))) {
      refused++;
      return peer.close(1009);
    }
    // The call after the refusal, and no other.
    if (isCall && refused === 1) {
      refused++;
      return;
    }
    answerSoundly(peer, message);
  });
  const report = await runScenario(payloadSize, SMALL, {
    url: server.url,
    timeoutMs: SHORT_TIMEOUT_MS,
  });
  assertEquals([report.status, failedChecks(report)], ["failed", [ANSWERS]]);
  assertEquals(checkNamed(report, ANSWERS).observed, "0 of 1");
});

Deno.test({ name: "a limiter's refusal says nothing about the size", ignore }, async () => {
  await using server = startRefusing((peer, id) =>
    peer.send({
      op: "error",
      request_id: id,
      error: { code: "OVER_CAPACITY", message: "Rate limit exceeded: ip_rate_limit_exceeded" },
    })
  );
  const report = await runScenario(payloadSize, SMALL, server);
  assertEquals(report.status, "passed");
  assertEquals(report.notMeasured, [{
    name: "limit of a request's size",
    reason: "refused for load: OVER_CAPACITY: Rate limit exceeded: ip_rate_limit_exceeded",
  }]);
});

Deno.test({
  name: "a server that stops taking a request half-way is not accused of its close",
  ignore,
}, async () => {
  await using server = await startReference();
  // Of 33 MiB, more is left than the buffers on the way hold.
  await using proxy = startStallingProxy(server.url, { budgetBytes: 17 * KIB * KIB, stallMs: 300 });
  const report = await runScenario(
    payloadSize,
    { ...COUNTED, rounds: 1, messages: 1 },
    { url: proxy.url },
  );
  assertEquals([report.status, report.ledger.ok], ["passed", 8]);
  assertEquals(report.notMeasured, [{
    name: "how 33 MiB are refused",
    reason: "the server stopped taking the request half-way, and the client sees no close frame " +
      "before it has sent all of it",
  }]);
  assertMatch(checkNamed(report, REFUSED).observed, /^16 MiB: OVER_CAPACITY[^;]*$/);
  assertEquals(checkNamed(report, ANSWERS).observed, "2 of 2");
});

Deno.test(
  { name: "a server that dies within the sweep fails it, with whole accounts", ignore },
  async () => {
    // Two calls to find out, then four of the eight that are measured.
    await using server = await startFaultyServer({
      script: (call) => ({ kind: call === 7 ? "abruptClose" : "ok" }),
    });
    const report = await runScenario(payloadSize, SMALL, server);
    assertEquals([report.status, brokenEquations(report.ledger)], ["failed", []]);
    assertEquals([report.ledger.ok, report.ledger.connectionLost], [4, 1]);
    assertEquals(checkNamed(report, "every size measured in every round").observed, "2 of 4");
  },
);

Deno.test({ name: "an interrupt ends payload-size, with nothing failed", ignore }, async () => {
  for (const nth of [1, 5]) {
    const controller = new AbortController();
    await using server = await startFaultyServer({
      script: (call) => {
        if (call === nth) controller.abort(new Error("interrupted"));
        return { kind: call < nth ? "ok" : "silent" };
      },
    });
    const report = await runScenario(payloadSize, SMALL, {
      url: server.url,
      signal: controller.signal,
    });
    assertEquals([report.status, brokenEquations(report.ledger)], ["interrupted", []]);
    assertEquals(report.checks.filter(({ passed }) => !passed), []);
  }
});

/** A gauge that gives these floors for 64 B and 256 B, as multiples of what was measured, and milliseconds. */
function gaugeOf(floors: [multiple: number, medianMs: number][]): FloorGauge {
  const left = [["rate@64", ...floors[0]!], ["rate@256", ...floors[1]!]] as const;
  let asked = 0;
  const measure = (context: RecordingContext) => {
    const [name, multiple, medianMs] = left[asked++]!;
    const rate = context.figures().metrics.find((metric) => metric.name === name) as Scalar;
    const throughput = multiple * rate.value;
    return Promise.resolve({ connections: 1, throughput, latencyP50Ns: medianMs * 1e6 });
  };
  return { measure } as unknown as FloorGauge;
}

Deno.test(
  { name: "the sizes at which the client is the bound are told, and no others", ignore },
  async () => {
    await using server = await startReference();
    const run = (floors: [number, number][]) =>
      runScenario(payloadSize, SMALL, { ...server, floorGauge: gaugeOf(floors) });
    const fast: [number, number] = [1 / 0.8, 0.01];
    const fine = await run([fast, fast]);
    assertEquals([fine.validity.valid, fine.validity.warnings], [true, []]);
    const rate = metricNamed(fine, "rate@256", "scalar").value;
    assertEquals(metricNamed(fine, "floor@256", "scalar").rounds, [fast[0] * rate]);
    const held = await run([fast, [1 / 0.6, 44]]);
    assertEquals([held.validity.valid, held.validity.warnings], [false, [
      "client-bound at 256 B: a server that does nothing looks no faster through this client, whose " +
      "system holds back frames of 256 B for up to 40 ms (Nagle's algorithm); the numbers of all " +
      "other sizes can be used",
    ]]);
    const slow = await run([[1 / 0.95, 1], fast]);
    assert(!slow.validity.warnings[0]!.includes("Nagle"));
    const slowServer = await run([fast, [1 / 0.4, 44]]);
    assertEquals(slowServer.validity.warnings, []);
    const all = await run([[1, 1], [1, 1]]);
    assert(all.validity.warnings[0]!.endsWith("looks no faster through this client"));
  },
);
