import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { OPTIONS, OVERRIDES, SETTINGS } from "../../lib/cli/options.ts";
import {
  optionLines,
  optionsIn,
  type OptionSpec,
  parseSettings,
  type Settings,
} from "../../lib/cli/command_line.ts";
import { UsageError } from "../../lib/cli/usage_error.ts";

const [FLAGS, VALUED] = [true, false].map((isFlag) =>
  [...OPTIONS.values()].filter(({ value }) => (value === "") === isFlag)
) as [OptionSpec[], OptionSpec[]];

function parse(args: string[], env: Record<string, string> = {}): Settings {
  return parseSettings(args, env, { options: [...OPTIONS.values()] }).settings;
}

function textsOf(settings: Settings, name: string): string[] | undefined {
  return settings.get(name)?.map(({ text }) => text);
}

Deno.test("parse: a line of a help text declares an option, and is written as such", () => {
  const text = `  --plain
  --flag                      help (of two) words [A_VARIABLE]
  --header 'K: V'             sent
`;
  const options = [
    { name: "plain", value: "", help: "" },
    { name: "flag", value: "", env: "A_VARIABLE", help: "help (of two) words" },
    { name: "header", value: "'K: V'", help: "sent" },
  ];
  assertEquals(optionsIn(`Usage: x [options]\n\nTitle:\n${text}\nSee --help.`), options);
  assertEquals(optionsIn(optionLines(options)), options);
});

const TOLD = ["list", "help", "version", "permissions"];
const READ_BY_CONFIG = ["client-cert", "client-key", "out", "open", "no-color"];

Deno.test("options: every one that the help text declares is read, and no other", () => {
  const readers = [...Object.values(SETTINGS), ...Object.values(OVERRIDES)];
  const read = [...readers.map(({ option }) => option), ...TOLD, ...READ_BY_CONFIG];
  assertEquals(read.toSorted(), [...OPTIONS.keys()].toSorted());
  assertEquals(OPTIONS.get("header"), {
    name: "header",
    value: "'K: V'",
    help: "sent with the upgrade; repeatable",
  });
  assertEquals(OPTIONS.get("no-color")?.env, "NO_COLOR");
});

function messageOf(args: string[], env: Record<string, string> = {}): string {
  return assertThrows(() => parse(args, env), UsageError).message;
}

Deno.test("parse: no argument and no variable is nothing given", () => {
  assertEquals(parse([]).size, 0);
});

Deno.test("parse: every option takes its value after a space and after an equals sign", () => {
  for (const { name } of VALUED) {
    for (const args of [[`--${name}`, "a b=c"], [`--${name}=a b=c`]]) {
      assertEquals(parse(args).get(name), [{ source: `--${name}`, text: "a b=c" }]);
    }
  }
});

Deno.test("parse: every flag is set alone, and takes no argument away", () => {
  for (const { name } of FLAGS) {
    assertEquals([...parse([`--${name}`]).keys()], [name]);
    assertStringIncludes(messageOf([`--${name}`, "stray"]), '"stray"');
  }
  assertEquals([...parse(["-h"]).keys()], ["help"]);
});

Deno.test("parse: a value may look like a number, and begin with a dash after an equals sign", () => {
  const settings = parse(["--epochs", "007", "--seed=-3", "--tool", "1e3", "--token=--x"]);
  assertEquals(
    ["token", "tool", "epochs", "seed"].map((name) => textsOf(settings, name)),
    [["--x"], ["1e3"], ["007"], ["-3"]],
  );
});

Deno.test("parse: of a repeated option all are kept, in their order", () => {
  const settings = parse([
    "--epochs",
    "1",
    "--header",
    "A: 1",
    "--epochs=2",
    "--header=B: 2",
  ]);
  assertEquals(textsOf(settings, "epochs"), ["1", "2"]);
  assertEquals(textsOf(settings, "header"), ["A: 1", "B: 2"]);
});

Deno.test("parse: a missing value names the option and what it takes", () => {
  for (const { name, value } of VALUED) {
    for (
      const args of [[`--${name}`], [`--${name}=`], [`--${name}`, "--quiet"], [`--${name}`, ""]]
    ) {
      const message = messageOf(args);
      assertStringIncludes(message, `--${name} needs a value`, args.join(" "));
      assertStringIncludes(message, `--${name} ${value}`);
    }
  }
});

Deno.test("parse: an unknown option suggests the closest", () => {
  assertStringIncludes(messageOf(["--epohcs", "3"]), "--epohcs: did you mean --epochs?");
  assertStringIncludes(messageOf(["--scenario=a"]), "--scenario: did you mean --scenarios?");
  assertStringIncludes(messageOf(["--no-quiet"]), "--no-quiet: did you mean --quiet?");
  assertStringIncludes(messageOf(["--tokne=secret-value"]), "--tokne: did you mean --token?");
});

Deno.test("parse: an unknown option never shows the value that was given to it", () => {
  assertEquals(messageOf(["--tokne=secret-value"]).includes("secret-value"), false);
});

Deno.test("parse: a single dash says how options and values with dashes are written", () => {
  assertStringIncludes(messageOf(["-x"]), "options begin with two dashes");
  assertStringIncludes(messageOf(["--epochs", "-3"]), "--option=-3");
});

Deno.test("parse: a stray argument is refused, also after two dashes", () => {
  assertStringIncludes(messageOf(["stray"]), '"stray"');
  assertStringIncludes(messageOf(["--", "stray"]), '"stray"');
  assertStringIncludes(messageOf(["--quiet", "12"]), '"12"');
});

Deno.test("parse: options after npm's two dashes count, not only those before", () => {
  assertEquals(parse(["--", "--epochs", "3"]), parse(["--epochs", "3"]));
});

Deno.test("parse: a variable gives its option, which wins over it; an empty one is none", () => {
  for (const { name, value, env } of OPTIONS.values()) {
    if (env === undefined) continue;
    const found = parse([], { [env]: "from-env" });
    assertEquals(found.get(name), [{ source: env, text: "from-env" }]);
    if (value !== "") {
      const both = parse([`--${name}`, "from-option"], { [env]: "from-env" });
      assertEquals(both.get(name), [{ source: `--${name}`, text: "from-option" }]);
    }
    assertEquals(parse([], { [env]: "" }), parse([]));
  }
});

Deno.test("parse: names of options that JavaScript objects have are unknown too", () => {
  for (const name of ["__proto__", "constructor", "toString", "_"]) {
    assertStringIncludes(messageOf([`--${name}=1`]), "Unknown option");
  }
});
