import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  makeUserFolder,
  NEEDS_PROCESSES,
  PROJECT_FOLDER,
  runCli,
  SHORT_RUN,
  startCli,
} from "../support/run_cli.ts";

const options = { ignore: NEEDS_PROCESSES };

Deno.test("cli: paths are relative to the user's folder, not the project", options, async () => {
  await using folder = await makeUserFolder();
  await folder.write("args.json", '{"n": {seq}}');
  const { code, stderr } = await runCli(
    [...SHORT_RUN, "--out", "here", "--tool-args", "@args.json"],
    { folder: folder.path },
  );
  assertEquals(code, 0, stderr);
  assertEquals((await folder.report("here")).verdict.exitCode, 0);
  const noFile = await runCli(["--tool-args", "@deno.json5"], { folder: folder.path });
  assertEquals(noFile.code, 2);
  assertStringIncludes(noFile.stderr, `${folder.path}/deno.json5`);
});

Deno.test("cli: an option wins over the environment, which wins over .env", options, async () => {
  await using folder = await makeUserFolder();
  await folder.write(".env", "EXAI_WS_URL=ws://127.0.0.1:3/dot-env\nBENCH_PROTOCOL=nonsense\n");
  const run = async (args: string[], env: Record<string, string>) => {
    const { code, stderr } = await runCli([...SHORT_RUN, ...args], { folder: folder.path, env });
    return code === 3 ? (await folder.report()).target.url : stderr;
  };
  const exai = { BENCH_PROTOCOL: "exai" };
  assertStringIncludes(await run([], {}), 'Cannot use BENCH_PROTOCOL "nonsense"');
  assertEquals(await run(["--protocol", "exai"], {}), "ws://127.0.0.1:3/dot-env");
  assertEquals(await run([], exai), "ws://127.0.0.1:3/dot-env");
  const env = { ...exai, EXAI_WS_URL: "ws://127.0.0.1:2/environment" };
  assertEquals(await run([], env), "ws://127.0.0.1:2/environment");
  assertEquals(await run(["--url", "ws://127.0.0.1:1/option"], env), "ws://127.0.0.1:1/option");
});

Deno.test("cli: host and port of the environment win over the URL of .env", options, async () => {
  await using folder = await makeUserFolder();
  await folder.write(".env", "EXAI_WS_URL=ws://127.0.0.1:3/dot-env\n");
  await runCli(SHORT_RUN, {
    folder: folder.path,
    env: { EXAI_WS_HOST: "127.0.0.1", EXAI_WS_PORT: "2" },
  });
  assertEquals((await folder.report()).target.url, "ws://127.0.0.1:2");
});

Deno.test("cli: an empty environment variable overrides .env", options, async () => {
  await using folder = await makeUserFolder();
  await folder.write(".env", "EXAI_WS_URL=ws://127.0.0.1:3/\n");
  const { code } = await runCli(SHORT_RUN, { folder: folder.path, env: { EXAI_WS_URL: "" } });
  assertEquals(code, 0);
});

Deno.test("cli: a folder in the way of a report is named, with the result", options, async () => {
  await using folder = await makeUserFolder();
  await Deno.mkdir(`${folder.path}/reports/report.md`, { recursive: true });
  const { code, stdout, stderr } = await runCli(SHORT_RUN, { folder: folder.path });
  assertEquals(code, 2, stderr);
  assertStringIncludes(stderr, "error: Cannot write");
  assertStringIncludes(stderr, `${folder.path}/reports/report.md`);
  assert(!stderr.includes("    at "), "no stack");
  assertEquals(stdout.includes("1 scenario passed"), true, "the result is not lost");
});

Deno.test("cli: an --out that is not writable is refused before measuring", {
  // Root can write everywhere.
  ignore: NEEDS_PROCESSES || Deno.build.os === "windows" || Deno.uid() === 0,
}, async () => {
  await using folder = await makeUserFolder();
  await Deno.mkdir(`${folder.path}/locked`);
  await Deno.chmod(`${folder.path}/locked`, 0o555);
  for (const out of ["locked", "locked/below"]) {
    const { code, stdout, stderr } = await runCli([...SHORT_RUN, "--out", out], {
      folder: folder.path,
    });
    assertEquals([code, stdout], [2, ""]);
    assertStringIncludes(stderr, `Cannot use --out "${folder.path}/${out}"`);
  }
});

Deno.test("cli: a project with a space in its path reads its own .env", {
  ignore: NEEDS_PROCESSES || Deno.build.os === "windows",
}, async () => {
  await using folder = await makeUserFolder();
  const project = `${folder.path}/my 100% project`;
  const elsewhere = `${folder.path}/elsewhere`;
  await Deno.mkdir(project);
  await Deno.mkdir(elsewhere);
  for (const name of ["deno.json", "main.ts", "lib", "scenarios"]) {
    await Deno.symlink(`${PROJECT_FOLDER}/${name}`, `${project}/${name}`);
  }
  await Deno.writeTextFile(`${project}/.env`, "EXAI_WS_PORT=nonsense\n");
  await using running = startCli([], { folder: elsewhere, project });
  const { code, stderr } = await running.result;
  assertEquals(code, 2, stderr);
  assertStringIncludes(stderr, 'Cannot use EXAI_WS_PORT "nonsense"');
});
