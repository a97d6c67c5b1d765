import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import {
  drawDuration,
  type Duration,
  fillPrevious,
  meanDuration,
  meanThinkMs,
} from "../../lib/load/session.ts";
import { randomStream } from "../../lib/stats/random.ts";

Deno.test("think times have the mean of their distribution, and repeat with the seed", () => {
  const durations: Duration[] = [
    { kind: "constant", ms: 40 },
    { kind: "exponential", meanMs: 40 },
    { kind: "logNormal", medianMs: 40, sigma: 0.5 },
  ];
  for (const duration of durations) {
    const draw = () => {
      const random = randomStream(7, "think");
      return Array.from({ length: 20_000 }, () => drawDuration(duration, random));
    };
    const drawn = draw();
    const mean = drawn.reduce((sum, ms) => sum + ms, 0) / drawn.length;
    // About five standard errors.
    assertAlmostEquals(mean, meanDuration(duration), 1.5, duration.kind);
    assert(drawn.every((ms) => ms >= 0));
    assertEquals(draw(), drawn);
  }
});

Deno.test("the mean think time is per call, with patterns weighted", () => {
  const step = (ms: number) => ({
    ...{ tool: "t", argsJson: "{}", timeoutMs: null, onError: "continue" as const },
    think: { kind: "constant" as const, ms },
  });
  const patterns = [
    { name: "a", weight: 3, steps: [step(100)] },
    { name: "b", weight: 1, steps: [step(10), step(20), step(30)] },
  ];
  const lasts = { patterns: 1, time: null };
  assertEquals(meanThinkMs({ begin: [step(9e9)], patterns, lasts }), 60);
});

Deno.test("{previous.path} inserts a value of the previous reply, also within text or from nested JSON", () => {
  const content = [{ text: '{"id":"a\\"b","n":[1,2]}' }];
  const reply = JSON.stringify({ result: { content, n: 5, no: null } });
  const cases: [args: string, filled: string | null][] = [
    ['{"n":"{previous.result.n}"}', '{"n":5}'],
    ['{"n":"no {previous.result.n}!"}', '{"n":"no 5!"}'],
    ['{"n":"{previous.result.content.0.text.id}"}', '{"n":"a\\"b"}'],
    ['{"n":"x {previous.result.content.0.text.id}"}', '{"n":"x a\\"b"}'],
    ['{"n":"{previous.result.content.0.text.n}"}', '{"n":[1,2]}'],
    ['{"n":"{previous.result.no}"}', '{"n":null}'],
    ['{"n":"{previous.result.missing}"}', null],
    ['{"n":"{previous.result.n.deeper}"}', null],
    ['{"n":"{previous.result.toString}"}', null],
    ['{"n":"{seq}"}', '{"n":"{seq}"}'],
  ];
  for (const [args, filled] of cases) assertEquals(fillPrevious(args, reply), filled, args);
  assertEquals(fillPrevious('{"n":"{previous.a}"}', null), null);
  assertEquals(fillPrevious('{"n":"{previous.a}"}', "not JSON"), null);
});
