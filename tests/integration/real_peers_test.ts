/**
 * Third-party servers: npm's `ws` on Node and Debian's `websockets` on Python, as echo servers and
 * as EXAI servers of a few lines. Their own counts must match the ledgers.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { fileURLToPath } from "node:url";
import { brokenEquations } from "../../lib/client/ledger.ts";
import { PROTOCOLS } from "../../lib/protocols/mod.ts";
import { concurrentConnections } from "../../scenarios/concurrent_connections.ts";
import { connectionEstablishment } from "../../scenarios/connection_establishment.ts";
import { messageThroughput } from "../../scenarios/message_throughput.ts";
import { openLoop } from "../../scenarios/open_loop.ts";
import { pipelining } from "../../scenarios/pipelining.ts";
import { findNpmPeers, testWith } from "../support/npm_peers.ts";
import { type PeerProcess, startPeer } from "../support/peer_process.ts";
import { makeUserFolder, NEEDS_PROCESSES, runCli } from "../support/run_cli.ts";
import { failedChecks, runScenarios } from "../support/run_scenarios.ts";
import { distinctCalls } from "../support/workloads.ts";

const SHORT: Parameters<typeof runScenarios>[0] = [
  [connectionEstablishment, { connects: 4 }],
  [messageThroughput, { durationMs: 50 }],
  [concurrentConnections, { messages: 20, durationMs: null, connections: 3 }],
  [pipelining, { messages: 64, durationMs: null }],
  [openLoop, { ratePerSecond: 400, connections: 3, messages: 40, durationMs: null }],
];

const READY = /listening on (\d+)/;
const WS_SERVER = fileURLToPath(new URL("../support/peers/ws_server.mjs", import.meta.url));
const KINDS = ["echo", "exai"] as const;
type Kind = typeof KINDS[number];

interface Counts {
  connections: number;
  calls: number;
  /** The distinct extensions negotiated with clients. */
  extensions: string[];
}

async function countsOf({ ready }: PeerProcess): Promise<Counts> {
  const response = await fetch(`http://127.0.0.1:${ready[1]}/stats`);
  return await response.json();
}

/** Runs the scenarios and compares their ledgers with the server's own counts. */
async function assertExact(kind: Kind, peer: PeerProcess): Promise<void> {
  const { scenarios, reasons } = await runScenarios(SHORT, {
    ...{ epochs: 2, cold: true },
    url: `ws://127.0.0.1:${peer.ready[1]}`,
    protocol: PROTOCOLS[kind],
    workload: distinctCalls(),
  });
  assertEquals(scenarios.map((report) => [report.name, report.status, failedChecks(report)]), [
    ...SHORT.map(([{ name }]) => [name, "passed", []]),
  ]);
  assertEquals(reasons, []);
  const ledgers = scenarios.flatMap(({ ledger, warmupLedger }) => [ledger, warmupLedger]);
  assertEquals(ledgers.flatMap(brokenEquations), []);
  const sum = (pick: (ledger: typeof ledgers[number]) => number) =>
    ledgers.reduce((total, ledger) => total + pick(ledger), 0);
  const { calls, connections, extensions } = await countsOf(peer);
  assertEquals([sum(({ sent }) => sent), sum(({ ok }) => ok)], [calls, calls]);
  assertEquals(sum(({ frames }) => frames.received), kind === "exai" ? 2 * calls : calls);
  assertEquals(sum(({ frames }) => frames.progress), kind === "exai" ? calls : 0);
  // The cold one; and in each epoch four connects and mitata's own, three for the scenarios that
  // share cases, and three for the open loop.
  assertEquals(connections, 1 + 2 * (4 + 1 + 3 + 3));
  // Deno's client offers no compression.
  assertEquals(extensions, [""]);
}

const npm = await findNpmPeers();
for (const kind of KINDS) {
  for (const deflate of ["off", "on"]) {
    const what = `ws as ${kind}, deflate ${deflate}: the ledgers match its counts`;
    Deno.test(testWith(what, npm.missing), async () => {
      const args = [WS_SERVER, npm.folder!, kind, deflate];
      await using peer = await startPeer({ command: "node", args, readyWhen: READY });
      await assertExact(kind, peer);
    });
  }
}

Deno.test(testWith("ws as echo: the command line measures it", npm.missing), async () => {
  const args = [WS_SERVER, npm.folder!, "echo", "on"];
  await using peer = await startPeer({ command: "node", args, readyWhen: READY });
  await using folder = await makeUserFolder();
  const { code, stdout, stderr } = await runCli([
    ...["--protocol", "echo", "--url", `ws://127.0.0.1:${peer.ready[1]}`, "--payload", "1000"],
    // The limit probe's calls would be in no ledger.
    ...["--profile", "quick", "--epochs", "1", "--duration", "0.05", "--ignore-limits"],
  ], { folder: folder.path });
  assertEquals(code, 0, `${stdout}\n${stderr}`);
  const { scenarios } = await folder.report();
  const ledgers = scenarios.flatMap(({ ledger, warmupLedger }) => [ledger, warmupLedger]);
  assertEquals(ledgers.flatMap(brokenEquations), []);
  const sent = ledgers.reduce((sum, ledger) => sum + ledger.sent, 0);
  // The preflight's call is in no ledger.
  assertEquals((await countsOf(peer)).calls, sent + 1);
});

/** Debian's Python: others may lack the package. */
const PYTHON = "/usr/bin/python3";
const lacksPython = await findPython();
for (const kind of KINDS) {
  const what = `python3-websockets as ${kind}: the ledgers match its counts`;
  Deno.test(testWith(what, lacksPython), async () => {
    const script = fileURLToPath(new URL("../support/peers/websockets_server.py", import.meta.url));
    await using peer = await startPeer({ command: PYTHON, args: [script, kind], readyWhen: READY });
    await assertExact(kind, peer);
  });
}

/** Why the package cannot be used; `null` if it can. */
async function findPython(): Promise<string | null> {
  if (NEEDS_PROCESSES) return "needs permissions";
  try {
    const { success } = await new Deno.Command(PYTHON, {
      args: ["-c", "import websockets"],
      stdin: "null",
      stderr: "null",
    }).output();
    return success ? null : `${PYTHON} has no websockets: install python3-websockets`;
  } catch {
    return `no ${PYTHON}`;
  }
}
