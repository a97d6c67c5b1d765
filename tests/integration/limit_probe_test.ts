import { assert, assertEquals, assertRejects } from "@std/assert";
import { openLedger } from "../../lib/client/ledger.ts";
import { prepareSplit, runBench } from "../../lib/run/bench.ts";
import { keepToLimits } from "../../lib/run/limit_probe.ts";
import { capOf, type Run } from "../../lib/run/run.ts";
import { ONE_CLIENT, TargetUnusableError } from "../../lib/run/scenario.ts";
import { TokenBucket } from "../../lib/server/token_bucket.ts";
import { concurrentConnections } from "../../scenarios/concurrent_connections.ts";
import { messageThroughput } from "../../scenarios/message_throughput.ts";
import { rateLimit } from "../../scenarios/rate_limit.ts";
import { sessionCapacity } from "../../scenarios/session_capacity/mod.ts";
import { createTestRun, settingsAt, startReference } from "../support/run_scenarios.ts";
import { answerSoundly, HELLO_ACK, startScriptedServer } from "../support/scripted_server.ts";
import { NO_NET as ignore } from "../support/targets.ts";

const bucket = (capacity: number, refillPerSecond: number) => ({ capacity, refillPerSecond });
const ALONE = { scenario: messageThroughput, parameters: {} };
const FIVE = { scenario: concurrentConnections, parameters: { connections: 5 } };

function runAt(url: string, given: Partial<Parameters<typeof createTestRun>[1]> = {}): Run {
  return createTestRun([ALONE, FIVE], { url, ...given });
}

Deno.test("workers know the limit that was found for all of them", { ignore }, async () => {
  await using server = await startReference({ limits: { userRate: bucket(20, 5) } });
  const hooks = {
    ...{ planned: [ALONE], bundled: null, signal: new AbortController().signal },
    ...{ onWarning: () => {}, onProgress: () => {}, onPartialReport: () => Promise.resolve() },
  };
  const settings = await prepareSplit(settingsAt(server.url), hooks);
  // It reaches the limit on purpose, unless the user asked for that rate.
  const parameters = { ...rateLimit.defaults.standard, refillMs: 300 };
  const planned = [{ scenario: rateLimit, parameters }];
  const shard = { index: 1, count: 2 };
  const report = await runBench({ ...settings, shard, epochs: 1 }, { ...hooks, planned });
  assertEquals(report.rateLimit?.keptToPerSecond, 4);
  assertEquals(report.scenarios[0]!.reason, null);
});

Deno.test("limits of a session and its address are found and respected", { ignore }, async () => {
  for (const dialect of ["oct", "oct25", "nov"] as const) {
    await using server = await startReference({
      dialect,
      limits: { userRate: bucket(20, 5), ipRate: bucket(60, 10) },
    });
    await using run = runAt(server.url);
    await keepToLimits([run]);
    const { message, ...found } = run.rateLimit!;
    assert(message.includes("user_rate_limit_exceeded"), message);
    assertEquals([found.owner, found.scenario, found.keptToPerSecond], ["session", null, 4]);
    assertEquals([found.refillPerSecond, found.addressRefillPerSecond], [5, 10]);
    assert(found.burst! >= 18 && found.burst! <= 20, `${found.burst}`);
    const caps = [1, 2, 5].map((clients) => capOf(run, { ...ONE_CLIENT, clients }));
    assertEquals(caps, [4, 4, 1.6]);
    // Refusals of the probe are not reported as the run's.
    assertEquals(run.target.observed.rateLimit, null);
    await using connection = await run.target.connect(openLedger());
    assertEquals(
      (await connection.call(run.workload())).status,
      "ok",
      "the address has calls left",
    );
  }
});

Deno.test("the limit of an address is shared by the sessions of the run", { ignore }, async () => {
  await using server = await startReference({ limits: { userRate: null, ipRate: bucket(20, 10) } });
  await using run = runAt(server.url);
  await keepToLimits([run]);
  assertEquals([run.rateLimit?.owner, run.settings.maxRatePerSecond], ["ip", 1.6]);
  // One to try the address, one and two retries of the session: no other session was tried.
  assertEquals(server.stats().connectionsAccepted, 4);
});

Deno.test(
  "sessions of a scenario that overloads the server do not share it",
  { ignore },
  async () => {
    await using server = await startReference({
      limits: { userRate: null, ipRate: bucket(20, 10) },
    });
    const many = { scenario: sessionCapacity, parameters: { connections: 100 } };
    await using run = createTestRun([ALONE, many], { url: server.url });
    await keepToLimits([run]);
    assertEquals(run.settings.maxRatePerSecond, 8);
  },
);

Deno.test("a refill that the server does not state is measured", { ignore }, async () => {
  const buckets = new Map<number, TokenBucket>();
  await using server = startScriptedServer((peer, message) => {
    if (message?.op === "hello") return peer.send(HELLO_ACK);
    const nowMs = performance.now();
    const own = buckets.get(peer.nth) ?? new TokenBucket(bucket(10, 20), nowMs);
    buckets.set(peer.nth, own);
    if (own.take(nowMs) === 0) return answerSoundly(peer, message);
    const error = { code: "OVER_CAPACITY", message: "slow down" };
    peer.send({ op: "error", request_id: message?.request_id, error });
  });
  await using run = runAt(server.url);
  await keepToLimits([run]);
  const { refillPerSecond = 0, keptToPerSecond } = run.rateLimit!;
  // Never more than the true rate; how close depends on the machine.
  assert(refillPerSecond > 5 && refillPerSecond <= 20.01, `${refillPerSecond}`);
  assertEquals(run.settings.maxRatePerSecond, keptToPerSecond!);
});

Deno.test("the lower limit of two servers counts for both", { ignore }, async () => {
  await using tight = await startReference({ limits: { userRate: bucket(10, 5), ipRate: null } });
  await using loose = await startReference({ limits: "off" });
  await using a = runAt(loose.url);
  await using b = runAt(tight.url);
  await keepToLimits([a, b]);
  assertEquals([a, b].map(({ settings }) => settings.maxRatePerSecond), [4, 4]);
});

Deno.test("nothing changes without limits, or with probing turned off", { ignore }, async () => {
  await using unlimited = await startReference({ limits: "off" });
  await using limited = await startReference({ limits: { userRate: bucket(1, 0.001) } });
  const runs = [
    runAt(unlimited.url),
    runAt(limited.url, { maxRatePerSecond: 7 }),
    runAt(limited.url, { settings: { ignoreLimits: true } }),
    createTestRun([{ scenario: rateLimit, parameters: {} }], { url: limited.url }),
  ];
  for (const [index, run] of runs.entries()) {
    await using _run = run;
    await keepToLimits([run]);
    assertEquals([run.rateLimit, run.settings.maxRatePerSecond], [
      undefined,
      index === 1 ? 7 : null,
    ]);
  }
  assertEquals(limited.stats().callsReceived, 0);
  await using tooTight = runAt(limited.url);
  await assertRejects(() => keepToLimits([tooTight]), TargetUnusableError, "too tight");
});
