import { assert, assertEquals, assertMatch } from "@std/assert";
import { defaultServerOptions, type DialectName, type Limits } from "../../lib/server/options.ts";
import { startServer } from "../../lib/server/serve.ts";
import { connectGreeted, type RawClient } from "../support/raw_client.ts";
import { NO_NET as ignore } from "../support/targets.ts";

function start(dialect: DialectName, limits: Partial<Limits> | "default") {
  return startServer(defaultServerOptions({ dialect, limits }));
}

/** Slow enough that no token comes back during a test. */
const once = (capacity: number) => ({ capacity, refillPerSecond: 0.001 });
const NO_RATES = { userRate: null, ipRate: null, globalRate: null };

async function refusalOf(client: RawClient, id: string): Promise<Record<string, unknown>> {
  const [refusal] = await client.call(id, "status", { id });
  assertEquals(refusal.op, "error");
  return refusal;
}

Deno.test("default limits: message 51 of a fast session is refused", { ignore }, async () => {
  await using server = await start("oct", { userRate: once(50) });
  await using client = await connectGreeted(server.url);
  for (let i = 1; i <= 51; i++) {
    client.send({ op: "call_tool", request_id: `r${i}`, name: "status", arguments: {} });
  }
  for (let i = 1; i <= 50; i++) {
    assertEquals((await client.nextJson()).op, "stream_complete");
    assertEquals((await client.nextJson()).request_id, `r${i}`);
  }
  const refusal = await client.nextJson();
  const error = refusal.error as Record<string, unknown>;
  assertEquals(Object.keys(refusal), ["op", "error"]);
  assertEquals(error.code, "OVER_CAPACITY");
  assertMatch(
    String(error.message),
    /^Rate limit exceeded: user_rate_limit_exceeded \(retry after \d+\.\ds\)$/,
  );
  assertEquals(error.details, { reason: "user_rate_limit_exceeded", client_ip: "127.0.0.1" });
  const { callsReceived, callsServed, callsRefused } = server.stats();
  assertEquals([callsReceived, callsServed, callsRefused], [51, 50, 1]);
});

Deno.test("nov names the call that it refuses, if it has an id", { ignore }, async () => {
  await using server = await start("nov", { ...NO_RATES, userRate: once(1) });
  await using client = await connectGreeted(server.url);
  await client.call("r1", "status");
  assertEquals((await refusalOf(client, "r2")).request_id, "r2");
  client.send({ op: "list_tools" });
  assertEquals(Object.keys(await client.nextJson()), ["op", "error"]);
});

Deno.test("oct sends an identical refusal only once", { ignore }, async () => {
  await using server = await start("oct", { ...NO_RATES, userRate: once(1) });
  await using client = await connectGreeted(server.url);
  await client.call("r1", "status");
  for (const id of ["r2", "r3", "r4"]) {
    client.send({ op: "call_tool", request_id: id, name: "status", arguments: {} });
  }
  client.send("not JSON, for its answer comes after theirs");
  const answers = [await client.nextJson(), await client.nextJson()];
  const codes = answers.map(({ error }) => (error as { code: string }).code);
  // There are two refusals if the wait they state changes by 0.1 s in between.
  if (codes[1] === "OVER_CAPACITY") {
    codes[1] = ((await client.nextJson()).error as { code: string }).code;
  }
  assertEquals(codes, ["OVER_CAPACITY", "VALIDATION_ERROR"]);
  const { callsRefused, callsUnanswered } = server.stats();
  assertEquals(callsRefused + callsUnanswered, 3);
  assert(callsUnanswered >= 1);
});

Deno.test("user, address and server are charged in this order", { ignore }, async () => {
  await using server = await start("nov", {
    userRate: once(1),
    ipRate: once(2),
    globalRate: once(3),
  });
  const reasons: string[] = [];
  for (const session_id of ["aaa", "bbb", "ccc"]) {
    await using client = await connectGreeted(server.url, { session_id });
    for (const id of ["r1", "r2"]) {
      const frames = await client.call(session_id + id, "status", { id: session_id + id });
      const { error } = frames[0] as { error?: { details: { reason: string } } };
      reasons.push(error?.details.reason ?? "passed");
    }
  }
  assertEquals(reasons, [
    "passed",
    "user_rate_limit_exceeded",
    "passed",
    "user_rate_limit_exceeded",
    "ip_rate_limit_exceeded",
    "user_rate_limit_exceeded",
  ]);
  await using whole = await start("nov", { ...NO_RATES, globalRate: once(1) });
  await using client = await connectGreeted(whole.url);
  await client.call("r1", "status");
  const { details } = (await refusalOf(client, "r2")).error as { details: { reason: string } };
  assertEquals(details.reason, "global_rate_limit_exceeded");
});

Deno.test("hello and malformed messages are not charged", { ignore }, async () => {
  await using server = await start("nov", { ...NO_RATES, userRate: once(1) });
  for (let i = 0; i < 3; i++) await (await connectGreeted(server.url))[Symbol.asyncDispose]();
  await using client = await connectGreeted(server.url);
  for (const malformed of ["{", { noOp: true }, [1]]) {
    client.send(malformed);
    assertEquals((await client.nextJson()).op, "error");
  }
  assertEquals((await client.call("r1", "status")).length, 2);
  assertEquals((await refusalOf(client, "r2")).request_id, "r2");
});

Deno.test("a session keeps its bucket when it reconnects", { ignore }, async () => {
  await using server = await start("nov", { ...NO_RATES, userRate: once(1) });
  {
    await using client = await connectGreeted(server.url, { session_id: "same" });
    await client.call("r1", "status");
  }
  await using client = await connectGreeted(server.url, { session_id: "same" });
  await refusalOf(client, "r2");
  await using other = await connectGreeted(server.url, { session_id: "other" });
  assertEquals((await other.call("r3", "status", { x: 1 })).length, 2);
});
