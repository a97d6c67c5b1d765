import { assert, assertEquals } from "@std/assert";
import { addPayload, createWorkload } from "../../lib/run/workload.ts";

Deno.test("a workload without placeholders is the same message every time", () => {
  const workload = createWorkload("status", { argsJson: '{"a":1}', payloadBytes: 0 });
  assertEquals(workload(), { tool: "status", argsJson: '{"a":1}' });
  assertEquals(workload() === workload(), true);
});

Deno.test("every {seq} becomes the number of the call from 1, even unquoted", () => {
  const workload = createWorkload("chat", {
    argsJson: '{"n":{seq},"prompt":"call {seq} of {seq}"}',
    payloadBytes: 0,
  });
  const parsed = [workload(), workload()].map(({ argsJson }) => JSON.parse(argsJson));
  assertEquals(parsed, [{ n: 1, prompt: "call 1 of 1" }, { n: 2, prompt: "call 2 of 2" }]);
});

Deno.test("a payload of the given size is added to the arguments", () => {
  for (const [argsJson, rest] of [["{}", {}], [" { } ", {}], ['{ "n": "{seq}" }', { n: "1" }]]) {
    const options = { argsJson: String(argsJson), payloadBytes: 100 };
    const { payload, ...others } = JSON.parse(createWorkload("t", options)().argsJson);
    assertEquals([payload.length, others], [100, rest]);
  }
});

Deno.test("a payload can be added to a workload, call by call", () => {
  const numbered = createWorkload("status", { argsJson: '{"n":{seq}}', payloadBytes: 0 });
  const sized = addPayload(numbered, 3);
  assertEquals([sized(), sized()].map(({ tool, argsJson }) => [tool, argsJson]), [
    ["status", '{"n":1,"payload":"xxx"}'],
    ["status", '{"n":2,"payload":"xxx"}'],
  ]);
  const same = addPayload(createWorkload("status", { argsJson: "{}", payloadBytes: 0 }), 2);
  assertEquals(same().argsJson, '{"payload":"xx"}');
  assert(same() === same(), "a constant message is built once");
});

Deno.test("every {unique} becomes a text unique to the call and seed, even next to {seq}", () => {
  const texts = (uniqueSeed: number) => {
    const argsJson = '{"a":"{unique}","b":"{seq} {unique}"}';
    const workload = createWorkload("chat", { argsJson, payloadBytes: 0, uniqueSeed });
    return Array.from({ length: 20 }, () => JSON.parse(workload().argsJson));
  };
  assertEquals(texts(3)[0], { a: "00000003-1", b: "1 00000003-1" });
  assertEquals(new Set([...texts(3), ...texts(0x30)].map(({ a }) => a)).size, 40);
  assertEquals(texts(3), texts(3));
});
