/**
 * Runs every fault of the hostile server against every scenario, and interrupts runs at random
 * moments, looking from outside for what must never happen. Run manually, for up to an hour each:
 *
 *   deno run -q -P=test tests/support/fault_matrix.ts faults [FAULT,…] [SCENARIO,…]
 *   deno run -q -P=test tests/support/fault_matrix.ts interrupts [RUNS]
 *
 * @module
 */

import type { Report } from "../../lib/schema.ts";
import { parseReport } from "../../lib/report/export/json.ts";
import { SCENARIOS } from "../../scenarios/mod.ts";
import {
  type Fault,
  FAULTS,
  HARMLESS_FAULTS,
  OPENING_FAULTS,
  startHostileServer,
} from "./hostile_server.ts";
import { printLine } from "./print.ts";
import { type CliResult, makeUserFolder, startCli, type UserFolder } from "./run_cli.ts";

/** A run that takes longer than this counts as hung. */
const BOUND_MS = 300_000;
/** Simultaneous runs. */
const LANES = 3;

const TOKEN = "tok-5d1f0b7c9e3a";
const HEADER = "hdr/8a+6e2d=4c1b";
/** As they are, and as a server could send them back. */
const SECRET_FORMS = [TOKEN, HEADER].flatMap((secret) => [
  secret,
  JSON.stringify(secret).slice(1, -1),
  encodeURIComponent(secret),
  btoa(secret),
  btoa(`Bearer ${secret}`),
]);

/** Failed calls of these scenarios are results, not errors. */
const OVERLOADING = new Set(SCENARIOS.filter(({ overloads }) => overloads).map(({ name }) => name));

/** How one run ended. */
interface Ended extends CliResult {
  seconds: number;
  hung: boolean;
}

async function run(args: readonly string[], folder: UserFolder): Promise<Ended> {
  const startMs = performance.now();
  await using running = startCli(
    args,
    { folder: folder.path, env: { EXAI_WS_TOKEN: TOKEN } },
    BOUND_MS,
  );
  const result = await running.result;
  const seconds = (performance.now() - startMs) / 1e3;
  return { ...result, seconds, hung: seconds * 1e3 >= BOUND_MS };
}

/** Descriptions of what must not happen; empty if all is well. */
async function findings(
  { code, stdout, stderr, hung }: Ended,
  folder: UserFolder,
  options: { exitCodes: readonly number[]; mayPass: boolean },
): Promise<string[]> {
  const found: string[] = [];
  if (hung) found.push("hung");
  if (/Uncaught|^\s+at .*:\d+:\d+/m.test(stderr)) found.push("a stack trace");
  if (!options.exitCodes.includes(code)) found.push(`exit ${code}`);
  const files = await folder.files();
  for (const [name, text] of [...files, ["stdout", stdout], ["stderr", stderr]] as const) {
    if (SECRET_FORMS.some((form) => text.includes(form))) found.push(`a secret in ${name}`);
    if (name.endsWith(".tmp")) found.push(`${name} left over`);
    if (name.endsWith(".html") && !text.trimEnd().endsWith("</html>")) found.push(`${name} torn`);
    if (!name.endsWith("report.json")) continue;
    try {
      found.push(...falseGreens(parseReport(text, name), { code, ...options }));
    } catch (error) {
      found.push(`${name} torn: ${(error as Error).message}`);
    }
  }
  return found;
}

/** Exit 0 means that everything planned was measured and served. */
function falseGreens(
  { scenarios, verdict }: Report,
  { code, mayPass }: { code: number; mayPass: boolean },
): string[] {
  const found = verdict.exitCode === code ? [] : [`exit ${code}, reported ${verdict.exitCode}`];
  if (code !== 0) return found;
  // Some scenarios only connect and make no calls.
  const calls = scenarios.reduce((sum, { ledger }) => sum + ledger.sent, 0);
  if (!mayPass && calls > 0) found.push("exit 0 in spite of the fault");
  for (const { name, status, ledger: { sent, ok } } of scenarios) {
    if (status !== "passed") found.push(`exit 0 and ${name} ${status}`);
    if (sent !== ok && !OVERLOADING.has(name)) {
      found.push(`exit 0 and ${ok} of ${sent} calls of ${name} served`);
    }
  }
  return found;
}

const COMMON = [
  ...["--profile", "quick", "--epochs", "1", "--warmup", "0", "--duration", "0.2"],
  ...["--timeout", "1", "--ignore-limits", "--connections", "3", "--rate", "50"],
  ...["--quiet", "--header", `X-Key: ${HEADER}`],
];

async function runFault(
  fault: Fault,
  scenario: string,
): Promise<{ ended: Ended; found: string[] }> {
  const isOpening = OPENING_FAULTS.includes(fault);
  await using folder = await makeUserFolder();
  await folder.write("heavy.json", '[{"tool":"chat","repetitions":3,"timeoutSeconds":2}]');
  // The preflight opens four connections and makes three calls.
  const secrets = SECRET_FORMS;
  await using server = startHostileServer({ fault, soundConnections: 5, soundCalls: 3, secrets });
  const heavy = /heavy|head/.test(scenario) ? ["--heavy-tools", "heavy.json"] : [];
  const args = [...COMMON, ...heavy, "--scenarios", scenario, "--url", server.url];
  const ended = await run(args, folder);
  const mayPass = HARMLESS_FAULTS.includes(fault) || isOpening || ended.stdout === "";
  return { ended, found: await findings(ended, folder, { exitCodes: [0, 1, 3], mayPass }) };
}

async function runFaults(faults: readonly Fault[], scenarios: readonly string[]): Promise<void> {
  const cells = faults.flatMap((fault) => scenarios.map((scenario) => ({ fault, scenario })));
  type Row = { codes: Record<string, number>; longest: number; found: string[] };
  const rows = new Map<Fault, Row>();
  const lane = async () => {
    for (let cell = cells.shift(); cell !== undefined; cell = cells.shift()) {
      const { ended, found } = await runFault(cell.fault, cell.scenario);
      const row = rows.get(cell.fault) ?? { codes: {}, longest: 0, found: [] };
      row.codes[ended.code] = (row.codes[ended.code] ?? 0) + 1;
      row.longest = Math.max(row.longest, ended.seconds);
      row.found.push(...found.map((what) => `${cell.scenario}: ${what}`));
      rows.set(cell.fault, row);
      const end = `exit ${ended.code}, ${ended.seconds.toFixed(1)} s ${found.join("; ")}`;
      printLine(`${cell.fault} x ${cell.scenario}: ${end}`);
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  printLine("\n| Fault | Exit codes of the scenarios | Longest run | Found |");
  printLine("| --- | --- | ---: | --- |");
  for (const [fault, { codes, longest, found }] of rows) {
    const ends = Object.entries(codes).map(([code, count]) => `${code}: ${count}`).join(", ");
    printLine(
      `| ${fault} | ${ends} | ${longest.toFixed(1)} s | ${found.join("; ") || "nothing"} |`,
    );
  }
}

/** Runs that take some seconds, over scenarios of every kind, interrupted at a random moment. */
async function runInterrupts(runs: number): Promise<void> {
  const counts: Record<string, number> = {};
  const all: string[] = [];
  for (let nth = 1; nth <= runs; nth++) {
    await using folder = await makeUserFolder();
    await using running = startCli(
      ["--profile", "quick", "--timeout", "2", "--format", "json,md,html,junit"],
      { folder: folder.path },
      BOUND_MS,
    );
    const afterMs = Math.random() * 8_000;
    const timer = setTimeout(() => running.kill("SIGINT"), afterMs);
    const startMs = performance.now();
    const result = await running.result;
    clearTimeout(timer);
    const seconds = (performance.now() - startMs) / 1e3;
    const ended = { ...result, seconds, hung: seconds * 1e3 >= BOUND_MS };
    const found = await findings(ended, folder, { exitCodes: [0, 130], mayPass: true });
    // Before the program handles the signal, it ends the process directly.
    const isSilent = result.code === 130 && result.stderr === "" && result.stdout === "";
    const key = isSilent ? "130 before any output" : String(result.code);
    counts[key] = (counts[key] ?? 0) + 1;
    all.push(...found.map((what) => `after ${(afterMs / 1e3).toFixed(2)} s: ${what}`));
    if (found.length > 0) printLine(`${nth}: after ${afterMs.toFixed(0)} ms: ${found.join("; ")}`);
  }
  printLine(`${runs} interrupts: ${JSON.stringify(counts)}; ${all.length} findings`);
}

if (import.meta.main) {
  const [mode = "faults", first = "", second = ""] = Deno.args;
  if (mode === "interrupts") await runInterrupts(Number(first || 100));
  else {
    const faults = first === "" ? FAULTS : first.split(",") as Fault[];
    const names = second === "" ? SCENARIOS.map(({ name }) => name) : second.split(",");
    await runFaults(faults, names);
  }
  Deno.exit(0);
}
