/**
 * Connections lost mid-run: checks and reasons name the close code, its reason and the silence.
 *
 * @module
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { openLedger, settleLedger } from "../../lib/client/ledger.ts";
import { describeClose } from "../../lib/run/describe_end.ts";
import { mergeLedgers } from "../../lib/split/merge_scenario.ts";
import { concurrentConnections } from "../../scenarios/concurrent_connections.ts";
import { messageThroughput } from "../../scenarios/message_throughput.ts";
import { checkNamed, runScenarios } from "../support/run_scenarios.ts";
import { answerSoundly, startScriptedServer } from "../support/scripted_server.ts";
import { NO_NET as ignore, STATUS, targetAt } from "../support/targets.ts";

Deno.test({ name: "lost mid-run: checks and reasons name code and reason", ignore }, async () => {
  let calls = 0;
  await using server = startScriptedServer((peer, message) => {
    if (message?.op === "call_tool" && ++calls > 25) return peer.close(4008, "Rate limited.");
    answerSoundly(peer, message);
  });
  const { scenarios: [report], reasons } = await runScenarios(
    [[messageThroughput, { messages: 10, durationMs: null }]],
    { url: server.url, cold: true },
  );
  const how = "close 4008 Rate limited.";
  assertStringIncludes(checkNamed(report!, "every message answered").observed, how);
  assertStringIncludes(checkNamed(report!, "every slice measured").observed, how);
  assertEquals(report!.ledger.closeReasons, { 4008: "Rate limited." });
  assert(reasons.some(({ message }) => message.includes(how)), JSON.stringify(reasons));
});

Deno.test({ name: "lost mid-run: a cut connection has no close frame", ignore }, async () => {
  let calls = 0;
  await using server = startScriptedServer((peer, message) => {
    if (message?.op === "call_tool" && ++calls > 25) return peer.cut();
    answerSoundly(peer, message);
  });
  const { scenarios: [report] } = await runScenarios(
    [[messageThroughput, { messages: 10, durationMs: null }]],
    { url: server.url, cold: true },
  );
  assertStringIncludes(
    checkNamed(report!, "every message answered").observed,
    "connectionLost 1; no close frame (1006)",
  );
  assertEquals(report!.ledger.closeCodes, { 1006: 1 });
});

Deno.test(
  { name: "lost mid-run: the server's close of idle clients is named", ignore },
  async () => {
    // All clients but the first are closed before their turn.
    await using server = startScriptedServer((peer, message) => {
      answerSoundly(peer, message);
      if (message?.op === "hello" && peer.nth > 1) setTimeout(() => peer.close(1001, "idle"), 1);
    });
    const { scenarios: [report] } = await runScenarios(
      [[concurrentConnections, { connections: 3, messages: 20, durationMs: null }]],
      { url: server.url, cold: true },
    );
    assertStringIncludes(checkNamed(report!, "every slice measured").observed, "close 1001 idle");
  },
);

Deno.test({ name: "a connection knows how it was lost and its quiet time", ignore }, async () => {
  await using server = startScriptedServer((peer, message) => {
    answerSoundly(peer, message);
    if (message?.op === "call_tool") setTimeout(() => peer.close(1001, "idle"), 50);
  });
  using target = targetAt(server.url);
  await using connection = await target.connect(openLedger());
  assertEquals(connection.lost, null);
  const { endedNs } = await connection.call(STATUS);
  const { code, reason, quietNs, atNs } = await connection.closed;
  assertEquals([code, reason], [1001, "idle"]);
  assertEquals(connection.lost?.code, 1001);
  assert(quietNs !== undefined && quietNs > 0 && quietNs <= atNs - endedNs, `${quietNs}`);
});

Deno.test("a close after a silence says how long it was", () => {
  assertEquals(describeClose({ code: 4000, reason: "bye", quietNs: 0.9e9 }), "close 4000 bye");
  assertEquals(
    describeClose({ code: 1006, reason: "", quietNs: 3.04e9 }),
    "no close frame (1006), after 3.0 s without traffic (an idle timeout of a proxy?)",
  );
});

Deno.test("merged ledgers keep the first reason of each close code", () => {
  const ledgers = ["one", "two"].map((reason) => {
    const open = openLedger();
    open.closeCodes[4000] = 1;
    open.closeReasons[4000] = reason;
    return settleLedger(open, false);
  });
  const { closeCodes, closeReasons } = mergeLedgers(ledgers);
  assertEquals([closeCodes, closeReasons], [{ 4000: 2 }, { 4000: "one" }]);
});
