import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import project from "../../deno.json" with { type: "json" };
import { OPTIONS } from "../../lib/cli/options.ts";
import { SCENARIOS } from "../../scenarios/mod.ts";
import { hasCommand, runCommand } from "../support/commands.ts";
import { makeUserFolder, NEEDS_PROCESSES, runCli, SHORT_RUN } from "../support/run_cli.ts";

const options = { ignore: NEEDS_PROCESSES };
const ESCAPE = "\x1b";
// deno-lint-ignore no-control-regex
const COLOR = /\x1b\[[0-9;]*m/g;

Deno.test("cli: --help, --version and --list win over other settings", options, async () => {
  await using folder = await makeUserFolder();
  const calls = [["--help", "--epochs", "x"], ["-h"], ["--version", "--url", "x"], ["--list"]];
  const env = { EXAI_WS_PORT: "x" };
  const all = await Promise.all(calls.map((args) => runCli(args, { folder: folder.path, env })));
  for (const { code, stderr } of all) assertEquals([code, stderr], [0, ""]);
  const [help, short, version, list] = all.map(({ stdout }) => stdout);
  for (const name of OPTIONS.keys()) assertStringIncludes(help!, `--${name}`);
  assertEquals(short, help);
  assertEquals(version, `${project.version}\n`);
  for (const { name, question } of SCENARIOS) {
    assertStringIncludes(list!, `${name}\n    ${question}\n    in `);
  }
  assertEquals(await folder.files(), new Map());
});

Deno.test("cli: options after npm's two dashes are not lost", options, async () => {
  await using folder = await makeUserFolder();
  const { code, stdout } = await runCli(["--", "--version"], { folder: folder.path });
  assertEquals([code, stdout], [0, `${project.version}\n`]);
});

Deno.test("cli: --quiet leaves stderr empty and the result on stdout", options, async () => {
  await using folder = await makeUserFolder();
  const { code, stdout, stderr } = await runCli([...SHORT_RUN, "--quiet"], { folder: folder.path });
  assertEquals([code, stderr], [0, ""]);
  assertStringIncludes(stdout, "1 of 1 scenario passed");
});

Deno.test("cli: --format writes only those reports", options, async () => {
  await using folder = await makeUserFolder();
  const args = [...SHORT_RUN, "--format", "junit,json", "--out", "deep/down"];
  const { code, stdout } = await runCli(args, { folder: folder.path });
  assertEquals(code, 0);
  const files = await folder.files();
  assertEquals([...files.keys()].sort(), ["deep/down/junit.xml", "deep/down/report.json"]);
  assertStringIncludes(stdout, `${folder.path}/deep/down/junit.xml`);
  assertStringIncludes(files.get("deep/down/junit.xml")!, "<testsuites");
});

Deno.test("cli: output to a file or pipe has no escape sequences", options, async () => {
  await using folder = await makeUserFolder();
  const { stdout, stderr } = await runCli(SHORT_RUN, { folder: folder.path });
  assert(!stdout.includes(ESCAPE) && !stderr.includes(ESCAPE));
});

/** Empty variables count as unset. */
const NO_SETTINGS = Object.fromEntries(project.permissions.bench.env.map((name) => [name, ""]));

/** Runs the program on a terminal made by `script` of util-linux. */
async function runOnTerminal(folder: string, args: string, env: Record<string, string>) {
  const program = project.tasks.bench.command.replace(/^deno/, Deno.execPath()) + ` ${args}`;
  const { code, stdout } = await runCommand("script", ["-qec", program, "/dev/null"], {
    env: { ...NO_SETTINGS, INIT_CWD: folder, TERM: "xterm", ...env },
  });
  return { code, text: stdout };
}

const onTerminal = {
  ignore: NEEDS_PROCESSES || Deno.build.os !== "linux" || !hasCommand("script"),
};

Deno.test("cli: a terminal gets colours, unless --no-color or NO_COLOR", onTerminal, async () => {
  await using folder = await makeUserFolder();
  const short = [...SHORT_RUN, "--quiet"].join(" ");
  const coloured = await runOnTerminal(folder.path, short, {});
  assertEquals(coloured.code, 0, coloured.text);
  assertStringIncludes(coloured.text, `${ESCAPE}[32m`);
  for (const [args, env] of [[`${short} --no-color`, {}], [short, { NO_COLOR: "1" }]] as const) {
    const plain = await runOnTerminal(folder.path, args, env);
    assertEquals(plain.code, 0, plain.text);
    assertStringIncludes(plain.text, "1 of 1 scenario passed");
    assert(!plain.text.includes(ESCAPE), JSON.stringify(plain.text));
  }
});

Deno.test("cli: a terminal gets a live line of figures, CI plain lines", onTerminal, async () => {
  await using folder = await makeUserFolder();
  const args = [...SHORT_RUN, "--duration", "0.8"].join(" ");
  const live = await runOnTerminal(folder.path, args, {});
  const plainText = live.text.replaceAll(COLOR, "");
  const drawn = plainText.split(`\r${ESCAPE}[2K`).slice(1);
  assert(drawn.length > 3, live.text);
  assert(
    drawn.some((line) => /^\[epoch 1\/1\] message-throughput.* [\d,]+ msg\/s/.test(line)),
    live.text,
  );
  assertStringIncludes(drawn.at(-1)!, "message-throughput: passed after ");
  for (const [name, value] of [["CI", "true"], ["TERM", "dumb"]] as const) {
    const plain = await runOnTerminal(folder.path, SHORT_RUN.join(" "), { [name]: value });
    assert(!plain.text.includes(`${ESCAPE}[2K`), plain.text);
    const planned = "Planned: 1 scenario (quick), 1 epoch, about 1 s";
    assert(plain.text.startsWith(`${planned}\r\n[epoch 1/1]\r\n`), plain.text);
  }
});
