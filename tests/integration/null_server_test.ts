import { assertEquals, assertRejects } from "@std/assert";
import { runClosedSlice } from "../../lib/load/closed.ts";
import { ConnectError } from "../../lib/client/connect_error.ts";
import { brokenEquations, openLedger, settleLedger } from "../../lib/client/ledger.ts";
import { systemClock } from "../../lib/client/clock.ts";
import { startNullServer } from "../../lib/server/null_server.ts";
import { lacks } from "../support/permissions.ts";
import { ledgerWith, STATUS, targetAt } from "../support/targets.ts";

const ignore = lacks("net", "read");
const NO_RUN = ignore || lacks("run");

Deno.test("null server: answers every call of pipelining clients", { ignore }, async () => {
  await using server = await startNullServer();
  using target = targetAt(server.url, { timeoutMs: 5_000 });
  const ledger = openLedger();
  await using opened = new AsyncDisposableStack();
  const connections = await Promise.all([1, 2, 3].map(() => target.connect(ledger)));
  for (const connection of connections) opened.use(connection);
  const { clients, end } = await runClosedSlice(connections, {
    message: () => STATUS,
    inFlight: 16,
    leadInNs: 0,
    messages: 500,
    durationNs: null,
    maxRatePerSecond: null,
    warmupLedger: ledger,
    ledger,
    clock: systemClock,
    signal: new AbortController().signal,
  });
  assertEquals([clients.map(({ ok }) => ok), end], [[500, 500, 500], "complete"]);
  const settled = settleLedger(ledger, false);
  assertEquals(brokenEquations(settled), []);
  assertEquals(
    settled,
    ledgerWith({ sent: 1_500, ok: 1_500, frames: { received: 1_500, final: 1_500 } }),
  );
});

Deno.test("null server: answers a close, and stops with its worker", { ignore }, async () => {
  const server = await startNullServer();
  using target = targetAt(server.url, { timeoutMs: 5_000 });
  const connection = await target.connect(openLedger());
  assertEquals(
    (await connection.call({ tool: "echo", argsJson: `{"a":"${"x".repeat(1e6)}"}` })).status,
    "ok",
  );
  const { code, ours } = await connection.close();
  assertEquals([code, ours], [1000, true]);
  await server.stop();
  await server.stop();
  await assertRejects(() => target.connect(openLedger()), ConnectError);
});

Deno.test("null server: stopping closes the port", { ignore }, async () => {
  for (let start = 0; start < 5; start++) {
    const server = await startNullServer();
    const port = Number(new URL(server.url).port);
    await server.stop();
    await assertRejects(() => Deno.connect({ port }), Deno.errors.ConnectionRefused);
  }
});

Deno.test("null server: once stopped, it lets the process end", { ignore: NO_RUN }, async () => {
  const { href } = new URL("../../lib/server/null_server.ts", import.meta.url);
  const script = `const { startNullServer } = await import("${href}");
    const server = await startNullServer();
    await server.stop();`;
  const deno = new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-lock", script],
    signal: AbortSignal.timeout(20_000),
  });
  assertEquals((await deno.output()).code, 0);
});
