import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { parseServeOptions, SERVE_USAGE } from "../../lib/cli/serve_command.ts";
import { UsageError } from "../../lib/cli/usage_error.ts";
import { defaultServerOptions, limitsPreset } from "../../lib/server/options.ts";

const parse = (args: string[], env: Record<string, string> = {}) => parseServeOptions(args, env);

Deno.test("serve: no options means the real server's defaults and port", () => {
  assertEquals(parse([]), defaultServerOptions({ port: 8079 }));
  assertEquals(parse([], { EXAI_WS_PORT: "", EXAI_WS_TOKEN: "" }), parse([]));
});

Deno.test("serve: every option is read", () => {
  const options = parse([
    ...["--port", "0", "--host=0.0.0.0", "--dialect", "nov", "--token", "sixteen-characters"],
    ...["--limits", "off", "--user-rate", "7:0.5", "--ip-rate", "8:1", "--global-rate", "9:2"],
    ...["--max-connections", "3", "--max-connections-per-ip", "2", "--hello-timeout", "0.25"],
    ...["--think", "chat=5:0", "--think", "debug=6.5:0.1", "--seed", "42"],
    ...["--think-mode", "block", "--slow-down", "0.25"],
  ]);
  const { think } = defaultServerOptions();
  assertEquals(
    options,
    defaultServerOptions({
      port: 0,
      hostname: "0.0.0.0",
      dialect: "nov",
      thinkMode: "block",
      slowDownMs: 0.25,
      token: "sixteen-characters",
      limits: {
        userRate: { capacity: 7, refillPerSecond: 0.5 },
        ipRate: { capacity: 8, refillPerSecond: 1 },
        globalRate: { capacity: 9, refillPerSecond: 2 },
        maxConnections: 3,
        maxConnectionsPerIp: 2,
      },
      helloTimeoutMs: 250,
      think: { ...think, chat: { medianMs: 5, sigma: 0 }, debug: { medianMs: 6.5, sigma: 0.1 } },
      seed: 42,
    }),
  );
});

Deno.test("serve: every environment variable is read", () => {
  const options = parse([], {
    EXAI_WS_HOST: "::1",
    EXAI_WS_PORT: "9000",
    EXAI_WS_TOKEN: "sixteen-characters",
    RATE_LIMIT_USER_CAPACITY: "1",
    RATE_LIMIT_USER_REFILL_RATE: "2",
    RATE_LIMIT_IP_CAPACITY: "3",
    RATE_LIMIT_IP_REFILL_RATE: "4",
    RATE_LIMIT_GLOBAL_REFILL_RATE: "6",
    MAX_CONNECTIONS: "7",
    MAX_CONNECTIONS_PER_IP: "5",
    EXAI_WS_MAX_BYTES: "1000",
    TOOL_CALL_MAX_SIZE: "900",
    EXAI_WS_HELLO_TIMEOUT: "1.5",
    EXAI_WS_PING_INTERVAL: "10",
    EXAI_WS_PING_TIMEOUT: "2.5",
  });
  assertEquals(
    options,
    defaultServerOptions({
      hostname: "::1",
      port: 9000,
      token: "sixteen-characters",
      limits: {
        userRate: { capacity: 1, refillPerSecond: 2 },
        ipRate: { capacity: 3, refillPerSecond: 4 },
        globalRate: { capacity: 1000, refillPerSecond: 6 },
        maxConnections: 7,
        maxConnectionsPerIp: 5,
      },
      maxFrameBytes: 1000,
      maxCallBytes: 900,
      helloTimeoutMs: 1500,
      idleTimeoutSeconds: 13,
    }),
  );
});

Deno.test("serve: options win over the environment, and the last of an option wins", () => {
  const env = {
    EXAI_WS_PORT: "9000",
    MAX_CONNECTIONS: "7",
    RATE_LIMIT_USER_CAPACITY: "500",
    RATE_LIMIT_IP_CAPACITY: "600",
  };
  assertEquals(parse(["--port", "1", "--port", "2"], env).port, 2);
  assertEquals(parse(["--limits", "off"], env).limits, {
    ...limitsPreset("off"),
    maxConnections: 7,
  });
  const { userRate, ipRate } = parse(["--user-rate", "1:2"], env).limits;
  assertEquals([userRate, ipRate?.capacity], [{ capacity: 1, refillPerSecond: 2 }, 600]);
  const overridden = { ...env, RATE_LIMIT_USER_CAPACITY: "nonsense" };
  assertEquals(parse(["--user-rate", "1:2"], overridden).limits.userRate?.capacity, 1);
});

Deno.test("serve: an error names the bad value and what is accepted", () => {
  const cases: [string[], Record<string, string>, string][] = [
    [["--port", "99999"], {}, `Cannot use --port "99999": accepted is a whole number from 0 to`],
    [["--port", "x"], {}, `Cannot use --port "x"`],
    [["--port"], {}, "--port needs a value"],
    [[], { EXAI_WS_PORT: "x" }, `Cannot use EXAI_WS_PORT "x"`],
    [["--dialect", "nof"], {}, "did you mean nov?"],
    [["--limits", "on"], {}, "one of default, off"],
    [["--user-rate", "50"], {}, "accepted is CAPACITY:REFILL_PER_SECOND, such as 50:5"],
    [["--ip-rate", "0:5"], {}, `Cannot use --ip-rate "0"`],
    [["--global-rate", "5:0"], {}, "above 0"],
    [["--think", "chat"], {}, "accepted is TOOL=MEDIAN_MS:SIGMA, such as chat=800:0.5"],
    [["--think", "chat=5:-1"], {}, `Cannot use --think "-1"`],
    [["--think", "chart=5:1"], {}, "did you mean chat?"],
    [["--hello-timeout", "0"], {}, "above 0, up to 40000 seconds"],
    [["--max-connections", "1.5"], {}, "a whole number"],
    [["--prot", "5"], {}, "Unknown option --prot: did you mean --port?"],
    [["stray"], {}, `Cannot use the argument "stray"`],
    [[], { EXAI_WS_MAX_BYTES: "1e9" }, "Cannot use EXAI_WS_MAX_BYTES"],
    [[], { RATE_LIMIT_IP_REFILL_RATE: "-1" }, "Cannot use RATE_LIMIT_IP_REFILL_RATE"],
    [[], { EXAI_WS_PING_TIMEOUT: "soon" }, "Cannot use EXAI_WS_PING_TIMEOUT"],
  ];
  for (const [args, env, message] of cases) {
    assertThrows(() => parse(args, env), UsageError, message);
  }
});

Deno.test("serve: a short token is refused and never shown", () => {
  for (const [args, env] of [[["--token", "hunter2"], {}], [[], { EXAI_WS_TOKEN: "hunter2" }]]) {
    const error = assertThrows(
      () => parse(args as string[], env as Record<string, string>),
      UsageError,
    );
    assertStringIncludes(error.message, "16 characters or more");
    assert(!error.message.includes("hunter2"));
  }
  const typo = assertThrows(() => parse(["--tokn=hunter2-hunter2-hunter2"]), UsageError);
  assert(!typo.message.includes("hunter2"));
});

Deno.test("serve: help names every option and variable", () => {
  for (const text of ["--port N", "--think TOOL=", "[EXAI_WS_TOKEN]", "TOOL_CALL_MAX_SIZE"]) {
    assertStringIncludes(SERVE_USAGE, text);
  }
});
