import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  makeUserFolder,
  NEEDS_PROCESSES,
  runCli,
  type RunningCli,
  SHORT_RUN,
  startCli,
  type UserFolder,
} from "../support/run_cli.ts";
import { startReference } from "../support/run_scenarios.ts";
import { TOKEN } from "../support/targets.ts";

Deno.test({
  name: "ab: like a run, it first prints its plan and the options without effect",
  ignore: NEEDS_PROCESSES,
}, async () => {
  await using server = await startReference();
  await using folder = await makeUserFolder();
  const run = (...args: string[]) =>
    runCli([...SHORT_RUN, "--a", server.url, "--b", server.url, ...args], {
      folder: folder.path,
      via: "ab",
      env: { EXAI_WS_TOKEN: TOKEN },
    });
  const { code, stderr } = await run("--rate", "5", "--band", "100");
  assertEquals(code, 0, stderr);
  const [warning, planned] = stderr.split("\n");
  assertStringIncludes(
    warning!,
    "warning: --rate has no effect, as no scenario of this run uses it",
  );
  // Twice the time of one server.
  assert(/^Planned: 1 scenario \(quick\), 1 epoch, about [23] s$/.test(planned!), stderr);
  await folder.write("heavy.json", '[{"tool":"chat"}]');
  const heavy = ["--scenarios", "heavy-tools", "--heavy-tools", "heavy.json", "--max-calls"];
  const refused = await run(...heavy, "1");
  assertEquals(refused.code, 2);
  assertStringIncludes(refused.stderr, 'Cannot run as --max-calls "1" allows fewer calls');
});

const pause = (ms: number) => new Promise((wake) => setTimeout(wake, ms));

/** Starts ab with a server that never listens, and that writes its process id to a file. */
function startSlow({ path }: UserFolder, command: string): RunningCli {
  const start = `echo $$ > "${path}/pid"; ${command} # {port}`;
  const args = [...SHORT_RUN, "--start-a", start, "--start-b", "x {port}"];
  return startCli(args, { folder: path, via: "ab" }, DEADLINE_MS);
}

async function pidIn(folder: UserFolder): Promise<number> {
  while (true) {
    const text = (await folder.files()).get("pid");
    if (text) return Number(text);
    await pause(50);
  }
}

function isRunning(pid: number): boolean {
  try {
    Deno.kill(pid, "SIGCONT");
    return true;
  } catch {
    return false;
  }
}

/** A command that hangs is killed after this time; a server has 30 s to start. */
const DEADLINE_MS = 25_000;

Deno.test({
  name: "ab: a server that does not start is an error without secrets, even if children stay",
  ignore: NEEDS_PROCESSES || Deno.build.os === "windows",
}, async () => {
  await using folder = await makeUserFolder();
  const command = 'sleep 60 & echo "$EXAI_WS_TOKEN hunter2-header" >&2; exit 7 # {port}';
  const commands = ["--start-a", command, "--start-b", "x {port}"];
  await using running = startCli(
    [...SHORT_RUN, ...commands, "--header-b", "X-Key: hunter2-header"],
    { folder: folder.path, via: "ab", env: { EXAI_WS_TOKEN: "hunter2-token" } },
    DEADLINE_MS,
  );
  const { code, stderr } = await running.result;
  assertEquals(code, 2, stderr);
  assertStringIncludes(stderr, 'Cannot start the server of --start-a "sleep 60 & echo');
  assertStringIncludes(stderr, "it exited with code 7 before it listened: *** ***");
  assert(!stderr.includes("hunter2"), stderr);
});

Deno.test({
  name: "ab: Ctrl-C ends the wait for a server to start",
  ignore: NEEDS_PROCESSES || Deno.build.os === "windows",
}, async () => {
  await using folder = await makeUserFolder();
  await using running = startSlow(folder, "sleep 60");
  await pidIn(folder);
  running.kill("SIGINT");
  const { code, stderr } = await running.result;
  assertEquals(code, 130, stderr);
});

Deno.test({
  name: "ab: a second Ctrl-C leaves no started server behind",
  ignore: NEEDS_PROCESSES || Deno.build.os === "windows",
}, async () => {
  await using folder = await makeUserFolder();
  await using running = startSlow(folder, 'trap "" TERM; sleep 60; sleep 60');
  const pid = await pidIn(folder);
  running.kill("SIGINT");
  await running.waitFor("stderr", /Interrupted/);
  await pause(1_100);
  running.kill("SIGINT");
  assertEquals((await running.result).code, 130);
  for (let nth = 0; nth < 40 && isRunning(pid); nth++) await pause(50);
  assert(!isRunning(pid));
});

Deno.test(
  { name: "ab: a proxy on the way to B alone gets its warning", ignore: NEEDS_PROCESSES },
  async () => {
    await using folder = await makeUserFolder();
    const { code, stderr } = await runCli(
      [...SHORT_RUN, "--a", "ws://127.0.0.1:1", "--b", "ws://bench.invalid"],
      { folder: folder.path, via: "ab", env: { HTTP_PROXY: "http://127.0.0.1:1" } },
    );
    assertEquals(code, 3, stderr);
    assertStringIncludes(
      stderr,
      "warning: connections go through the proxy http://127.0.0.1:1 (HTTP",
    );
  },
);
