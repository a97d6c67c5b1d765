/**
 * Servers and proxies that limit connections or stop answering.
 *
 * @module
 */

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { ConnectError, dialError } from "../../lib/client/connect_error.ts";
import { type OpenLedger, openLedger } from "../../lib/client/ledger.ts";
import { echo } from "../../lib/protocols/echo.ts";
import { ConnectionPool } from "../../lib/run/connection_pool.ts";
import type { Recording } from "../../lib/run/scenario.ts";
import { connectionLimit } from "../../scenarios/connection_limit.ts";
import { openLoop } from "../../scenarios/open_loop.ts";
import { scaling } from "../../scenarios/scaling.ts";
import { listenCuttable } from "../support/cuttable_listener.ts";
import { checkNamed, metricNamed, runScenario, runScenarios } from "../support/run_scenarios.ts";
import { answerSoundly, startScriptedServer } from "../support/scripted_server.ts";
import { NO_NET as ignore, SHORT_TIMEOUT_MS, targetAt } from "../support/targets.ts";

/** An echo server that, like a proxy, refuses connections beyond `room` with an HTTP status. */
function startLimited(room: number, status: number): AsyncDisposable & { url: string } {
  let open = 0;
  const listener = listenCuttable((request) => {
    if (open >= room) return new Response("limited", { status });
    open++;
    const { socket, response } = Deno.upgradeWebSocket(request, { idleTimeout: 0 });
    socket.onmessage = ({ data }) => socket.send(data);
    socket.onclose = () => open--;
    socket.onerror = (event) => event.preventDefault();
    return response;
  });
  return {
    url: `ws://127.0.0.1:${listener.port}`,
    [Symbol.asyncDispose]: () => listener.stop(),
  };
}

for (const status of [429, 503]) {
  Deno.test({ name: `a connection limit by HTTP ${status} is found`, ignore }, async () => {
    await using server = startLimited(4, status);
    const { url } = server;
    const report = await runScenario(connectionLimit, { bound: 8 }, {
      url,
      protocol: echo,
      epochs: 1,
    });
    assertEquals(report.status, "passed", report.reason ?? JSON.stringify(report.checks));
    assertEquals(metricNamed(report, "limit", "scalar").value, 4);
    assertStringIncludes(
      checkNamed(report, "one connection too many is refused").observed,
      `HTTP ${status}`,
    );
  });

  Deno.test(
    { name: `a sweep ends at a limit by HTTP ${status}, with numbers`, ignore },
    async () => {
      await using server = startLimited(3, status);
      const parameters = { connections: 6, messages: 10, durationMs: null };
      const { scenarios: [report] } = await runScenarios([[scaling, parameters]], {
        url: server.url,
        protocol: echo,
        epochs: 1,
        cold: true,
      });
      assertEquals(report!.status, "passed", report!.reason ?? JSON.stringify(report!.checks));
      const [note] = report!.notes!.filter(({ kind }) => kind === "connectionLimit");
      assertStringIncludes(note!.message, `ends at 3 clients: `);
      assertStringIncludes(note!.message, `HTTP ${status}`);
      assert(metricNamed(report!, "throughput", "scalar", { clients: 3 }).value > 0);
    },
  );
}

Deno.test({ name: "connection-limit gives up on a server without answers", ignore }, async () => {
  let calls = 0;
  await using server = startScriptedServer((peer, message) => {
    if (message?.op === "call_tool") calls++;
    else answerSoundly(peer, message);
  });
  const report = await runScenario(connectionLimit, { bound: 12 }, {
    url: server.url,
    timeoutMs: 3 * SHORT_TIMEOUT_MS,
  });
  assertEquals([report.status, calls], ["failed", 3], report.reason ?? "");
  assertStringIncludes(report.reason!, "3 in a row timed out, 9 more connections were not tried");
});

Deno.test({ name: "this client's own limit of open files fails no check", ignore }, async () => {
  await using server = startScriptedServer(answerSoundly);
  using target = targetAt(server.url);
  const full = dialError(server.url, "tcp open error");
  let dials = 0;
  const scarce = new Proxy(target, {
    get: (from, name) => {
      if (name === "relays") return () => false;
      if (name !== "connect") return Reflect.get(from, name, from);
      return (ledger: OpenLedger) => ++dials > 1 ? Promise.reject(full) : target.connect(ledger);
    },
  });
  await using pool = new ConnectionPool(scarce, openLedger());
  const record = {
    tally: () => assert(false, "counted against the server"),
  } as unknown as Recording;
  const error = await assertRejects(
    () => pool.open([{ record, most: 3, establish: null }]),
    ConnectError,
  );
  assertEquals(error, full);
});

Deno.test({ name: "an open loop gives up on a silent server in one epoch", ignore }, async () => {
  await using server = startScriptedServer((peer, message) => {
    if (message?.op !== "call_tool") answerSoundly(peer, message);
  });
  const parameters = { connections: 2, ratePerSecond: 100, durationMs: 100 };
  const report = await runScenario(openLoop, parameters, {
    url: server.url,
    timeoutMs: 3 * SHORT_TIMEOUT_MS,
    epochs: 4,
  });
  assertEquals([report.status, server.connections], ["failed", 2]);
});
