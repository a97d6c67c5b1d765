/**
 * `deno task workload` drafts from a server's list of tools, and the draft runs unchanged.
 *
 * @module
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { brokenEquations } from "../../lib/client/ledger.ts";
import { startMcpGateway } from "../support/mcp_gateway.ts";
import { findNpmPeers, testWith } from "../support/npm_peers.ts";
import { makeUserFolder, NEEDS_PROCESSES as ignore, runCli } from "../support/run_cli.ts";
import { startReference } from "../support/run_scenarios.ts";
import {
  answerSoundly,
  type ScriptedPeer,
  startScriptedServer,
} from "../support/scripted_server.ts";
import { TOKEN } from "../support/targets.ts";

const tool = (name: string, readOnlyHint?: boolean) => ({
  name,
  inputSchema: { type: "object", properties: { of: { const: name } }, required: ["of"] },
  ...(readOnlyHint === undefined ? {} : { annotations: { readOnlyHint } }),
});
const PAGES = [[tool("look", true), tool("write", false)], [tool("odd")], [
  tool("no name", true),
  tool("read", true),
]];

/** Lists its tools on three pages, and records which are called. */
function startPagedServer(called: string[], greeting?: object) {
  const greet = (peer: ScriptedPeer) => greeting !== undefined && peer.send(greeting);
  return startScriptedServer((peer, message) => {
    const { id, method, params } = message as unknown as {
      id?: number;
      method: string;
      params?: { cursor?: string; name?: string };
    };
    if (id === undefined) return;
    const page = Number(params?.cursor ?? 0);
    const more = page + 1 < PAGES.length ? { nextCursor: String(page + 1) } : {};
    if (method === "tools/call") called.push(params!.name!);
    const results: Record<string, unknown> = {
      "initialize": { protocolVersion: "2025-06-18", capabilities: { tools: {} } },
      "tools/list": { tools: PAGES[page], ...more },
      "tools/call": { content: [] },
      "ping": {},
    };
    peer.send({ jsonrpc: "2.0", id, result: results[method] });
  }, greet);
}

Deno.test({
  name: "workload: read-only tools of all pages are drafted, and the draft runs",
  ignore,
}, async () => {
  const called: string[] = [];
  await using server = startPagedServer(called);
  await using folder = await makeUserFolder();
  const target = ["--url", server.url, "--protocol", "mcp"];
  const options = { folder: folder.path };
  const printed = await runCli(target, { ...options, via: "workload" });
  assertEquals([printed.code, printed.stderr], [0, ""]);
  const names = [...printed.stdout.matchAll(/- tool: (.+)/g)].map(([, name]) => name);
  assertEquals(names, ["look", "read"]);
  const named = ["--tool", "odd", "--tool", "look", "--tool", "odd", "--out", "work.yaml"];
  const written = await runCli([...target, ...named], { ...options, via: "workload" });
  assertEquals([written.code, written.stderr], [0, ""]);
  assertStringIncludes(
    written.stdout,
    `before a run with --workload:\n  ${folder.path}/work.yaml\n`,
  );
  assertEquals(called, [], "no tool is called for a draft");
  const { code, stderr } = await runCli([
    ...[...target, "--workload", "work.yaml", "--scenarios", "session-capacity"],
    ...["--stages", "0.2s:3,0.3s:3", "--slo", "5000", "--ignore-limits", "--profile", "quick"],
  ], options);
  assertEquals(code, 0, stderr);
  const { scenarios: [report] } = await folder.report();
  assertEquals(brokenEquations(report!.ledger), []);
  assertEquals([report!.ledger.sent, report!.ledger.ok], [called.length, called.length]);
  assert(called.length > 0 && called.every((name) => ["odd", "look"].includes(name)));
});

Deno.test({ name: "workload: errors name the problem and what is accepted", ignore }, async () => {
  await using server = await startReference();
  await using folder = await makeUserFolder();
  const run = async (...args: string[]) => {
    const { code, stderr } = await runCli(args, {
      folder: folder.path,
      via: "workload",
      env: { EXAI_WS_TOKEN: TOKEN },
    });
    return { code, stderr };
  };
  await using http = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, () => {
    return new Response("none", { status: 404 });
  });
  const page = `ws://127.0.0.1:${http.addr.port}`;
  const cases: [args: string[], code: number, expected: string][] = [
    [[], 2, "accepted is --url WS_URL"],
    [
      ["--url", server.url],
      2,
      "accepted is --tool NAME for each tool that may be called, of status",
    ],
    [["--url", server.url, "--tool", "chatt"], 2, "(did you mean chat?)"],
    [["--url", server.url, "--duration", "5"], 2, "Unknown option --duration"],
    [["--url", "ws://127.0.0.1:9"], 3, "Is the server running there? Start it, or name its"],
    [["--url", page], 3, 'the server answered HTTP 404, saying "none"'],
    [
      ["--url", server.url, "--token", "x"],
      3,
      "(unauthorized). The token given is not the server's",
    ],
    [["--url", server.url, "--protocol", "echo"], 3, "The echo protocol has no list of tools"],
  ];
  const help = await runCli(["--help"], { folder: folder.path, via: "workload" });
  assertStringIncludes(help.stdout, "the server (or EXAI_WS_HOST and EXAI_WS_PORT) [EXAI_WS_URL]");
  for (const [args, code, expected] of cases) {
    const ended = await run(...args);
    assertEquals(ended.code, code, args.join(" "));
    assertStringIncludes(ended.stderr, expected, args.join(" "));
    assert(!ended.stderr.includes(TOKEN));
  }
});

Deno.test({ name: "workload: a token in the server's schemas is masked", ignore }, async () => {
  await using server = startScriptedServer((peer, message) => {
    if (message?.op !== "list_tools") return answerSoundly(peer, message);
    const inputSchema = { properties: { key: { default: `of ${TOKEN}` } }, required: ["key"] };
    const annotations = { readOnlyHint: true };
    peer.send({ op: "list_tools_res", tools: [{ name: "look", inputSchema, annotations }] });
  });
  await using folder = await makeUserFolder();
  const { code, stdout, stderr } = await runCli(["--url", server.url], {
    ...{ folder: folder.path, via: "workload", env: { EXAI_WS_TOKEN: TOKEN } },
  });
  assertEquals([code, stderr], [0, ""]);
  assertStringIncludes(stdout, "key: of ***");
});

Deno.test({ name: "workload: connects by the same options as a run", ignore }, async () => {
  const greeting = { jsonrpc: "2.0", id: 1, result: { tools: "none of a list's" } };
  await using server = startPagedServer([], greeting);
  await using folder = await makeUserFolder();
  const run = (...args: string[]) =>
    runCli(["--url", server.url, "--protocol", "mcp", "--timeout", "1", ...args], {
      folder: folder.path,
      via: "workload",
    });
  const greeted = await run("--ignore-first", "1", "--insecure", "--wait", "1");
  assertEquals(greeted.code, 0, greeted.stderr);
  assertStringIncludes(greeted.stdout, "- tool: look");
  assertStringIncludes(
    greeted.stderr,
    "warning: --insecure: certificates are not checked, so ANYONE CAN POSE",
  );
  const waited = await run("--url", "ws://127.0.0.1:9", "--wait", "0.3");
  assertEquals(waited.code, 3);
  assertStringIncludes(waited.stderr, "waiting up to 0.3 s for the server at ws://127.0.0.1:9: ");
  await folder.write("cert.pem", "none");
  const alone = await run("--client-cert", "cert.pem");
  assertEquals(alone.code, 2);
  assertStringIncludes(alone.stderr, "without --client-key FILE: accepted are both, or neither");
});

const npm = await findNpmPeers();
const FIVE = [
  "echo",
  "get-sum",
  "get-tiny-image",
  "get-structured-content",
  "get-annotated-message",
];

Deno.test(
  testWith(
    "workload: five tools of a real MCP server are drafted, and the draft runs",
    npm.missing,
  ),
  async () => {
    await using gateway = await startMcpGateway(npm.folder!);
    await using folder = await makeUserFolder();
    const target = ["--url", gateway.url, "--protocol", "mcp"];
    const named = FIVE.flatMap((name) => ["--tool", name]);
    const options = { folder: folder.path };
    const draft = await runCli([...target, ...named, "--out", "w.yaml"], {
      ...options,
      via: "workload",
    });
    assertEquals(draft.code, 0, draft.stderr);
    const { code, stdout, stderr } = await runCli([
      ...[...target, "--workload", "w.yaml", "--scenarios", "session-capacity"],
      ...["--stages", "0.5s:8,1.5s:8", "--slo", "8000", "--profile", "quick", "--ignore-limits"],
    ], options);
    assertEquals(code, 0, `${stdout}\n${stderr}`);
    const { scenarios: [report] } = await folder.report();
    const { ledger, parameters } = report!;
    assertEquals([brokenEquations(ledger), ledger.errorCodes], [[], {}]);
    assert(ledger.sent >= 8 && ledger.ok === ledger.sent, `${ledger.ok} of ${ledger.sent}`);
    for (const name of FIVE) assertStringIncludes(String(parameters.workload), `1x: ${name} {`);
  },
);
