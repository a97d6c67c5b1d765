import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { createDispatcher } from "../../lib/server/dispatch.ts";
import { defaultServerOptions } from "../../lib/server/options.ts";
import { createServerState } from "../../lib/server/server_state.ts";
import { createThinkTimes } from "../../lib/server/think.ts";
import { stripToolSuffix } from "../../lib/server/tool_name.ts";

const QUICK = { medianMs: 1, sigma: 0 };
const OPTIONS = defaultServerOptions({ think: { chat: QUICK, analyze: QUICK, debug: QUICK } });

async function textOf(tool: string, args = {}): Promise<Record<string, unknown>> {
  const answer = await createDispatcher(OPTIONS).call(tool, args);
  assertEquals(answer.kind, "text");
  return JSON.parse(answer.kind === "text" ? answer.text : "");
}

Deno.test("dispatch: light tools answer synchronously, with 100 to 700 bytes", () => {
  const dispatcher = createDispatcher(OPTIONS);
  for (const tool of ["status", "version", "listmodels", "health"]) {
    const answer = dispatcher.call(tool, {});
    assert(!(answer instanceof Promise), tool);
    assert(answer.kind === "text", tool);
    assert(answer.text.length > 100 && answer.text.length < 700, `${tool}: ${answer.text.length}`);
  }
});

Deno.test("dispatch: only light tools answer synchronously, under either name", () => {
  const { answersAtOnce } = createDispatcher(OPTIONS);
  const tools = ["status", "version-EXAI-WS", "chat", "debug", "none", "constructor"];
  assertEquals(tools.map(answersAtOnce), [true, true, false, false, false, false]);
});

Deno.test("dispatch: status reports the server's own state", () => {
  const state = createServerState(OPTIONS);
  state.counters.callsServed = 41;
  state.slots.acquire("127.0.0.1");
  const answer = createDispatcher(OPTIONS, state).call("status", {});
  assert(!(answer instanceof Promise) && answer.kind === "text");
  const status = JSON.parse(answer.text);
  assertEquals([status.calls_served, status.connections, status.dialect], [41, 1, "oct"]);
  assert(status.uptime_seconds >= 0 && status.memory.rss_bytes > 0);
});

Deno.test("dispatch: version, listmodels and health describe the server", async () => {
  assertEquals((await textOf("version")).runtime, `deno ${Deno.version.deno}`);
  assertEquals((await textOf("listmodels")).count, 3);
  const checks = (await textOf("health")).checks as Record<string, Record<string, unknown>>;
  assertEquals([checks.connections.open, checks.connections.limit], [0, 1000]);
});

Deno.test("dispatch: heavy tools answer asynchronously, about the text of the call", async () => {
  assertInstanceOf(createDispatcher(OPTIONS).call("chat", { prompt: "hi" }), Promise);
  const answer = await textOf("analyze", { input: "one two two" });
  assertEquals([answer.words, answer.distinct_words, answer.think_ms], [3, 2, 1]);
});

Deno.test("dispatch: unknown tools, bad arguments and raised errors are reported", async () => {
  const cases: [string, Record<string, unknown>, unknown][] = [
    ["x", {}, { kind: "toolNotFound", tool: "x" }],
    ["status_EXAI-WS-VSCode1", {}, { kind: "toolNotFound", tool: "status_EXAI-WS-VSCode1" }],
    ["chat", {}, { kind: "invalidArguments", message: "prompt is required" }],
    ["chat", { prompt: 1 }, { kind: "invalidArguments", message: "prompt must be a string" }],
    ["chat", { prompt: "" }, {
      kind: "invalidArguments",
      message: "prompt must be a text that is not empty",
    }],
    ["chat", { prompt: "a", temperature: 2 }, {
      kind: "invalidArguments",
      message: "temperature must be a number from 0 to 1",
    }],
    ["analyze", { input: "a", depth: "abyss" }, {
      kind: "invalidArguments",
      message: "depth must be one of quick, standard, deep",
    }],
    ["debug", { error: "e", raise: "broken" }, { kind: "raised", message: "broken" }],
  ];
  for (const [tool, args, expected] of cases) {
    assertEquals<unknown>(await createDispatcher(OPTIONS).call(tool, args), expected);
  }
});

Deno.test("dispatch: an aborted heavy call reports progress, then ends as raised", async () => {
  const abort = new AbortController();
  const options = defaultServerOptions({
    think: { chat: { medianMs: 60_000, sigma: 0 } },
    progressIntervalMs: 1,
  });
  const answer = await createDispatcher(options).call("chat", { prompt: "a" }, {
    signal: abort.signal,
    onProgress: () => abort.abort(new Error("enough")),
  });
  assertEquals(answer, { kind: "raised", message: "enough" });
});

Deno.test("dispatch: a blocking tool finishes thinking before the call returns", async () => {
  const think = { chat: { medianMs: 30, sigma: 0 } };
  for (const thinkMode of ["wait", "block"] as const) {
    const dispatcher = createDispatcher(defaultServerOptions({ think, thinkMode }));
    let isOver = false;
    const answer = Promise.resolve(dispatcher.call("chat", { prompt: "a" })).then((one) => {
      isOver = true;
      return one.kind;
    });
    // Only a finished call can settle within these few turns.
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
    assertEquals(isOver, thinkMode === "block");
    assertEquals(await answer, "text");
  }
});

Deno.test("tool names: one known suffix is stripped from the end, nothing else", () => {
  for (const suffix of ["-EXAI-WS", "_EXAI-WS", "_EXAI_WS", "-EXAI_WS"]) {
    assertEquals(stripToolSuffix(`status${suffix}`), "status");
    assertEquals(stripToolSuffix(`status${suffix}${suffix}`), `status${suffix}`);
  }
  for (const name of ["status", "status_EXAI-WS-VSCode1", "-EXAI-WS-status", "status-exai-ws"]) {
    assertEquals(stripToolSuffix(name), name);
  }
});

Deno.test("think times: the same seed draws the same times, with the requested median", () => {
  const draw = (seed: number) => {
    const next = createThinkTimes({ medianMs: 200, sigma: 0.5 }, seed);
    return Array.from({ length: 2001 }, next);
  };
  assertEquals(draw(7), draw(7));
  assert(draw(7)[0] !== draw(8)[0]);
  const sorted = draw(7).sort((a, b) => a - b);
  assert(Math.abs(sorted[1000] - 200) < 15, `median ${sorted[1000]}`);
  // exp(0.5 * 1.2816): the 90th percentile over the median.
  assert(Math.abs(sorted[1800] / 200 - 1.898) < 0.2, `p90 ${sorted[1800]}`);
});
