import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { resolve } from "node:path";
import { OPTIONS, USAGE } from "../../lib/cli/options.ts";
import { UsageError } from "../../lib/cli/usage_error.ts";
import { renderJson } from "../../lib/report/export/json.ts";
import { KEY, LOOPBACK } from "../support/certificates.ts";
import { configOf as readArguments } from "../support/config_of.ts";
import { reportOf } from "../support/comparable_report.ts";
import { makeTempFolder, NO_FILES as ignore } from "../support/files.ts";

type Environment = Record<string, string>;

const vocabulary = { "message-throughput": {}, "connection-limit": {} };

function configOf(args: string[], env: Environment = {}, directory = "/home/ann") {
  return readArguments(args, { env, directory, vocabulary });
}

async function messageOf(args: string[], env?: Environment, directory?: string): Promise<string> {
  return (await assertRejects(() => configOf(args, env, directory), UsageError)).message;
}

async function assertRefused(args: string[], expected: string, env?: Environment): Promise<void> {
  assertStringIncludes(await messageOf(args, env), expected);
}

Deno.test("config: the default is a standard run of the bundled server", async () => {
  const config = await configOf([]);
  assertEquals(config.url, null);
  assertEquals(config.token, null);
  assertEquals(config.protocol, "exai");
  assertEquals(config.tool, null);
  assertEquals(config.toolArgsJson, "{}");
  assertEquals(config.headers, {});
  assertEquals(config.subprotocols, []);
  assertEquals(config.scenarios, null);
  assertEquals(config.profile, "standard");
  assertEquals(new Set(Object.values(config.overrides)), new Set([null]));
  assertEquals(config.timeoutMs, 10_000);
  assertEquals(config.maxRatePerSecond, null);
  assertEquals(config.seed, 1);
  assertEquals([config.heavyTools, config.maxHeavyCalls], [null, 200]);
  assertEquals(config.strict, false);
  assertEquals(config.outDirectory, resolve("/home/ann", "reports"));
  assertEquals(config.formats, ["json", "md", "html"]);
  assertEquals(config.page, null);
  assertEquals(config.quiet, false);
  assertEquals(config.color, true);
});

Deno.test("config: every option is read into its setting", async () => {
  const { overrides, ...config } = await configOf([
    ...["--url", "wss://host/path?k=v", "--token", "short", "--protocol", "mcp"],
    ...["--tool", "echo", "--tool-args", ' {"n":{seq}} ', "--header", "X-A: 1"],
    ...["--header", "X-B:2"],
    ...["--subprotocol", "v1", "--subprotocol", "v2", "--scenarios", "connection-limit"],
    ...["--profile", "phase2", "--epochs", "3", "--duration", "0.5", "--warmup", "0"],
    ...["--precision", "5", "--max-time", "90", "--band", "2", "--noise", "4"],
    ...["--messages", "1e3", "--connections", "7", "--payload", "10", "--timeout", "2.5"],
    ...["--max-rate", "4.5", "--seed", "4294967295", "--unit-baseline", "1000", "--strict"],
    ...["--out", "../out", "--format", "md,junit", "--format", "md", "--quiet", "--no-color"],
  ]);
  assertEquals(config.url, "wss://host/path?k=v");
  assertEquals(config.token, "short");
  assertEquals(config.protocol, "mcp");
  assertEquals([config.tool, config.toolArgsJson], ["echo", '{"n":{seq}}']);
  assertEquals(config.headers, { "X-A": "1", "X-B": "2" });
  assertEquals(config.subprotocols, ["v1", "v2"]);
  assertEquals(config.scenarios, ["connection-limit"]);
  assertEquals(config.profile, "phase2");
  assertEquals([config.epochs, config.precisionPercent, config.maxTimeMs], [3, 5, 90_000]);
  assertEquals([config.bandPercent, config.noisePercent], [2, 4]);
  assertEquals([overrides.durationMs, overrides.warmupMs, overrides.messages], [500, 0, 1000]);
  assertEquals([overrides.connections, overrides.payloadBytes], [7, 10]);
  assertEquals(config.timeoutMs, 2500);
  assertEquals(config.maxRatePerSecond, 4.5);
  assertEquals(config.seed, 4294967295);
  assertEquals(config.unitBaselinePerSecond, 1000);
  assertEquals(config.outDirectory, resolve("/home/ann", "../out"));
  assertEquals(config.formats, ["md", "junit"]);
  assertEquals([config.strict, config.quiet, config.color], [true, true, false]);
});

const NUMBERS = [...OPTIONS.values()].filter(({ value }) =>
  /^(N|SECONDS|BYTES|PER_SECOND|PERCENT|MS)$/.test(value)
);

Deno.test("config: an invalid number is refused with the option, the value and what is accepted", async () => {
  assert(NUMBERS.length >= 10);
  for (const { name } of NUMBERS) {
    const rest = name === "max-time" ? ["--precision", "5"] : [];
    for (const text of ["x", "1x", "0x10", "NaN", "Infinity", "-1", "1e99", "1,5", "1_000", "⅓"]) {
      const message = await messageOf([`--${name}=${text}`, ...rest]);
      assertStringIncludes(message, `--${name} "${text}": accepted is a `);
      assert(/number.* (from \S+|above \S+, up) to \S+/.test(message), message);
    }
  }
});

Deno.test("config: counts are whole numbers, times are above 0", async () => {
  for (const name of ["epochs", "messages", "connections", "payload", "seed"]) {
    await assertRefused([`--${name}=1.5`], "a whole number");
  }
  const aboveZero = ["epochs", "messages", "connections", "duration", "timeout", "max-rate"];
  for (const name of [...aboveZero, "precision"]) {
    await assertRefused([`--${name}=0`], `--${name} "0"`);
  }
});

Deno.test("config: --precision is bounded by --max-time, 10 minutes by default", async () => {
  const { precisionPercent, maxTimeMs } = await configOf(["--precision", "2.5"]);
  assertEquals([precisionPercent, maxTimeMs], [2.5, 600_000]);
  const message = await messageOf(["--max-time", "90"]);
  assertStringIncludes(message, 'Cannot use --max-time "90" without --precision');
  assertStringIncludes(message, "accepted is --precision PERCENT");
  await assertRefused(["--precision", "101"], "above 0, up to 100 percent");
});

Deno.test("config: percentages can end in %, other numbers cannot", async () => {
  const args = ["--precision", "10%", "--band", "3 %", "--noise", "5%"];
  const { precisionPercent, bandPercent, noisePercent } = await configOf(args);
  assertEquals([precisionPercent, bandPercent, noisePercent], [10, 3, 5]);
  for (const text of ["5%%", "%", "101%"]) await assertRefused(["--noise", text], `"${text}"`);
  await assertRefused(["--epochs", "3%"], '"3%": accepted is a whole number');
});

Deno.test("config: --precision is refused with workers and shards, which must agree on epochs", async () => {
  const shard = ["--url", "ws://a", "--shard", "1/2"];
  for (const args of [["--workers", "2"], ["--workers", "auto"], shard]) {
    const message = await messageOf(["--precision", "5", ...args]);
    assertStringIncludes(message, 'Cannot use --precision "5" with --workers or --shard');
    assertStringIncludes(message, "accepted is --epochs N");
  }
  for (const args of [["--workers", "1"], ["--url", "ws://a", "--shard", "1/1"]]) {
    assertEquals((await configOf(["--precision", "5", ...args])).precisionPercent, 5);
  }
});

Deno.test("config: the band is 3 % by default, and no noise is stated", async () => {
  const { bandPercent, noisePercent, baselines } = await configOf([]);
  assertEquals([bandPercent, noisePercent, baselines], [3, null, []]);
  assertEquals((await configOf(["--band", "0"])).bandPercent, 0);
  await assertRefused(
    ["--band", "x"],
    'Cannot use --band "x": accepted is a number from 0 to 100 percent',
  );
});

Deno.test("config: the last of a repeated number wins, and only that is checked", async () => {
  assertEquals((await configOf(["--epochs", "x", "--epochs", "2"])).epochs, 2);
});

Deno.test("config: an unknown name is refused with the known ones and the closest", async () => {
  const cases: [string, string, string][] = [
    ["--profile", "quik", "quick"],
    ["--protocol", "mpc", "mcp"],
    ["--format", "jsn", "json"],
    ["--scenarios", "conection-limit", "connection-limit"],
  ];
  for (const [option, text, closest] of cases) {
    const message = await messageOf([option, text]);
    assertStringIncludes(message, `${option} "${text}": accepted is one of `);
    assertStringIncludes(message, `did you mean ${closest}?`);
  }
  await assertRefused(["--scenarios", ","], '--scenarios ",": accepted is');
  await assertRefused(["--format", "md,pdf"], '--format "pdf"');
});

Deno.test("config: names are separated by commas and spaces, duplicates are dropped", async () => {
  const { scenarios } = await configOf([
    ...["--scenarios", "connection-limit, message-throughput,"],
    ...["--scenarios", "connection-limit"],
  ]);
  assertEquals(scenarios, ["connection-limit", "message-throughput"]);
});

Deno.test("config: any URL but a WebSocket URL is refused with an example", async () => {
  for (const text of ["localhost:8079", "http://a", "ws://", "ws://a:99999", "ws://a/#b", "//a"]) {
    const message = await messageOf(["--url", text]);
    assertStringIncludes(message, `Cannot use --url "`);
    assertStringIncludes(message, "accepted is a WebSocket URL such as ws://localhost:8079");
  }
  const noSuchPort =
    "accepted is a WebSocket URL such as ws://localhost:8079 or wss://host/path; " +
    "the port is above 65535";
  await assertRefused(["--url", "ws://localhost:808080"], noSuchPort);
  await assertRefused(["--url", "wss://[::1]:65536/path"], noSuchPort);
  await assertRefused([], 'EXAI_WS_URL "http://a"', { EXAI_WS_URL: "http://a" });
});

Deno.test("config: errors never show the secrets of a URL", async () => {
  const urls = [
    "ws://ann:hunter2@h:99999",
    "ws://hunter2@h:99999",
    "ws://ann:x@hunter2@h:99999",
    "ws://ann:hunter2@h/#f",
    "ws://h/#hunter2",
    "ws://h/?k=hunter2#hunter2",
    "http://h?token=hunter2",
    "http://ann:hunter2@h",
    "ann:hunter2@h",
    "ann:hunter2@h?x",
    "localhost:8079?token=hunter2",
    "ws://ann:a/hunter2@h",
    "ws://ann:a?hunter2@h:1",
    "ws://ann:a\nhunter2@h:99999",
    "WS://ann:hunter2@h:99999",
    "ws:ann:hunter2@h:99999",
    "ws://h:99999/?a\nhunter2",
    "ws://h:99999/?k=a@hunter2",
    "ws://h/#a@hunter2",
  ];
  for (const url of urls) {
    for (const [args, env] of [[["--url", url], {}], [[], { EXAI_WS_URL: url }]] as const) {
      const message = await messageOf([...args], env);
      assert(!message.includes("hunter2"), `${url}: ${message}`);
    }
  }
});

Deno.test("config: a server can be given by host and port, each with a default", async () => {
  const cases: [Environment, string | null][] = [
    [{ EXAI_WS_HOST: "example.org" }, "ws://example.org:8079/"],
    [{ EXAI_WS_PORT: "9000" }, "ws://127.0.0.1:9000/"],
    [{ EXAI_WS_HOST: "10.0.0.1", EXAI_WS_PORT: "9000" }, "ws://10.0.0.1:9000/"],
    [{ EXAI_WS_HOST: "::1", EXAI_WS_PORT: "9000" }, "ws://[::1]:9000/"],
    [{ EXAI_WS_HOST: "", EXAI_WS_PORT: "" }, null],
    [{ EXAI_WS_URL: "ws://a/", EXAI_WS_HOST: "b", EXAI_WS_PORT: "x" }, "ws://a/"],
  ];
  for (const [env, url] of cases) assertEquals((await configOf([], env)).url, url);
  assertEquals((await configOf(["--url", "ws://c/"], { EXAI_WS_URL: "ws://a/" })).url, "ws://c/");
});

Deno.test("config: an invalid host or port is refused by name", async () => {
  for (const port of ["0", "65536", "x", "80.5"]) {
    const expected = `EXAI_WS_PORT "${port}": accepted is a whole number from 1 to 65535`;
    await assertRefused([], expected, { EXAI_WS_PORT: port });
  }
  for (const host of ["a b", "h/path", "h/", "h?x", "h#x", "ann@h", "ann:pw@h", "a\\b"]) {
    const message = await messageOf([], { EXAI_WS_HOST: host });
    assertStringIncludes(message, "Cannot use EXAI_WS_HOST");
    assertStringIncludes(message, "accepted is a host name or an IP address");
  }
});

Deno.test("config: the bundled server's token has 16 characters or more, and is not shown", async () => {
  for (const given of [["--token", "fifteen-letters"], []]) {
    const env: Environment = given.length === 0 ? { EXAI_WS_TOKEN: "fifteen-letters" } : {};
    const message = await messageOf(given, env);
    assertStringIncludes(message, given[0] ?? "EXAI_WS_TOKEN");
    assertStringIncludes(message, "16 characters or more");
    assertStringIncludes(message, "has 15");
    assert(!message.includes("fifteen-letters"));
  }
  assertEquals((await configOf(["--token", "sixteen-letters!"])).token, "sixteen-letters!");
  assertEquals((await configOf(["--token", "x", "--url", "ws://a"])).token, "x");
});

Deno.test("config: a protocol that the bundled server does not speak needs a server", async () => {
  await assertRefused([], 'BENCH_PROTOCOL "mcp"', { BENCH_PROTOCOL: "mcp" });
  assertEquals((await configOf(["--url", "ws://a"], { BENCH_PROTOCOL: "mcp" })).protocol, "mcp");
  const both = await configOf(["--url", "ws://a", "--protocol", "exai"], { BENCH_PROTOCOL: "mcp" });
  assertEquals(both.protocol, "exai");
});

Deno.test("config: --tool-args is an object before and after {seq} is filled in", async () => {
  for (const text of ["x", "[1]", "1", "null", '"a"', "{", '{"n":{seq}', "{n:1}"]) {
    await assertRefused(["--tool-args", text], `--tool-args "${text}": accepted is a JSON object`);
  }
  for (const text of ["{}", '{"n":"{seq}"}', '{"n":{seq}}', '{"{seq}":[{seq}]}']) {
    assertEquals((await configOf(["--tool-args", text])).toolArgsJson, text);
  }
});

Deno.test("config: --wait is a time, --insecure a flag, and the proxy is the environment's", async () => {
  const args = ["--url", "ws://example.org", "--wait", "1m", "--insecure"];
  const config = await configOf(args, { HTTP_PROXY: "http://p:1" });
  assertEquals([config.waitMs, config.insecure], [60_000, true]);
  assertEquals(config.proxy, "http://p:1 (HTTP_PROXY)");
  const { waitMs, insecure, proxy, clientCert } = await configOf([]);
  assertEquals([waitMs, insecure, proxy, clientCert], [0, false, null, null]);
  await assertRefused(["--wait", "soon"], 'Cannot use --wait "soon": accepted is');
});

Deno.test("config: a client certificate and its key are checked", { ignore }, async () => {
  await using folder = await makeTempFolder({ "cert.pem": LOOPBACK, "key.pem": KEY });
  const [cert, key] = [`${folder.path}/cert.pem`, `${folder.path}/key.pem`];
  const { clientCert } = await configOf(["--client-cert", cert, "--client-key", key]);
  assertEquals(clientCert, { cert: LOOPBACK, key: KEY });
  const both = (cert: string, key: string) => ["--client-cert", cert, "--client-key", key];
  const cases: [args: string[], parts: string[]][] = [
    [["--client-cert", cert], ["--client-cert", "without --client-key FILE"]],
    [["--client-key", key], ["--client-key", "without --client-cert FILE"]],
    [both(key, key), ["--client-cert", "PEM file with a certificate"]],
    [both(cert, cert), ["--client-key", "PEM file with the key"]],
    [both("none.pem", key), ["Cannot read the file of --client-cert"]],
  ];
  for (const [args, parts] of cases) {
    const message = await messageOf(args);
    for (const part of parts) assertStringIncludes(message, part);
  }
});

Deno.test("config: headers that the client sets itself, and repeated ones, are refused by name", async () => {
  const cases = [
    ["Host: h.example", "--url"],
    ["user-agent: curl", "User-Agent"],
    ["Sec-WebSocket-Protocol: mcp", "--subprotocol"],
    ["Sec-WebSocket-Extensions: x", "handshake"],
    ["Connection: close", "handshake"],
    ["Upgrade: h2c", "handshake"],
    ["Content-Length: 5", "handshake"],
    ["Transfer-Encoding: chunked", "handshake"],
  ] as const;
  for (const [header, use] of cases) {
    const message = await messageOf(["--header", header]);
    assertStringIncludes(message, `Cannot use --header "${header.split(":")[0]}: …": accepted is`);
    assertStringIncludes(message, use);
  }
  const twice = await messageOf(["--header", "X-A: secret1", "--header", "x-a: secret2"]);
  assertStringIncludes(
    twice,
    'Cannot use --header "x-a: …" twice: accepted is one header of each name',
  );
  assertEquals(twice.includes("secret"), false);
  assertEquals((await configOf(["--header", "Origin: http://o"])).headers, { Origin: "http://o" });
});

Deno.test("config: an invalid header is refused without showing any of its text", async () => {
  const texts = [
    "Bearer hunter2",
    "X Y: hunter2",
    ": hunter2",
    "X-A: a\nhunter2: b",
    "X-A: a\0hunter2",
    "X-A: hunter2→",
    "hunter2",
  ];
  for (const text of texts) {
    const message = await messageOf(["--header", text]);
    assertStringIncludes(message, "--header: accepted is 'Name: value'");
    assert(!message.includes("hunter2"), message);
  }
});

Deno.test("config: --ignore-first is a count, and refused for the bundled server", async () => {
  const url = ["--url", "ws://a"];
  assertEquals((await configOf([])).ignoreFirst, 0);
  assertEquals((await configOf([...url, "--ignore-first", "2"])).ignoreFirst, 2);
  await assertRefused(
    [...url, "--ignore-first", "1.5"],
    'Cannot use --ignore-first "1.5": accepted is a whole number from 0 to 1000 frames',
  );
  const message = await messageOf(["--ignore-first", "1"]);
  assertStringIncludes(message, '--ignore-first "1" with the bundled server');
  assertStringIncludes(message, "accepted is 0");
});

Deno.test("config: subprotocols are distinct HTTP tokens, and not shown in errors", async () => {
  for (const text of ["hunter2 b", "a,hunter2", "hunter2ä"]) {
    const message = await messageOf(["--subprotocol", text]);
    assertStringIncludes(message, "Cannot use --subprotocol: accepted is a name of letters");
    assert(!message.includes("hunter2"), message);
  }
  const twice = await messageOf(["--subprotocol", "hunter2", "--subprotocol", "hunter2"]);
  assertStringIncludes(twice, "Cannot use --subprotocol twice with one name");
  assert(!twice.includes("hunter2"), twice);
});

Deno.test("config: errors never show an argument that may be a secret", async () => {
  const secrets: [string[], Environment, string][] = [
    [["ws://ann:hunter2@host/"], {}, 'Cannot use the argument "ws://***@host/"'],
    [["ws://ann:hunter2@host/"], {}, "such as --url WS_URL"],
    [["--ws://ann:hunter2@host/"], {}, "Unknown option ***@host/"],
    [["--header", "Authorization:", "hunter2"], {}, "may belong to --header: quote"],
    [["--token=a", "hunter2"], {}, "may belong to --token"],
    [["--token", "-xhunter2"], {}, "write a value that begins with a dash as --option=VALUE"],
    [[], { EXAI_WS_HOST: "ws://ann:hunter2@host" }, 'EXAI_WS_HOST "ws://***@host"'],
  ];
  for (const [args, env, expected] of secrets) {
    const message = await messageOf(args, env);
    assertStringIncludes(message, expected);
    assert(!message.includes("hunter2"), message);
  }
});

Deno.test("config: NO_COLOR turns colours off, unless it is empty", async () => {
  assertEquals((await configOf([], { NO_COLOR: "1" })).color, false);
  assertEquals((await configOf([], { NO_COLOR: "" })).color, true);
});

Deno.test("usage: the help has every option, variable and exit code, in lines up to 120 wide", () => {
  for (const { name, env } of OPTIONS.values()) {
    assert(new RegExp(`^  --${name}[ \n]`, "m").test(USAGE), name);
    assertStringIncludes(USAGE, env ?? "");
  }
  for (const code of ["0", "1", "2", "3", "4", "5", "6", "130"]) {
    assert(new RegExp(`\\b${code}  +\\S`).test(USAGE), code);
  }
  for (const line of USAGE.split("\n")) assert(line.length <= 120, line);
});

Deno.test("config: file names are relative to the user's folder", { ignore }, async () => {
  await using folder = await makeTempFolder({ "args.json": '\n{"n": {seq}}\n', "list.json": "[]" });
  const { toolArgsJson } = await configOf(["--tool-args", "@args.json"], {}, folder.path);
  assertEquals(toolArgsJson, '{"n": {seq}}');
  const cases: [option: string, file: string, expected: string][] = [
    ["--tool-args", "@none.json", 'Cannot read the file of --tool-args "none.json"'],
    ["--ca-cert", "none.json", 'Cannot read the file of --ca-cert "none.json"'],
    ["--ca-cert", "args.json", "accepted is a PEM file with a certificate"],
    ["--tool-args", "@list.json", "accepted is a JSON object"],
  ];
  for (const [option, file, expected] of cases) {
    assertStringIncludes(await messageOf([option, file], {}, folder.path), expected);
  }
});

Deno.test("config: baselines are files and folders, each read once, without other formats", {
  ignore,
}, async () => {
  await using folder = await makeTempFolder();
  await Deno.mkdir(`${folder.path}/runs/third`, { recursive: true });
  await Deno.mkdir(`${folder.path}/none`);
  for (const name of ["first.json", "runs/second.json", "runs/third/report.json"]) {
    await Deno.writeTextFile(`${folder.path}/${name}`, renderJson(reportOf()));
  }
  await Deno.writeTextFile(`${folder.path}/runs/benchmark-bigger.json`, "[]");
  const args = ["first.json", "runs", "runs/second.json"].flatMap((name) => ["--baseline", name]);
  assertEquals((await configOf(args, {}, folder.path)).baselines.length, 3);
  assertStringIncludes(
    await messageOf(["--baseline", "none"], {}, folder.path),
    'Cannot use --baseline "none": accepted is a report.json, or a folder with such files',
  );
});

Deno.test("config: --arrivals is constant or poisson", async () => {
  assertEquals((await configOf(["--arrivals", "poisson"])).overrides.arrivals, "poisson");
  assertEquals(
    await messageOf(["--arrivals", "posson"]),
    'Cannot use --arrivals "posson": accepted is one of constant, poisson (did you mean poisson?)',
  );
});

Deno.test("config: --no-delay is auto, on or off", async () => {
  assertEquals((await configOf([])).noDelay, "auto");
  assertEquals((await configOf(["--no-delay", "off"])).noDelay, "off");
  assertEquals(
    await messageOf(["--no-delay", "onn"]),
    'Cannot use --no-delay "onn": accepted is one of auto, on, off (did you mean on?)',
  );
});

Deno.test("config: arguments and payload are refused for mcp's ping, which takes none", async () => {
  const mcp = ["--url", "ws://a", "--protocol", "mcp"];
  for (const tool of [[], ["--tool", "ping"]]) {
    for (const given of [["--tool-args", '{"n":{seq}}'], ["--payload", "10"]]) {
      const message = await messageOf([...mcp, ...tool, ...given]);
      assertStringIncludes(message, `Cannot use ${given[0]}`);
      assertStringIncludes(message, "mcp's ping, which takes no arguments: name a --tool");
    }
    const empty = ["--tool-args", "{}", "--payload", "0"];
    assertEquals((await configOf([...mcp, ...tool, ...empty])).tool, tool[1] ?? null);
  }
  for (const other of [[...mcp, "--tool", "echo"], ["--url", "ws://a", "--tool", "ping"]]) {
    assertEquals((await configOf([...other, "--payload", "10"])).overrides.payloadBytes, 10);
  }
});

Deno.test("config: expected limits are kept as given, without spaces", async () => {
  const { overrides } = await configOf(["--expect-limits", "session=50/5, ip=none"]);
  assertEquals(overrides.expectLimits, "session=50/5,ip=none");
  assertEquals((await configOf([])).overrides.expectLimits, null);
});

Deno.test("config: invalid limits are refused with the option, the value and what is accepted", async () => {
  const message = await messageOf(["--expect-limits", "user=50/5"]);
  assertStringIncludes(
    message,
    'Cannot use --expect-limits "user=50/5": accepted is session=BURST',
  );
  assertStringIncludes(message, "such as 'session=50/5,ip=100/10' or 'ip=none'");
  assertStringIncludes(message, '"user=50/5" is not one of them');
});

Deno.test("config: {unique} follows --seed, and differs from run to run without it", async () => {
  assertEquals((await configOf(["--seed", "7"])).uniqueSeed, 7);
  const drawn = await Promise.all([1, 2, 3].map(async () => (await configOf([])).uniqueSeed));
  assert(new Set(drawn).size > 1);
});

Deno.test("config: --max-calls is a whole number", async () => {
  assertEquals((await configOf(["--max-calls", "0"])).maxHeavyCalls, 0);
  await assertRefused(
    ["--max-calls", "1.5"],
    '--max-calls "1.5": accepted is a whole number from 0 to 1000000 calls',
  );
});

Deno.test("config: a duration is in seconds unless it has a unit", async () => {
  for (const [text, ms] of [["2", 2_000], ["0.5s", 500], ["250ms", 250], ["2m", 120_000]]) {
    const { overrides } = await configOf(["--duration", `${text}`]);
    assertEquals(overrides.durationMs, ms, `${text}`);
  }
  for (const text of ["5x", "a\nb"]) {
    await assertRefused(
      ["--duration", text],
      `Cannot use --duration ${JSON.stringify(text)}: accepted is a number of seconds`,
    );
  }
});

Deno.test("config: --stages are kept as given, and checked like --spike-factor and --workload", async () => {
  const stages = ["--stages", " 10s:50, 30s:200,10s:0"];
  const { overrides } = await configOf([...stages, "--spike-factor", "2.5"]);
  assertEquals([overrides.stages, overrides.spikeFactor], ["10s:50,30s:200,10s:0", 2.5]);
  for (const text of ["10", "10s:x", "5s:0", "0s:5"]) {
    await assertRefused(
      ["--stages", text],
      `Cannot use --stages "${text}": accepted is TIME:LEVEL stages, such as '10s:50,30s:200,10s:0'`,
    );
  }
  await assertRefused(
    ["--spike-factor", "1"],
    'Cannot use --spike-factor "1": accepted is a number above 1, up to 1000',
  );
  await assertRefused(
    ["--workload", "none.yaml"],
    'Cannot read the file of --workload "none.yaml"',
  );
});
