import { assert, assertEquals } from "@std/assert";
import {
  type CliResult,
  makeUserFolder,
  NEEDS_PROCESSES,
  runCli,
  SHORT_RUN,
  startServe,
  type UserFolder,
} from "../support/run_cli.ts";

const options = { ignore: NEEDS_PROCESSES };
const TOKEN = "hunter2-token-of-the-tests";
const HEADER = "hunter2-header-of-the-tests";
const PASSWORD = "hunter2-password";
const QUERY = "hunter2-query";
/** All of them have it. */
const SECRET = "hunter2";

/** Asserts that no secret is in what a run printed or wrote, in any format. */
async function assertSilent(folder: UserFolder, { stdout, stderr }: CliResult): Promise<void> {
  assert(!stdout.includes(SECRET), stdout);
  assert(!stderr.includes(SECRET), stderr);
  const files = await folder.files("reports");
  const own = [...files.keys()].filter((path) => !/^reports\/(charts|history)\//.test(path));
  assertEquals(own.length, 4);
  for (const [path, text] of files) {
    const at = text.indexOf(SECRET);
    assert(at < 0, `${path}: ${text.slice(Math.max(0, at - 100), at + 100)}`);
  }
}

const ALL_FORMATS = ["--format", "json,md,html,junit"];

Deno.test("cli: a token is in no output, wherever it comes from", options, async () => {
  await using folder = await makeUserFolder();
  const run = (args: string[], env: Record<string, string>) =>
    runCli([...SHORT_RUN, ...ALL_FORMATS, ...args], { folder: folder.path, env });
  await using server = await startServe(["--limits", "off"], {
    folder: folder.path,
    env: { EXAI_WS_TOKEN: TOKEN },
  });
  const url = ["--url", server.url];
  const cases: [string[], Record<string, string>, string][] = [
    [url, { EXAI_WS_TOKEN: TOKEN }, ""],
    [url, {}, `EXAI_WS_TOKEN=${TOKEN}\n`],
    [[...url, "--token", TOKEN], {}, ""],
    [[...url, `--token=${TOKEN}`], {}, ""],
    [[], { EXAI_WS_TOKEN: TOKEN }, ""],
  ];
  for (const [args, env, file] of cases) {
    await folder.write(".env", file);
    const result = await run(args, env);
    assertEquals(result.code, 0, result.stdout);
    await assertSilent(folder, result);
  }
});

Deno.test("cli: a token that is refused is in no output", options, async () => {
  await using folder = await makeUserFolder();
  await using server = await startServe([], {
    folder: folder.path,
    env: { EXAI_WS_TOKEN: "another-token-of-16" },
  });
  const result = await runCli([...SHORT_RUN, ...ALL_FORMATS, "--url", server.url], {
    folder: folder.path,
    env: { EXAI_WS_TOKEN: TOKEN },
  });
  assertEquals(result.code, 3);
  await assertSilent(folder, result);
});

/** Says everything that it was told, in the way that `answer` has it. */
function startGossip(answer: "close" | "toolError"): Deno.HttpServer<Deno.NetAddr> {
  return Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    const told = [request.headers.get("x-secret"), new URL(request.url).search];
    const { socket, response } = Deno.upgradeWebSocket(request);
    socket.onmessage = ({ data }) => {
      const { op, token, session_id, request_id } = JSON.parse(data);
      if (op === "hello") {
        told.push(token);
        if (answer === "close") return socket.close(4003, told.join(" "));
        socket.send(JSON.stringify({ op: "hello_ack", ok: true, session_id }));
      } else if (op === "list_tools") {
        socket.send(JSON.stringify({ op: "list_tools_res", tools: [{ name: "status" }] }));
      } else {
        const error = { code: told[0], message: `told: ${told.join(", ")}` };
        socket.send(JSON.stringify({ op: "call_tool_res", request_id, error }));
      }
    };
    return response;
  });
}

for (const answer of ["close", "toolError"] as const) {
  Deno.test(
    `cli: a server that repeats its secrets (${answer}) gets none of them out`,
    options,
    async () => {
      await using folder = await makeUserFolder();
      await using server = startGossip(answer);
      const url = `ws://ann:${PASSWORD}@127.0.0.1:${server.addr.port}/path?key=${QUERY}`;
      const result = await runCli(
        [...SHORT_RUN, ...ALL_FORMATS, "--url", url, "--header", `X-Secret: ${HEADER}`],
        { folder: folder.path, env: { EXAI_WS_TOKEN: TOKEN } },
      );
      assertEquals(result.code, 3, result.stdout);
      await assertSilent(folder, result);
      assert(result.stdout.includes("***"), result.stdout);
    },
  );
}

Deno.test(
  "cli: a password with an @ in it, in a URL of odd spelling, is in no output",
  options,
  async () => {
    await using folder = await makeUserFolder();
    for (const start of ["ws://", "WS://", "ws:"]) {
      const url = `${start}ann:x@${PASSWORD}@127.0.0.1:1/?a`;
      // Too short to be looked for in a server's words, and hidden in the command all the same.
      const result = await runCli(
        [...SHORT_RUN, ...ALL_FORMATS, "--url", url, "--token=q1z", "--header", "X-A: q2z"],
        { folder: folder.path },
      );
      assertEquals(result.code, 3, result.stderr);
      await assertSilent(folder, result);
      const { command } = await folder.report();
      assertEquals(command.slice(-3), ["--token=***", "--header", "***"]);
    }
  },
);
