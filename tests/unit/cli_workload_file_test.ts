import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { readHeavyTools } from "../../lib/cli/workload_file.ts";
import { UsageError } from "../../lib/cli/usage_error.ts";

const ignore = (["read", "write"] as const).some((name) =>
  Deno.permissions.querySync({ name }).state !== "granted"
);

/** Reads a file of this text as `--heavy-tools tools.json` would. */
async function readText(text: string) {
  const directory = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${directory}/tools.json`, text);
    return await readHeavyTools({ source: "--heavy-tools", text: "tools.json" }, directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test(
  { name: "heavy tools: a file is read, what is left out has its default", ignore },
  async () => {
    const tools = [
      {
        tool: "chat",
        arguments: { prompt: "p {unique}" },
        timeoutSeconds: 2.5,
        weight: 3,
        repetitions: 4,
      },
      { tool: "my.tool_EXAI-WS" },
    ];
    assertEquals(await readText(JSON.stringify(tools)), [
      {
        tool: "chat",
        argsJson: '{"prompt":"p {unique}"}',
        timeoutMs: 2500,
        weight: 3,
        repetitions: 4,
      },
      { tool: "my.tool_EXAI-WS", argsJson: "{}", timeoutMs: 60_000, weight: 1, repetitions: 1 },
    ]);
    assertEquals(await readHeavyTools(undefined, "/"), null);
  },
);

Deno.test(
  { name: "heavy tools: an error names file, field, value and what is accepted", ignore },
  async () => {
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
      const { message } = await assertRejects(() => readText(JSON.stringify(content)), UsageError);
      assertStringIncludes(message, 'Cannot use the file of --heavy-tools "tools.json": ');
      assertStringIncludes(message, expected);
    }
    const { message } = await assertRejects(() => readText("[{"), UsageError);
    assertStringIncludes(message, "it is neither JSON nor YAML");
  },
);

Deno.test({ name: "heavy tools: a file that is not there is named", ignore }, async () => {
  const { message } = await assertRejects(
    () => readHeavyTools({ source: "--heavy-tools", text: "none.json" }, "/nowhere"),
    UsageError,
  );
  assertStringIncludes(message, 'Cannot read the file of --heavy-tools "none.json"');
});
