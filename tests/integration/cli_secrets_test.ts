import { assert, assertEquals, assertRejects } from "@std/assert";
import { runCompare, runReport } from "../../lib/cli/offline_commands.ts";
import { ConnectError } from "../../lib/client/connect_error.ts";
import { openLedger } from "../../lib/client/ledger.ts";
import { isRecord, parseJson } from "../../lib/protocols/json.ts";
import {
  type CliResult,
  makeUserFolder,
  NEEDS_PROCESSES,
  runCli,
  SHORT_RUN,
  startServe,
  type UserFolder,
} from "../support/run_cli.ts";
import { silentProgram } from "../support/silent_program.ts";
import { base64Parts, formsOfSecret } from "../support/secret_forms.ts";
import { targetAt } from "../support/targets.ts";

const options = { ignore: NEEDS_PROCESSES };
const TOKEN = "hunter2-token-of-the-tests";
const HEADER = "hunter2-header-of-the-tests";
const PASSWORD = "hunter2-password";
const QUERY = "hunter2-query";
/** Part of every secret. */
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

Deno.test("cli: a refused token is in no output", options, async () => {
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

const SUBPROTOCOL = `base64url.bearer.${new TextEncoder().encode("hunter2-subprotocol").toHex()}`;
const SECRETS = [TOKEN, HEADER, PASSWORD, QUERY, SUBPROTOCOL];
/** Every secret in every form. */
const FORMS = SECRETS.flatMap(formsOfSecret);
/** Text that gives away a secret in any of its forms. */
const TRACES = [...formsOfSecret(SECRET), ...base64Parts(SECRET), SUBPROTOCOL.slice(-20)];

function assertNoTrace(name: string, text: string): void {
  for (const trace of TRACES) {
    const at = text.indexOf(trace);
    assert(at < 0, `${name} has ${trace}: …${text.slice(Math.max(0, at - 100), at + 100)}…`);
  }
}

/** Options that send all secrets to a server. */
const withSecrets = (option: string, port: number, path = "") => [
  ...[option, `ws://ann:${PASSWORD}@127.0.0.1:${port}/${path}?key=${QUERY}`],
  ...["--header", `Authorization: Bearer ${HEADER}`, "--subprotocol", SUBPROTOCOL],
];

/**
 * Serves the first call of a session, so that the preflight passes. Its greeting, list of tools,
 * results, errors and close reasons contain every secret in every form.
 */
function startGossip(): Deno.HttpServer<Deno.NetAddr> {
  return Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    const { socket, response } = Deno.upgradeWebSocket(request, { protocol: SUBPROTOCOL });
    const send = (message: unknown) => socket.send(JSON.stringify(message));
    let calls = 0;
    socket.onopen = () => {
      send({ op: "progress", message: FORMS });
      socket.send(`hello ${FORMS.join(" ")}`);
    };
    socket.onmessage = ({ data }) => {
      const body = parseJson(data);
      const { op, token, session_id, request_id } = isRecord(body) ? body : {};
      if (op === undefined) {
        socket.close(4003, FORMS.find((form) => form.length < 100));
      } else if (op === "hello") {
        if (token !== TOKEN) return socket.close(4003, FORMS.find((form) => form.length < 100));
        send({ op: "hello_ack", ok: true, session_id });
      } else if (op === "list_tools") {
        send({ op: "list_tools_res", tools: [...FORMS, "status"].map((name) => ({ name })) });
      } else if (op === "call_tool" && calls++ === 0) {
        send({ op: "progress", request_id, message: FORMS });
        send({ op: "call_tool_res", request_id, outputs: FORMS });
      } else {
        const code = FORMS[calls % FORMS.length];
        const message = `${"x".repeat(calls % 160)}${code} ${FORMS.join(" ")}`;
        send({ op: "call_tool_res", request_id, error: { code, message } });
      }
    };
    return response;
  });
}

const GOSSIP: [string, (port: number) => string[], string?][] = [
  ["bench", (port) => withSecrets("--url", port)],
  ["workers", (port) => [
    ...withSecrets("--url", port),
    ...["--scenarios", "concurrent-connections", "--workers", "2"],
  ]],
  ["authentication", (port) => [
    ...withSecrets("--url", port),
    ...["--scenarios", "authentication,malformed-input"],
  ]],
  ["ab", (port) => [...withSecrets("--b", port), "--a", `ws://127.0.0.1:${port}/`], "ab"],
];

for (const [name, args, command] of GOSSIP) {
  Deno.test(
    `cli: a server that repeats every secret in every form leaks none (${name})`,
    options,
    async () => {
      await using folder = await makeUserFolder();
      await using server = startGossip();
      const result = await runCli(
        [
          ...(command === undefined ? [] : [command]),
          ...SHORT_RUN,
          ...["--messages", "300", "--timeout", "0.5", "--connections", "2"],
          ...["--format", "json,md,html,junit,github,benchmark"],
          ...args(server.addr.port),
        ],
        {
          folder: folder.path,
          env: {
            EXAI_WS_TOKEN: TOKEN,
            GITHUB_ACTIONS: "true",
            GITHUB_STEP_SUMMARY: `${folder.path}/summary.md`,
          },
        },
      );
      assertEquals(result.code, 1, result.stdout + result.stderr);
      const files = await folder.files();
      assert(files.size >= 8, [...files.keys()].join());
      for (const [file, text] of files) assertNoTrace(file, text);
      assertNoTrace("stdout", result.stdout);
      assertNoTrace("stderr", result.stderr);
      assert(result.stdout.includes("***"), result.stdout);
    },
  );
}

Deno.test("a server that repeats secrets in its refusals leaks none", options, async () => {
  const settings = {
    token: TOKEN,
    headers: { Authorization: `Bearer ${HEADER}` },
    subprotocols: [SUBPROTOCOL],
  };
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    (request) => {
      const form = FORMS[Number(new URL(request.url).searchParams.get("form"))]!;
      const { socket, response } = Deno.upgradeWebSocket(request, { protocol: SUBPROTOCOL });
      socket.onmessage = () => {
        socket.send(JSON.stringify({ op: "hello_ack", ok: false, error: `no ${form}` }));
        // A close reason has room for 123 bytes.
        socket.close(4003, `${"x".repeat(40)}${form}`.slice(0, 123));
      };
      return response;
    },
  );
  for (const index of FORMS.keys()) {
    const url = `ws://ann:${PASSWORD}@127.0.0.1:${server.addr.port}/?key=${QUERY}&form=${index}`;
    using target = targetAt(url, settings);
    const error = await assertRejects(() => target.connect(openLedger()), ConnectError);
    assertNoTrace("message", `${error.message} ${JSON.stringify(error.details)}`);
  }
});

Deno.test("cli: a header value that is a word of the suite masks no field", options, async () => {
  await using folder = await makeUserFolder();
  const words = ["measured", Deno.build.arch, "passed", "quick", "scalar", "message-throughput"];
  const headers = [...words, new Date().toISOString().slice(0, 10)]
    .flatMap((word, index) => ["--header", `X-A${index}: ${word}`]);
  const result = await runCli([...SHORT_RUN, ...headers], { folder: folder.path });
  assertEquals(result.code, 0, result.stdout + result.stderr);
  const files = await folder.files("reports");
  const { command: _, transcript: __, ...own } = JSON.parse(files.get("reports/report.json")!);
  assert(!JSON.stringify(own).includes("***"));
  const place = { env: {}, directory: folder.path, vocabulary: {} };
  const again = ["reports/report.json", "--format", "json"];
  assertEquals(await runReport(again, place, silentProgram()), 0);
  const both = ["reports/report.json", "reports/report.json"];
  assertEquals(await runCompare(both, place, silentProgram()), 0);
});

Deno.test("cli: a password with an @, in an odd URL, is in no output", options, async () => {
  await using folder = await makeUserFolder();
  for (const start of ["ws://", "WS://", "ws:"]) {
    const url = `${start}ann:x@${PASSWORD}@127.0.0.1:1/?a`;
    // Too short to be masked in a server's text, but still masked in the command.
    const result = await runCli(
      [...SHORT_RUN, ...ALL_FORMATS, "--url", url, "--token=q1z", "--header", "X-A: q2z"],
      { folder: folder.path },
    );
    assertEquals(result.code, 3, result.stderr);
    await assertSilent(folder, result);
    const { command } = await folder.report();
    assertEquals(command.slice(-3), ["--token=***", "--header", "***"]);
  }
});
