import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { readHeavyTools, readWorkload } from "../../lib/cli/workload_file.ts";
import { UsageError } from "../../lib/cli/usage_error.ts";
import { makeTempFolder, NO_FILES as ignore } from "../support/files.ts";

/** Reads this text as the file of `--heavy-tools tools.json`. */
async function readTools(text: string) {
  await using folder = await makeTempFolder({ "tools.json": text });
  const given = { source: "--heavy-tools", text: "tools.json" };
  return await readHeavyTools(given, { directory: folder.path });
}

Deno.test("heavy tools: a file is read, with defaults", { ignore }, async () => {
  const counts = { weight: 3, repetitions: 4 };
  const tools = [
    { tool: "chat", arguments: { prompt: "p {unique}" }, timeoutSeconds: 2.5, ...counts },
    { tool: "my.tool_EXAI-WS" },
  ];
  assertEquals(await readTools(JSON.stringify(tools)), [
    { tool: "chat", argsJson: '{"prompt":"p {unique}"}', timeoutMs: 2500, ...counts },
    { tool: "my.tool_EXAI-WS", argsJson: "{}", timeoutMs: 60_000, weight: 1, repetitions: 1 },
  ]);
});

Deno.test("heavy tools: errors name file, field and what is accepted", { ignore }, async () => {
  const cases: [unknown, string][] = [
    [{}, "its content is {}: accepted is a list of one or more tools"],
    [[], "its content is []: accepted is a list of one or more tools"],
    [["chat"], '[0] is "chat": accepted is an object with tool, arguments'],
    [[{}], "[0].tool is missing: accepted is "],
    [[{ tool: 1 }], "[0].tool is 1: accepted is a name of up to 64 letters"],
    [[{ tool: "a b" }], '[0].tool is "a b": accepted is a name'],
    [[{ tool: "a@8" }], '[0].tool is "a@8": accepted is a name'],
    [[{ tool: "a", arguments: [] }], "[0].arguments is []: accepted is an object, such as"],
    [
      [{ tool: "a", timeoutSeconds: 0 }],
      "[0].timeoutSeconds is 0: accepted is a number of seconds",
    ],
    [[{ tool: "a", timeoutSeconds: 3601 }], "[0].timeoutSeconds is 3601: accepted is"],
    [
      [{ tool: "a" }, { tool: "b", weight: 1.5 }],
      "[1].weight is 1.5: accepted is a whole number from 1",
    ],
    [[{ tool: "a", weight: 0 }], "[0].weight is 0: accepted is a whole number from 1 to 100"],
    [
      [{ tool: "a", repetitions: "3" }],
      '[0].repetitions is "3": accepted is a whole number from 1',
    ],
    [[{ tool: "a", repetition: 3 }], "[0].repetition is "],
    [[{ tool: "a" }, { tool: "a" }], '[1].tool is "a": accepted is each tool once'],
  ];
  for (const [content, expected] of cases) {
    const { message } = await assertRejects(() => readTools(JSON.stringify(content)), UsageError);
    assertStringIncludes(message, 'Cannot use the file of --heavy-tools "tools.json": ');
    assertStringIncludes(message, expected);
  }
  const { message } = await assertRejects(() => readTools("[{"), UsageError);
  assertStringIncludes(message, "it is neither JSON nor YAML");
});

Deno.test("heavy tools: a missing file is named", { ignore }, async () => {
  const { message } = await assertRejects(
    () => readHeavyTools({ source: "--heavy-tools", text: "none.json" }, { directory: "/nowhere" }),
    UsageError,
  );
  assertStringIncludes(message, 'Cannot read the file of --heavy-tools "none.json"');
});

/** Reads this text as the file of `--workload work.yaml`. */
async function readWork(text: string) {
  await using folder = await makeTempFolder({ "work.yaml": text });
  return await readWorkload({ source: "--workload", text: "work.yaml" }, {
    directory: folder.path,
  });
}

Deno.test("workload: a YAML file can set every field", { ignore }, async () => {
  const work = await readWork(`
session:
  begin:
    - tool: hello
      think: 0
  patterns: 20
  time: { exponential: 60 }
think: { logNormal: { median: 2, sigma: 0.5 } }
onError: retry
timeoutSeconds: 30
patterns:
  - name: ask
    weight: 3
    steps:
      - tool: chat
        arguments: { prompt: "call {unique}", day: 2026-01-01 }
      - tool: more
        arguments: { of: "{previous.result.id}" }
        think: { exponential: 1.5 }
        onError: end
        timeoutSeconds: 5
  - steps: [{ tool: a }, { tool: b }]
`);
  const common = {
    think: { kind: "logNormal", medianMs: 2_000, sigma: 0.5 },
    timeoutMs: 30_000,
    onError: "retry",
  } as const;
  assertEquals(work, {
    begin: [{ ...common, tool: "hello", argsJson: "{}", think: { kind: "constant", ms: 0 } }],
    lasts: { patterns: 20, time: { kind: "exponential", meanMs: 60_000 } },
    patterns: [
      {
        name: "ask",
        weight: 3,
        steps: [
          { ...common, tool: "chat", argsJson: '{"prompt":"call {unique}","day":"2026-01-01"}' },
          {
            tool: "more",
            argsJson: '{"of":"{previous.result.id}"}',
            think: { kind: "exponential", meanMs: 1_500 },
            timeoutMs: 5_000,
            onError: "end",
          },
        ],
      },
      {
        name: "a, b",
        weight: 1,
        steps: ["a", "b"].map((tool) => ({ ...common, tool, argsJson: "{}" })),
      },
    ],
  });
});

Deno.test("workload: a minimal file and a list of tools get defaults", { ignore }, async () => {
  const second = { kind: "constant", ms: 1_000 } as const;
  const rest = { argsJson: "{}", timeoutMs: null, onError: "continue" } as const;
  const endless = { patterns: null, time: null };
  assertEquals(await readWork('{"patterns":[{"steps":[{"tool":"a"}]}]}'), {
    begin: [],
    lasts: endless,
    patterns: [{ name: "a", weight: 1, steps: [{ ...rest, tool: "a", think: second }] }],
  });
  const listed = await readWork('[{"tool":"a","weight":3,"timeoutSeconds":5,"repetitions":2}]');
  assertEquals(listed, {
    begin: [],
    lasts: endless,
    patterns: [{
      name: "a",
      weight: 3,
      steps: [{
        ...rest,
        tool: "a",
        timeoutMs: 5_000,
        think: { kind: "exponential", meanMs: 1_000 },
      }],
    }],
  });
});

Deno.test("workload: errors name file, field, value and what is accepted", { ignore }, async () => {
  const one = '{"patterns":[{"steps":[{"tool":"a"';
  const cases: [text: string, expected: string][] = [
    ["", "its content is missing: accepted is a list of tools, or an object with patterns"],
    ["5", "its content is 5: accepted is a list of tools, or an object with patterns"],
    ["{}", "patterns is missing: accepted is "],
    ['{"patterns":[]}', "patterns is []: accepted is a list of one or more patterns"],
    ['{"patterns":[{}]}', "patterns[0].steps is missing: accepted is "],
    [
      '{"patterns":[{"steps":[]}]}',
      "patterns[0].steps is []: accepted is a list of one or more steps",
    ],
    [
      '{"patterns":[{"steps":["a"]}]}',
      'patterns[0].steps[0] is "a": accepted is an object with tool',
    ],
    [
      '{"patterns":[{"weight":0,"steps":[{"tool":"a"}]}]}',
      "patterns[0].weight is 0: accepted is a whole",
    ],
    [
      '{"patterns":[{"steps":[{"tool":"x y"}]}]}',
      'patterns[0].steps[0].tool is "x y": accepted is a name',
    ],
    [`${one},"think":-1}]}]}`, "patterns[0].steps[0].think is -1: accepted is a number of seconds"],
    [
      `${one},"think":"1s"}]}]}`,
      'patterns[0].steps[0].think is "1s": accepted is a number of seconds',
    ],
    [
      `${one},"think":{"exponential":-1}}]}]}`,
      "accepted is a number of seconds from 0 to 86400, or one of",
    ],
    [
      `${one},"think":{"uniform":1}}]}]}`,
      "accepted is a number of seconds from 0 to 86400, or one of",
    ],
    [
      `${one},"onError":"stop"}]}]}`,
      'steps[0].onError is "stop": accepted is one of continue, end, retry',
    ],
    [`${one},"args":{}}]}]}`, "steps[0].args"],
    [
      `${one},"timeoutSeconds":0}]}]}`,
      "steps[0].timeoutSeconds is 0: accepted is a number of seconds",
    ],
    [
      `${one}}]}],"session":{"patterns":0}}`,
      "session.patterns is 0: accepted is a whole number from 1",
    ],
    [`${one}}]}],"session":{"begin":5}}`, "session.begin is 5: accepted is a list of steps"],
    [`${one}}]}],"sesion":{}}`, "sesion"],
    ["patterns: [", "it is neither JSON nor YAML: "],
    ["[{}]", "[0].tool is missing: accepted is "],
  ];
  for (const [text, expected] of cases) {
    const { message } = await assertRejects(() => readWork(text), UsageError, undefined, text);
    assertStringIncludes(message, 'Cannot use the file of --workload "work.yaml": ', text);
    assertStringIncludes(message, expected, text);
  }
});
