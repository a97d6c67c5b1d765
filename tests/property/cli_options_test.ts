/**
 * Any command line either works or ends with a one-line error.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import project from "../../deno.json" with { type: "json" };
import { ab } from "../../lib/cli/ab_command.ts";
import { bench } from "../../lib/cli/bench_command.ts";
import type { OptionSpec } from "../../lib/cli/command_line.ts";
import { runCompare, runMerge, runReport } from "../../lib/cli/offline_commands.ts";
import { OPTIONS } from "../../lib/cli/options.ts";
import { parseServeOptions, SERVE_OPTIONS } from "../../lib/cli/serve_command.ts";
import { UsageError } from "../../lib/cli/usage_error.ts";
import { ReportWriteError } from "../../lib/cli/write_reports.ts";
import { renderJson } from "../../lib/report/export/json.ts";
import { IncomparableError } from "../../lib/stats/comparability.ts";
import { SCENARIOS } from "../../scenarios/mod.ts";
import { configOf } from "../support/config_of.ts";
import { makeUserFolder, NEEDS_PROCESSES, runCli, type UserFolder } from "../support/run_cli.ts";
import { sampleReport } from "../support/sample_report.ts";
import { silentProgram } from "../support/silent_program.ts";
import { repeats } from "../support/repeats.ts";

const options = { ignore: NEEDS_PROCESSES };

/** No server runs here, so every run ends immediately. */
const NOBODY = "ws://127.0.0.1:1/";

const DEEP = "[".repeat(20_000);

const NUMBERS = [
  ...["0", "1", "2", "5", "-1", "0.5", "1e400", "-1e400", "1e-320", "NaN", "Infinity", "0x10"],
  ...["9".repeat(400), "1e3", "5s", "2m", "5 parsecs", "٣"],
];
const TEXTS = [
  ...["", " ", "\0", "a\0b", "a\nb", "\r\n", "→", "é", "\ud800", "\uFEFF", "x".repeat(100_000)],
  ...["--", "-", "-x", "--x", "=", "__proto__", "constructor", "{seq}", "%s", "'", '"', "auto"],
];
const FILES = ["report.json", "broken.json", "bom.json", "deep.json", "page.md", "folder", "nope"];
const MEANT = [
  ...["{}", "{", "[]", '{"a":', '{"__proto__":1}', DEEP, '{"n":1e999}', '"{unique}"'],
  ...["ws://", NOBODY, "ws://u:p@127.0.0.1:99999", "ws://[::1", "http://x", "wss://a/#b", "WS:a"],
  ...["1/2", "2/1", "0/0", "1/99999999999999999999", "message-throughput", "message-throughput,,"],
  ...["quick", "phase2", "mcp", "echo", "json,md", "md,nope", "poisson", "ping", "status"],
  ...["message-throughput.latency.p95<5ms", "latency.p95<", "errors=0", "errors=1e999", "a.b.c=1"],
  ...["a: b", ": b", "a:", "a: \u0001", "a: →", "Host: x", "session=50/5", "ip=none", "ip=0/0"],
  ...["2026-01-01T00:00:00Z", "1e9", "9999999999999", "bearer.secret", "a b", "a"],
  ...[...FILES, ...FILES.map((file) => `@${file}`), "@", ".", "/", "/dev/null", "./folder/.."],
];
const value = fc.oneof(
  fc.constantFrom(...NUMBERS, ...TEXTS, ...MEANT),
  fc.string({ unit: "binary" }),
);
/** Almost correct values, by the placeholder of the option. */
const NEAR: Readonly<Record<string, readonly string[]>> = {
  "JSON|@FILE": [
    ...["{}", '{"__proto__":1}', '{"n":1e999}', '{"n":"{unique}"}', "@bom.json", "@nope", DEEP],
  ],
  FILE: FILES,
  "FILE|DIR": [...FILES, "."],
  WS_URL: ["ws://u:p@127.0.0.1:1/?a=%zz", "wss://[::1]/", "ws://a/#b", "WS:a", "ws://→/"],
  "'K: V'": ["a: b", "a:", "a: é", "a: →", "Cookie: a=b; c", "Authorization: Basic !", "a:\tb"],
  "'M OP V'": ["errors=0", "errors=1e999", "message-throughput.latency.p95<5ms", "a.b<1"],
  "A,B": ["message-throughput", "saturation,scaling", "json,md", "junit,github,benchmark", ","],
  NAME: ["quick", "phase2", "phase3", "mcp", "echo", "poisson", "ping", "mqtt", "bearer.x"],
  TOKEN: ["t", "a".repeat(10_000), "→", "$&"],
  LIMITS: ["session=50/5", "ip=none", "ip=0/0", "session=1e999/1"],
  TIME: [new Date(Date.now() + 3_000).toISOString(), "1e9", "9999999999999"],
  "I/N|auto": ["1/2", "2/1", "auto", "1/1"],
};

/** Where output is written: never outside of the folder. */
const place = fc.constantFrom("out", "file", "file/below", "folder", "a\0b", "x".repeat(300), "");
const WRITTEN = new Set(["out", "inject"]);
/** Commands that are safe to run. */
const command = fc.constantFrom("{port}", "exit 3 # {port}", "x", "", "\0{port}");
const STARTED = new Set(["start-a", "start-b"]);

/** Short, because no server ever appears. */
const wait = fc.constantFrom("0", "0.1", "-1", "1e400", "NaN", "", "5 parsecs");

type Spec = Pick<OptionSpec, "name" | "value">;

function optionOf({ name, value: placeholder }: Spec): fc.Arbitrary<string[]> {
  if (placeholder === "") return fc.constant([`--${name}`]);
  const near = fc.constantFrom(...NEAR[placeholder] ?? NUMBERS);
  const values = WRITTEN.has(name)
    ? place
    : STARTED.has(name)
    ? command
    : name === "wait"
    ? wait
    : fc.oneof(near, value);
  return fc.tuple(values, fc.boolean())
    .map(([text, joins]) => joins ? [`--${name}=${text}`] : [`--${name}`, text]);
}

/** Command lines of these options, mixed with stray arguments. */
function lines(
  specs: Iterable<Spec>,
  stray: fc.Arbitrary<string> = value,
): fc.Arbitrary<string[]> {
  const known = [...specs].filter(({ name }) => name !== "help").map(optionOf);
  const part = fc.oneof({ weight: 6, arbitrary: fc.oneof(...known) }, {
    weight: 1,
    arbitrary: stray.map((text) => [text]),
  });
  // Mostly few options, because the first wrong value ends the run.
  const few = fc.array(part, { minLength: 1, maxLength: 2 });
  return fc.oneof({ weight: 3, arbitrary: few }, { weight: 1, arbitrary: fc.array(part) })
    .map((parts) => parts.flat());
}

function environment(names: readonly string[]): fc.Arbitrary<Record<string, string>> {
  return fc.dictionary(fc.constantFrom(...names), value, { maxKeys: 2, noNullPrototype: true });
}

/** Fails unless `run` succeeds or throws an error that the program reports in one line. */
async function assertReported(run: () => unknown): Promise<void> {
  try {
    await run();
  } catch (error) {
    const isExpected = [UsageError, ReportWriteError, IncomparableError]
      .some((one) => error instanceof one);
    if (!isExpected) throw error;
    assert(!/\n\s+at /.test((error as Error).message), (error as Error).message);
  }
}

async function makeFolder(): Promise<UserFolder> {
  const folder = await makeUserFolder();
  const report = renderJson(sampleReport("passed"));
  await Promise.all([
    folder.write("report.json", report),
    folder.write("bom.json", `\uFEFF${report}`),
    folder.write("broken.json", report.slice(0, 500)),
    folder.write("deep.json", DEEP),
    folder.write("page.md", "<!-- bench:start -->\n<!-- bench:end -->\n"),
    folder.write("file", "mine"),
    Deno.mkdir(`${folder.path}/folder`),
  ]);
  return folder;
}

const BENCH_ENVIRONMENT = [
  ...[...OPTIONS.values()].flatMap(({ env }) => env ?? []),
  ...["EXAI_WS_HOST", "EXAI_WS_PORT", "SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_COUNT"],
  ...["SLURM_ARRAY_TASK_MIN", "BENCH_SHARDS", "JOB_COMPLETION_INDEX", "CI", "GITHUB_ACTIONS"],
];

const vocabulary = Object.fromEntries(SCENARIOS.map(({ name, metrics }) => [name, metrics]));

Deno.test("bench: any command line runs or ends with a reported error", options, async () => {
  await using folder = await makeFolder();
  const input = fc.tuple(lines(OPTIONS.values()), environment(BENCH_ENVIRONMENT));
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(input, async ([args, env]) => {
      await assertReported(async () => {
        const read = await configOf(args, { env, directory: folder.path, vocabulary });
        runs++;
        // Workers would take time without reading more options.
        const config = { ...read, url: NOBODY, workers: null };
        await bench(config, { ...silentProgram(), args });
      });
    }),
    { numRuns: repeats(150, 600) },
  );
  assert(runs > repeats(2, 20), `${runs} runs`);
});

Deno.test("ab: any command line runs or ends with a reported error", options, async () => {
  await using folder = await makeFolder();
  const sides = ["a", "b", "start-a", "start-b", "token-b"]
    .map((name) => ({ name, value: "TEXT" }));
  const specs = [...sides, { name: "header-b", value: "'K: V'" }, ...OPTIONS.values()];
  const servers = fc.oneof(
    fc.constant([]),
    fc.constant(["--a", NOBODY, "--b", NOBODY]),
    fc.tuple(command, command).map(([a, b]) => ["--start-a", a, "--start-b", b]),
  );
  const input = fc.tuple(lines(specs), environment(BENCH_ENVIRONMENT), servers);
  await fc.assert(
    fc.asyncProperty(input, async ([rest, env, named]) => {
      const args = [...rest, ...named];
      const read = { env, directory: folder.path, vocabulary };
      await assertReported(() => ab(args, read, silentProgram()));
    }),
    { numRuns: repeats(30, 100) },
  );
});

Deno.test("serve: any command line is read or ends with a reported error", async () => {
  const env = environment(project.permissions.serve.env);
  await fc.assert(
    fc.asyncProperty(lines(SERVE_OPTIONS), env, async (args, variables) => {
      await assertReported(() => parseServeOptions(args, variables));
    }),
    { numRuns: repeats(100, 400) },
  );
});

const OFFLINE = { report: runReport, compare: runCompare, merge: runMerge };
for (const [name, run] of Object.entries(OFFLINE)) {
  Deno.test(`${name}: any command line runs or ends with a reported error`, options, async () => {
    await using folder = await makeFolder();
    const names = ["out", "format", "inject", "threshold", "baseline", "noise", "band", "force"];
    const specs = [...names, "strict", "no-color"].map((one) => OPTIONS.get(one)!);
    const file = fc.constantFrom(...FILES, "file", "a\0b", "--", "");
    await fc.assert(
      fc.asyncProperty(lines(specs, file), fc.array(file, { maxLength: 3 }), async (args, more) => {
        const place = { env: {}, directory: folder.path, vocabulary };
        await assertReported(() => run([...more, ...args], place, silentProgram()));
      }),
      { numRuns: repeats(40, 150) },
    );
  });
}

Deno.test("cli: no command line causes a stack trace", options, async () => {
  await using folder = await makeFolder();
  const line = lines(OPTIONS.values())
    .filter((args) => !args.some((arg) => /[\0\ud800]/.test(arg)));
  for (const args of fc.sample(line, { numRuns: 12, seed: 16 })) {
    const { code, stderr } = await runCli(["--list", ...args], { folder: folder.path });
    const shown = `${JSON.stringify(args).slice(0, 500)}: ${stderr}`;
    assert(code === 0 || code === 2, shown);
    assert(!/Uncaught|\n\s+at /.test(stderr), shown);
    assertEquals(stderr === "", code === 0, shown);
  }
});
