import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { connectGreeted, connectRaw } from "../support/raw_client.ts";
import { NO_NET as ignore } from "../support/targets.ts";
import { startUnlimited as start } from "../support/unlimited_server.ts";

Deno.test("oct25 assigns session ids, whose budgets end with them", { ignore }, async () => {
  const userRate = { capacity: 1, refillPerSecond: 0.01 };
  await using server = await start({ dialect: "oct25", limits: { userRate } });
  const ids = [];
  for (const nth of [1, 2]) {
    await using client = await connectRaw(server.url);
    const { session_id } = await client.hello({ session_id: "mine" });
    ids.push(session_id);
    assertMatch(String(session_id), /^[A-Za-z0-9_-]{43}$/);
    assertEquals((await client.call(`a${nth}`, "status")).length, 2);
    // The identical refusal is sent both times.
    for (const call of ["b", "c"]) {
      client.send({ op: "call_tool", request_id: `${call}${nth}`, name: "status", arguments: {} });
      assertEquals((await client.nextJson()).op, "error");
    }
  }
  assertNotEquals(ids[0], ids[1]);
});

for (const dialect of ["oct25", "oct"] as const) {
  Deno.test(`${dialect} refuses tool_call as an unknown operation`, { ignore }, async () => {
    await using server = await start({ dialect });
    await using client = await connectGreeted(server.url);
    client.send({ op: "tool_call", request_id: "r1", tool: { name: "status" }, arguments: {} });
    const { error } = await client.nextJson();
    assertEquals((error as { message: string }).message, "Unknown operation: tool_call");
  });
}

Deno.test("--slow-down: each call takes longer than the one before", { ignore }, async () => {
  await using server = await start({ dialect: "nov", slowDownMs: 2 });
  await using client = await connectGreeted(server.url);
  const times: number[] = [];
  for (let call = 1; call <= 12; call++) {
    const frames = await client.call(`r${call}`, "status", { call });
    const [output] = frames[1]!.outputs as {
      metadata: { latency_metrics: { latency_ms: number } };
    }[];
    times.push(output!.metadata.latency_metrics.latency_ms);
  }
  times.forEach((ms, index) => assert(ms >= 2 * (index + 1) - 1, `call ${index + 1}: ${ms} ms`));
});

Deno.test("oct computes identical calls in flight once, light ones too", { ignore }, async () => {
  await using server = await start({ slowDownMs: 50 });
  await using first = await connectGreeted(server.url);
  await using second = await connectGreeted(server.url);
  const both = await Promise.all([first.call("a", "status"), second.call("b", "status")]);
  assertEquals(both.map((frames) => frames.length), [2, 1], "the second got a stream_complete");
  assertEquals((await first.call("c", "status")).length, 2, "a finished call was kept");
});

Deno.test("nov opens a mock of MCP if the first message asks for it", { ignore }, async () => {
  const token = "sixteen-characters";
  await using server = await start({ dialect: "nov", token });
  await using client = await connectRaw(server.url);
  const ask = (method: string, params?: unknown) => {
    client.send({ jsonrpc: "2.0", id: method, method, params });
    return client.nextJson();
  };
  assertEquals(Object.keys(await ask("initialize", {})), ["jsonrpc", "id", "result"]);
  const { result } = await ask("tools/list") as { result: { tools: { name: string }[] } };
  assertEquals(result.tools[0]!.name, "status");
  const called = await ask("tools/call", { name: "no-such-tool" }) as { result: unknown };
  assertEquals(called.result, { content: [{ type: "text", text: "Tool no-such-tool called" }] });
  const ping = { jsonrpc: "2.0", id: "ping", method: "ping" };
  assertEquals<unknown>(await ask("ping"), ping, "unknown methods are echoed");
});
