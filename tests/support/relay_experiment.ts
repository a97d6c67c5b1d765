/**
 * Measures what the relay past Nagle's algorithm costs and saves, for calls to a server that does
 * nothing and for opening connections. Both ways take turns in each round. Run manually, for about
 * a minute:
 *
 *   deno run -P=test --v8-flags=--expose-gc tests/support/relay_experiment.ts [ROUNDS]
 */

import { systemClock } from "../../lib/client/clock.ts";
import { openLedger } from "../../lib/client/ledger.ts";
import { Relay } from "../../lib/client/relay.ts";
import type { Target } from "../../lib/client/target.ts";
import { runClosedSlice } from "../../lib/load/closed.ts";
import { echo } from "../../lib/protocols/echo.ts";
import { mcp } from "../../lib/protocols/mcp.ts";
import { nullTarget } from "../../lib/run/client_floor.ts";
import { startNullServer } from "../../lib/server/null_server.ts";
import { estimate } from "../../lib/stats/estimate.ts";
import { median } from "../../lib/stats/median.ts";
import { AUTHORITY, KEY, LOOPBACK } from "./certificates.ts";
import { printRow } from "./print.ts";
import { startScriptedServer } from "./scripted_server.ts";
import { targetAt } from "./targets.ts";

const ROUNDS = Number(Deno.args[0] ?? 10);
const SLICE_NS = 150e6;
const OPENINGS = 5;
const SIZES = { "64 B": 64, "4 KiB": 4 << 10, "64 KiB": 64 << 10, "1 MiB": 1 << 20 };
const WAYS = [false, true];

function write(...columns: (string | number)[]): void {
  printRow(...columns.map((one) => typeof one === "number" ? one.toPrecision(3) : one));
}

/** Measures both ways in each round, alternating which comes first, after one discarded round. */
async function compare(name: string, measure: (relayed: boolean) => Promise<number>) {
  const found: [number[], number[]] = [[], []];
  for (let round = 0; round <= ROUNDS; round++) {
    for (const relayed of round % 2 === 0 ? WAYS : WAYS.toReversed()) {
      const value = await measure(relayed);
      if (round > 0) found[Number(relayed)]!.push(value);
    }
  }
  const [direct, relayed] = found;
  const { value, ci95 } = estimate(relayed.map((one, round) => one / direct[round]!));
  const [low, high] = ci95!.map((bound) => bound.toPrecision(3));
  write(name, median(direct), median(relayed), value, `${low} to ${high}`);
}

await using relay = new Relay({ caCert: AUTHORITY, onWarning: (message) => write(message) });
const use = { through: relay, always: false, callBytes: 0 };
const { signal } = new AbortController();

/** The median call in microseconds, or with several in flight the calls per millisecond. */
function callsOn(target: Target, payloadBytes: number, inFlight = 1) {
  const message = { tool: "status", argsJson: `{"payload":"${"x".repeat(payloadBytes)}"}` };
  const ledger = openLedger();
  return async (relayed: boolean) => {
    await using connection = await target.connect(ledger, { relayed });
    const { timesNs, clients: [client] } = await runClosedSlice([connection], {
      message: () => message,
      inFlight,
      leadInNs: 50e6,
      messages: null,
      durationNs: SLICE_NS,
      maxRatePerSecond: null,
      warmupLedger: ledger,
      ledger,
      clock: systemClock,
      signal,
    });
    return inFlight === 1 ? median([...timesNs]) / 1e3 : client!.ok / client!.windowNs * 1e6;
  };
}

/** The median time to connect, or to close right afterwards, in microseconds. */
function openingsOf(target: Target, part: "connect" | "close") {
  return async (relayed: boolean) => {
    const times: number[] = [];
    for (let nth = 0; nth < OPENINGS; nth++) {
      const connection = await target.connect(openLedger(), { relayed });
      const { durationNs } = await connection.close();
      times.push((part === "close" ? durationNs : connection.timing.connectNs) / 1e3);
    }
    return median(times);
  };
}

write("", "direct", "relayed", "ratio", "95 %");
{
  await using server = await startNullServer();
  using target = nullTarget(server.url, { clock: systemClock, signal, relay: use });
  for (const [name, bytes] of Object.entries(SIZES)) {
    await compare(`call of ${name}, us`, callsOn(target, bytes));
  }
  await compare("64 B, 16 in flight, calls/ms", callsOn(target, 64, 16));
  await compare("connect, us", openingsOf(target, "connect"));
}
{
  await using server = startScriptedServer((peer, message) => {
    const { id, method } = message as unknown as { id?: number; method?: string };
    if (method === "initialize") {
      const result = { protocolVersion: "2025-11-25", capabilities: {}, serverInfo: {} };
      peer.send({ jsonrpc: "2.0", id, result });
    }
  });
  using target = targetAt(server.url, { protocol: mcp, relay: use });
  await compare("mcp: close after the handshake, us", openingsOf(target, "close"));
}
{
  const where = { hostname: "127.0.0.1", port: 0, onListen() {}, cert: LOOPBACK, key: KEY };
  await using server = Deno.serve(where, (request) => {
    const { socket, response } = Deno.upgradeWebSocket(request, { idleTimeout: 0 });
    socket.onmessage = ({ data }) => socket.send(data);
    return response;
  });
  const url = `wss://localhost:${server.addr.port}`;
  using target = targetAt(url, { protocol: echo, caCert: AUTHORITY, relay: use });
  await compare("wss: connect, us", openingsOf(target, "connect"));
  for (const name of ["64 B", "4 KiB"] as const) {
    await compare(`wss: call of ${name}, us`, callsOn(target, SIZES[name]));
  }
}
