import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { OPTIONS } from "../../lib/cli/options.ts";
import { parseSettings, type RawSettings } from "../../lib/cli/parse.ts";
import { UsageError } from "../../lib/cli/usage_error.ts";

const FLAGS = [...OPTIONS.values()].filter(({ kind }) => kind === "flag");
const VALUES = [...OPTIONS.values()].filter(({ kind }) => kind === "value");
const LISTS = [...OPTIONS.values()].filter(({ kind }) => kind === "list");

function parse(args: string[], env: Record<string, string> = {}): RawSettings {
  return parseSettings(args, env);
}

function messageOf(args: string[], env: Record<string, string> = {}): string {
  return assertThrows(() => parse(args, env), UsageError).message;
}

Deno.test("parse: no argument and no variable is nothing given", () => {
  const { flags, values, lists } = parse([]);
  assertEquals([flags.size, values.size, lists.size], [0, 0, 0]);
});

Deno.test("parse: every option takes its value after a space and after an equals sign", () => {
  for (const { name } of [...VALUES, ...LISTS]) {
    for (const args of [[`--${name}`, "a b=c"], [`--${name}=a b=c`]]) {
      const { values, lists } = parse(args);
      assertEquals(values.get(name) ?? lists.get(name)?.[0], {
        source: `--${name}`,
        text: "a b=c",
      });
    }
  }
});

Deno.test("parse: every flag is set alone, and takes no argument away", () => {
  for (const { name } of FLAGS) {
    assertEquals([...parse([`--${name}`]).flags], [name]);
    assertStringIncludes(messageOf([`--${name}`, "stray"]), '"stray"');
  }
  assertEquals([...parse(["-h"]).flags], ["help"]);
});

Deno.test("parse: a value may look like a number, and begin with a dash after an equals sign", () => {
  const { values } = parse(["--epochs", "007", "--seed=-3", "--tool", "1e3", "--token=--x"]);
  assertEquals([...values.values()].map(({ text }) => text), ["--x", "1e3", "007", "-3"]);
});

Deno.test("parse: of a repeated value the last wins, a repeated list keeps all", () => {
  const { values, lists } = parse([
    "--epochs",
    "1",
    "--header",
    "A: 1",
    "--epochs=2",
    "--header=B: 2",
  ]);
  assertEquals(values.get("epochs")?.text, "2");
  assertEquals(lists.get("header")?.map(({ text }) => text), ["A: 1", "B: 2"]);
});

Deno.test("parse: a missing value names the option and what it takes", () => {
  for (const { name, value } of [...VALUES, ...LISTS]) {
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
  for (const { name, kind, env } of OPTIONS.values()) {
    if (env === undefined) continue;
    const found = parse([], { [env]: "from-env" });
    if (kind === "flag") assertEquals([...found.flags], [name]);
    else {
      assertEquals(found.values.get(name), { source: env, text: "from-env" });
      const both = parse([`--${name}`, "from-option"], { [env]: "from-env" });
      assertEquals(both.values.get(name), { source: `--${name}`, text: "from-option" });
    }
    assertEquals(parse([], { [env]: "" }), parse([]));
  }
});

Deno.test("parse: names of options that JavaScript objects have are unknown too", () => {
  for (const name of ["__proto__", "constructor", "toString", "_"]) {
    assertStringIncludes(messageOf([`--${name}=1`]), "Unknown option");
  }
});
