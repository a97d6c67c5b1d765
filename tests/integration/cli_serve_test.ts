import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { makeUserFolder, NEEDS_PROCESSES, runCli, startServe } from "../support/run_cli.ts";
import { connectRaw } from "../support/raw_client.ts";

const options = { ignore: NEEDS_PROCESSES };

Deno.test("serve: says where it listens, serves, and ends on a signal", {
  ignore: NEEDS_PROCESSES || Deno.build.os === "windows",
}, async () => {
  await using folder = await makeUserFolder();
  for (const [signal, expected] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
    await using server = await startServe(["--limits", "off"], { folder: folder.path });
    await using client = await connectRaw(server.url);
    assertEquals((await client.hello()).ok, true);
    const [reply] = (await client.call("r1", "version")).slice(-1);
    assertEquals(reply.request_id, "r1");
    server.kill(signal);
    assertEquals((await client.whenClosed()).code, 1001);
    const { code, stdout, stderr } = await server.result;
    assertEquals(code, expected, stderr);
    assertEquals(stdout, `Serving the EXAI protocol (dialect oct) at ${server.url}\n`);
    assertStringIncludes(stderr, "Interrupted: stopping");
  }
  assertEquals(await folder.files(), new Map());
});

Deno.test("serve: options and environment reach the server", options, async () => {
  await using folder = await makeUserFolder();
  await using server = await startServe(["--dialect", "nov", "--max-connections-per-ip", "1"], {
    folder: folder.path,
    env: { EXAI_WS_TOKEN: "sixteen-characters", EXAI_WS_HELLO_TIMEOUT: "0.2" },
  });
  {
    await using silent = await connectRaw(server.url);
    await using second = await connectRaw(server.url);
    assertEquals((await second.whenClosed()).code, 1008);
    assertEquals((await silent.whenClosed()).code, 4002);
  }
  await using client = await connectRaw(server.url);
  assertEquals((await client.hello({ token: "wrong" })).ok, false);
  assertEquals((await client.whenClosed()).code, 4003);
});

Deno.test("serve: a bad command line exits 2 with a one-line message", options, async () => {
  await using folder = await makeUserFolder();
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const cases: [string[], string][] = [
    [["--port", `${taken.addr.port}`], "the port is in use"],
    [["--port", "x"], 'Cannot use --port "x"'],
    [["--prot", "1"], "did you mean --port?"],
    [["--token", "hunter2"], "16 characters or more"],
    [["--limits", "none"], 'Cannot use --limits "none"'],
    [["stray"], 'Cannot use the argument "stray"'],
    [["--", "stray"], 'Cannot use the argument "stray"'],
    [["--port", ""], "--port needs a value"],
  ];
  await Promise.all(cases.map(async ([args, message]) => {
    const { code, stdout, stderr } = await runCli(args, { folder: folder.path, via: "serve" });
    assertEquals([code, stdout], [2, ""], `${args}: ${stderr}`);
    assert(stderr.startsWith("error: "), stderr);
    assertStringIncludes(stderr, message);
    assertEquals(stderr.trimEnd().split("\n").length, 1, "one line, no stack");
    assert(!stderr.includes("hunter2"));
  }));
});

Deno.test("serve: --help prints its options and exits 0", options, async () => {
  await using folder = await makeUserFolder();
  const { code, stdout } = await runCli(["--help"], { folder: folder.path, via: "serve" });
  assertEquals(code, 0);
  assertStringIncludes(stdout, "Usage: deno task serve");
});
