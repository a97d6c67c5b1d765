import { assert, assertAlmostEquals, assertEquals, assertStringIncludes } from "@std/assert";
import { brokenEquations, openLedger } from "../../lib/client/ledger.ts";
import { throughputAt } from "../../lib/stats/scaling.ts";
import { scaling, stepsUpTo } from "../../scenarios/scaling.ts";
import { type Behaviour, startFaultyServer } from "../support/faulty_server.ts";
import {
  checkNamed,
  countedCalls,
  expectedCalls,
  failedChecks,
  metricNamed,
  runScenario,
  startReference,
} from "../support/run_scenarios.ts";
import { answerSoundly, startScriptedServer } from "../support/scripted_server.ts";
import { ledgerWith, NO_NET as ignore, SHORT_TIMEOUT_MS, targetAt } from "../support/targets.ts";

const COUNTED = { rounds: 2, messages: 5, durationMs: null, warmupMs: 0 };
const ALL_MEASURED = "every number of clients measured in every round";

Deno.test("the steps are powers of two, what is in the middle, and the most", () => {
  assertEquals(stepsUpTo(10), [1, 2, 3, 4, 6, 8, 10]);
  assertEquals(stepsUpTo(64), [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64]);
  assertEquals([stepsUpTo(1), stepsUpTo(2), stepsUpTo(5)], [[1], [1, 2], [1, 2, 3, 4, 5]]);
  for (let most = 1; most < 300; most++) {
    const steps = stepsUpTo(most);
    assert(steps.every((step, index) => Number.isInteger(step) && step > (steps[index - 1] ?? 0)));
    assertEquals(steps[steps.length - 1], most);
  }
});

Deno.test(
  { name: "scaling goes up to the server's limit, and every step sends its calls", ignore },
  async () => {
    await using server = await startReference({ limits: { maxConnectionsPerIp: 6 } });
    const report = await runScenario(scaling, { ...COUNTED, rounds: 5 }, server);
    assertEquals([report.status, failedChecks(report)], ["passed", []]);
    const steps = [1, 2, 3, 4, 6];
    const sent = 5 * (1 + 2 + 3 + 4 + 6) * 5;
    assertEquals(
      report.ledger,
      ledgerWith({ sent, ok: sent, frames: { received: 2 * sent, final: sent, progress: sent } }),
    );
    assertEquals(countedCalls(server.stats()), expectedCalls([report.ledger]));
    assertEquals(checkNamed(report, ALL_MEASURED).observed, "25 of 25");
    for (const clients of steps) {
      const latency = metricNamed(report, `latency@${clients}`, "distribution");
      assertEquals([latency.count, latency.at], [5 * clients * 5, { connections: clients }]);
      const { rounds } = metricNamed(report, `throughput@${clients}`, "scalar");
      assertEquals(rounds.length, 5);
      if (clients === 1) continue;
      const alone = metricNamed(report, "throughput@1", "scalar").rounds;
      // In the order of the rounds, whichever way a round went.
      assertEquals(
        metricNamed(report, `efficiency@${clients}`, "scalar").rounds,
        rounds.map((rate, round) => rate / (clients * alone[round]!)),
      );
    }
    const limit = report.notes?.find((note) =>
      note.startsWith("the sweep ends at 6 clients at once")
    );
    assertStringIncludes(limit ?? "", "closed with 1008 (Too many connections from your IP");
    // The slots are free again.
    using target = targetAt(server.url);
    await using again = await target.connect(openLedger());
    assert(again.isOpen);
  },
);

Deno.test({ name: "the sweep goes up in one round and down in the next", ignore }, async () => {
  const callers: number[] = [];
  await using server = startScriptedServer((peer, message) => {
    if (message?.op === "call_tool") callers.push(peer.nth);
    answerSoundly(peer, message);
  });
  await runScenario(scaling, { ...COUNTED, messages: 1, connections: 4 }, server);
  const sizes = [1, 2, 3, 4, 4, 3, 2, 1];
  const steps = sizes.map((size) => callers.splice(0, size).sort());
  assertEquals(steps, sizes.map((size) => [1, 2, 3, 4].slice(0, size)));
  assertEquals(callers, []);
});

Deno.test(
  { name: "of a server that takes no notice of others the law is a straight line", ignore },
  async () => {
    // Every call takes 20 ms, however many there are: X(N) = N / 20 ms.
    await using server = await startFaultyServer({ script: () => ({ kind: "late", ms: 20 }) });
    const report = await runScenario(scaling, { ...COUNTED, rounds: 5, connections: 5 }, server);
    assertEquals(failedChecks(report), []);
    const value = (name: string) => metricNamed(report, name, "scalar").value;
    assert(value("rSquared") > 0.9 && value("contention") < 0.2, `${value("contention")}`);
    const law = {
      singleRatePerSecond: value("singleRate"),
      contention: value("contention"),
      coherency: value("coherency"),
    };
    for (const clients of [1, 2, 3, 4, 5]) {
      assertAlmostEquals(value(`fitted@${clients}`), throughputAt(law, clients), 1e-9);
    }
    assertEquals(metricNamed(report, "singleRate", "scalar").ci95?.length, 2);
  },
);

Deno.test(
  { name: "--connections bounds the sweep, and three steps are no fit", ignore },
  async () => {
    await using server = await startReference();
    const report = await runScenario(scaling, { ...COUNTED, connections: 3 }, server);
    assertEquals([report.status, server.stats().connectionsAccepted], ["passed", 3]);
    assertEquals(report.notMeasured, [{
      name: "scaling law",
      reason: "3 numbers of clients are too few for a fit: 4 are needed",
    }]);
    assertEquals(report.metrics.filter(({ name }) => name === "contention"), []);
  },
);

Deno.test({ name: "a capped rate is no throughput to fit a law to", ignore }, async () => {
  await using server = await startReference();
  const report = await runScenario(
    scaling,
    { ...COUNTED, messages: 2, connections: 4 },
    { ...server, maxRatePerSecond: 500 },
  );
  assertEquals(report.notMeasured, [{
    name: "scaling law",
    reason: "--max-rate 500 sets what each client sends",
  }]);
});

Deno.test(
  { name: "where no slot is free there is no sweep, with the reason", ignore },
  async () => {
    await using server = await startReference({ limits: { maxConnectionsPerIp: 1 } });
    using target = targetAt(server.url);
    await using _held = await target.connect(openLedger());
    const report = await runScenario(scaling, COUNTED, server);
    assertEquals(report.status, "failed");
    assertStringIncludes(report.reason ?? "", "closed with 1008");
  },
);

Deno.test(
  { name: "any other refusal half-way fails the sweep, with the reason", ignore },
  async () => {
    await using server = await startFaultyServer({
      handshakes: (nth) => nth < 3 ? { kind: "ok" } : { kind: "httpStatus", status: 503 },
    });
    const report = await runScenario(scaling, COUNTED, server);
    assertEquals([report.status, report.ledger], ["failed", ledgerWith({})]);
    assertStringIncludes(report.reason ?? "", "HTTP 503");
  },
);

Deno.test(
  { name: "a server that dies or falls silent half-way fails the sweep", ignore },
  async () => {
    const faults: Behaviour["kind"][] = ["abruptClose", "silent"];
    for (const kind of faults) {
      await using server = await startFaultyServer({
        script: (call) => ({ kind: call < 40 ? "ok" : kind } as Behaviour),
      });
      const report = await runScenario(scaling, { ...COUNTED, connections: 4 }, {
        url: server.url,
        timeoutMs: SHORT_TIMEOUT_MS,
      });
      const { sent, ok, timeout, connectionLost } = report.ledger;
      assertEquals([report.status, brokenEquations(report.ledger)], ["failed", []]);
      assertEquals(ok + timeout + connectionLost, sent);
      // Steps 1, 2 and 3 of the first round are 30 calls; the fourth was cut short.
      assertEquals(checkNamed(report, ALL_MEASURED).observed, "3 of 8");
      assertEquals(report.notMeasured[0]?.name, "scaling law");
    }
  },
);

Deno.test({ name: "an interrupt ends the sweep, with nothing failed", ignore }, async () => {
  const controller = new AbortController();
  await using server = await startFaultyServer({
    script: (call) => {
      if (call === 20) controller.abort(new Error("interrupted"));
      return { kind: call < 20 ? "ok" : "silent" };
    },
  });
  const report = await runScenario(scaling, { ...COUNTED, connections: 4 }, {
    url: server.url,
    signal: controller.signal,
  });
  assertEquals([report.status, brokenEquations(report.ledger)], ["interrupted", []]);
});
