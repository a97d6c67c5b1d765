import { assertEquals, assertThrows } from "@std/assert";
import { defaultServerOptions, type ServerOptionOverrides } from "../../lib/server/options.ts";

Deno.test("server options: the defaults are those of the real server", () => {
  const options = defaultServerOptions();
  assertEquals(options.limits, {
    userRate: { capacity: 50, refillPerSecond: 5 },
    ipRate: { capacity: 100, refillPerSecond: 10 },
    globalRate: { capacity: 1000, refillPerSecond: 100 },
    maxConnections: 1000,
    maxConnectionsPerIp: 10,
  });
  assertEquals([options.maxFrameBytes, options.maxCallBytes], [33_554_432, 10_485_760]);
  assertEquals([options.helloTimeoutMs, options.idleTimeoutSeconds], [15_000, 60]);
});

Deno.test("server options: off disables the rates, not the connection limits", () => {
  const { limits } = defaultServerOptions({ limits: "off" });
  assertEquals([limits.userRate, limits.ipRate, limits.globalRate], [null, null, null]);
  assertEquals(limits.maxConnectionsPerIp, 10);
});

Deno.test("server options: an error names the bad value and what is accepted", () => {
  const cases: [ServerOptionOverrides, string][] = [
    [{ port: 99_999 }, "port must be a whole number from 0 to 65535: port is 99999"],
    [{ hostname: "" }, "hostname must be a host name or address"],
    [{ dialect: "dec" as "oct" }, `dialect must be "oct25", "oct" or "nov": dialect is dec`],
    [{ limits: { maxConnections: 0 } }, "limits.maxConnections must be a whole number from 1"],
    [
      { limits: { userRate: { capacity: 1.5, refillPerSecond: 1 } } },
      "limits.userRate.capacity must be a whole number from 1: limits.userRate.capacity is 1.5",
    ],
    [
      { limits: { ipRate: { capacity: 1, refillPerSecond: 0 } } },
      "limits.ipRate.refillPerSecond must be a number above 0",
    ],
    [{ helloTimeoutMs: NaN }, "helloTimeoutMs must be a number above 0"],
    [{ maxFrameBytes: 2 ** 30 }, "maxFrameBytes must be a whole number from 1 to 67108864"],
    [{ think: { chat: { medianMs: 5, sigma: -1 } } }, "think.chat.sigma must be a number from 0"],
    [{ seed: -1 }, "seed must be a whole number from 0"],
  ];
  for (const [overrides, message] of cases) {
    assertThrows(() => defaultServerOptions(overrides), RangeError, message);
  }
  assertThrows(() => defaultServerOptions({ limits: "on" as "off" }), RangeError, "limits is on");
});
