import { assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { AB_USAGE } from "../../lib/cli/ab_command.ts";
import * as offline from "../../lib/cli/offline_commands.ts";
import { OPTIONS, OVERRIDES, SETTINGS, USAGE } from "../../lib/cli/options.ts";
import {
  optionLines,
  optionsIn,
  type OptionSpec,
  parseSettings,
  type Settings,
} from "../../lib/cli/command_line.ts";
import { SERVE_USAGE } from "../../lib/cli/serve_command.ts";
import { UsageError } from "../../lib/cli/usage_error.ts";
import { WORKLOAD } from "../../lib/cli/workload_command.ts";

const [FLAGS, VALUED] = [true, false].map((isFlag) =>
  [...OPTIONS.values()].filter(({ value }) => (value === "") === isFlag)
) as [OptionSpec[], OptionSpec[]];

function parse(args: string[], env: Record<string, string> = {}): Settings {
  return parseSettings(args, env, { options: [...OPTIONS.values()] }).settings;
}

function textsOf(settings: Settings, name: string): string[] | undefined {
  return settings.get(name)?.map(({ text }) => text);
}

Deno.test("parse: help lines and option declarations convert into each other", () => {
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

Deno.test("options: exactly the options in the help are read", () => {
  const readers = [...Object.values(SETTINGS), ...Object.values(OVERRIDES)];
  const read = [
    ...readers.map(({ option }) => option),
    ...["list", "help", "version", "permissions"],
    ...["client-cert", "client-key", "out", "open", "no-color"],
  ];
  assertEquals(read.toSorted(), [...OPTIONS.keys()].toSorted());
  assertEquals(OPTIONS.get("header"), {
    name: "header",
    value: "'K: V'",
    help: "sent with the upgrade; repeatable",
  });
  assertEquals(OPTIONS.get("no-color")?.env, "NO_COLOR");
});

Deno.test("help: each text begins with the usage, and its options keep to their column", () => {
  const { COMPARE, MERGE, REPORT, CALIBRATE } = offline;
  const usages = [WORKLOAD, COMPARE, MERGE, REPORT, CALIBRATE].map(({ usage }) => usage);
  for (const text of [USAGE, AB_USAGE, SERVE_USAGE, ...usages]) {
    assertMatch(text, /^Usage: deno task \w+.*\n( {7}deno task .*\n)*\n\w/);
    for (const [line] of text.matchAll(/^ {2}--.*$/gm)) assertMatch(line, /^ {2}--.{25} \S/);
  }
});

function messageOf(args: string[], env: Record<string, string> = {}): string {
  return assertThrows(() => parse(args, env), UsageError).message;
}

Deno.test("parse: without arguments and variables nothing is set", () => {
  assertEquals(parse([]).size, 0);
});

Deno.test("parse: an option takes its value after a space or an equals sign", () => {
  for (const { name } of VALUED) {
    for (const args of [[`--${name}`, "a b=c"], [`--${name}=a b=c`]]) {
      assertEquals(parse(args).get(name), [{ source: `--${name}`, text: "a b=c" }]);
    }
  }
});

Deno.test("parse: a flag does not consume the next argument", () => {
  for (const { name } of FLAGS) {
    assertEquals([...parse([`--${name}`]).keys()], [name]);
    assertStringIncludes(messageOf([`--${name}`, "stray"]), '"stray"');
  }
  assertEquals([...parse(["-h"]).keys()], ["help"]);
});

Deno.test("parse: values stay text, and can begin with a dash after an equals sign", () => {
  const settings = parse(["--epochs", "007", "--seed=-3", "--tool", "1e3", "--token=--x"]);
  assertEquals(
    ["token", "tool", "epochs", "seed"].map((name) => textsOf(settings, name)),
    [["--x"], ["1e3"], ["007"], ["-3"]],
  );
});

Deno.test("parse: all values of a repeated option are kept, in order", () => {
  const settings = parse(["--epochs", "1", "--header", "A: 1", "--epochs=2", "--header=B: 2"]);
  assertEquals(textsOf(settings, "epochs"), ["1", "2"]);
  assertEquals(textsOf(settings, "header"), ["A: 1", "B: 2"]);
});

Deno.test("parse: a missing value names the option and what it takes", () => {
  for (const { name, value } of VALUED) {
    const option = `--${name}`;
    for (const args of [[option], [`${option}=`], [option, "--quiet"], [option, ""]]) {
      const message = messageOf(args);
      assertStringIncludes(message, `${option} needs a value`, args.join(" "));
      assertStringIncludes(message, `${option} ${value}`);
    }
  }
});

Deno.test("parse: an unknown option is refused with the closest known one", () => {
  assertStringIncludes(messageOf(["--epohcs", "3"]), "--epohcs: did you mean --epochs?");
  assertStringIncludes(messageOf(["--scenario=a"]), "--scenario: did you mean --scenarios?");
  assertStringIncludes(messageOf(["--no-quiet"]), "--no-quiet: did you mean --quiet?");
  assertStringIncludes(messageOf(["--tokne=secret-value"]), "--tokne: did you mean --token?");
});

Deno.test("parse: the error about an unknown option does not show its value", () => {
  assertEquals(messageOf(["--tokne=secret-value"]).includes("secret-value"), false);
});

Deno.test("parse: a single dash is refused with how to write options and values", () => {
  assertStringIncludes(messageOf(["-x"]), "options begin with two dashes");
  assertStringIncludes(messageOf(["--epochs", "-3"]), "--option=-3");
});

Deno.test("parse: a stray argument is refused, even after --", () => {
  assertStringIncludes(messageOf(["stray"]), '"stray"');
  assertStringIncludes(messageOf(["--", "stray"]), '"stray"');
  assertStringIncludes(messageOf(["--quiet", "12"]), '"12"');
});

Deno.test("parse: options after npm's -- count too", () => {
  assertEquals(parse(["--", "--epochs", "3"]), parse(["--epochs", "3"]));
});

Deno.test("parse: a variable sets its option, the option itself wins, and an empty variable is ignored", () => {
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

Deno.test("parse: names of properties that every object has are unknown options", () => {
  for (const name of ["__proto__", "constructor", "toString", "_"]) {
    assertStringIncludes(messageOf([`--${name}=1`]), "Unknown option");
  }
});
