import { assert, assertEquals } from "@std/assert";
import envExample from "../../.env.example" with { type: "text" };
import options from "../../docs/options.md" with { type: "text" };
import project from "../../deno.json" with { type: "json" };
import { AB_USAGE } from "../../lib/cli/ab_command.ts";
import { PROXY_VARIABLES } from "../../lib/cli/environment.ts";
import { ENGINE_VARIABLES } from "../../lib/cli/shard_settings.ts";
import { OPTION_GROUPS } from "../../lib/cli/options.ts";
import { EPOCHS } from "../../lib/run/plan.ts";
import { EXIT } from "../../lib/run/verdict.ts";
import { SCENARIOS } from "../../scenarios/mod.ts";

/** Cells of the rows of all tables. */
const ROWS = options.split("\n").filter((line) => line.startsWith("|")).map((line) =>
  line.split(/(?<!\\)\|/).slice(1, -1).map((cell) => cell.trim())
);

/** Options named in the first cell of a row. */
const DOCUMENTED = new Set(
  ROWS.flatMap(([first]) => [...first!.matchAll(/`--([a-z-]+)/g)].map(([, name]) => name!)),
);

/** The text under a second-level heading. */
function sectionOf(title: string): string {
  const [, rest] = options.split(`\n## ${title}\n`);
  assert(rest !== undefined, title);
  return rest.split("\n## ")[0]!;
}

Deno.test("docs/options.md: each group lists exactly its options", () => {
  const groups = ["Target", "What to run", "Past one event loop", "Verdict and reports"];
  assertEquals(groups.length, OPTION_GROUPS.length);
  for (const [index, { title, options: group }] of OPTION_GROUPS.entries()) {
    assert(title.startsWith(groups[index]!), title);
    const named = [...sectionOf(groups[index]!).matchAll(/^\| `--.*$/gm)].flatMap(([row]) =>
      [...row.split("|")[1]!.matchAll(/`--([a-z-]+)/g)].map(([, name]) => name!)
    );
    assertEquals(named.toSorted(), group.map(({ name }) => name).toSorted(), title);
  }
});

Deno.test("docs/options.md: the options of ab, and those of bench that it does not accept, are listed", () => {
  const names = [...AB_USAGE.matchAll(/^ {2}--([a-z-]+)/gm)].map(([, name]) => name!);
  assert(names.includes("start-a") && names.length > 20, AB_USAGE);
  for (const name of names) assert(DOCUMENTED.has(name), name);
  const [, excepted] = /options above, except ([^:]*), and:/.exec(options.replaceAll("\n", " "))!;
  const left = OPTION_GROUPS.flatMap(({ options }) => options.map(({ name }) => name))
    .filter((name) => !names.includes(name));
  assertEquals(
    [...excepted!.matchAll(/`--([a-z-]+)`/g)].map(([, name]) => name!).toSorted(),
    left.toSorted(),
  );
});

Deno.test("docs/options.md: exactly the exit codes of the program are listed", () => {
  const codes = [...sectionOf("Exit codes").matchAll(/^\|\s*(\d+) \|/gm)].map(([, code]) =>
    Number(code)
  );
  assertEquals(codes.toSorted((a, b) => a - b), Object.values(EXIT).toSorted((a, b) => a - b));
});

Deno.test("docs/options.md: the epochs and scenarios of each profile are right", () => {
  const rows = new Map(
    ROWS.filter(([first]) => first! in EPOCHS || first!.replaceAll("`", "") in EPOCHS)
      .map((cells) => [cells[0]!.replaceAll("`", ""), cells] as const),
  );
  assertEquals([...rows.keys()].toSorted(), Object.keys(EPOCHS).toSorted());
  const named = (profile: string): string[] =>
    [...rows.get(profile)![3]!.matchAll(/`([a-z0-9-]+)`/g)].flatMap(([, name]) =>
      rows.has(name!) ? named(name!) : [name!]
    );
  for (const profile of Object.keys(EPOCHS) as (keyof typeof EPOCHS)[]) {
    assertEquals(Number(rows.get(profile)![1]), EPOCHS[profile], profile);
    const planned = SCENARIOS.filter(({ profiles }) => profiles.includes(profile))
      .map(({ name }) => name);
    assertEquals(named(profile).toSorted(), planned.toSorted(), profile);
  }
});

Deno.test("docs/options.md: the question of each scenario is right", () => {
  const questions = new Map(ROWS.map(([first, second]) => [first, second]));
  for (const { name, question } of SCENARIOS) {
    assertEquals(questions.get(`\`${name}\``), question, name);
  }
});

const isLowerCase = (name: string) => name === name.toLowerCase();

Deno.test("docs/options.md and .env.example name every variable the program reads", () => {
  const inner = new Set(["INIT_CWD", "TERM", ...PROXY_VARIABLES.filter(isLowerCase)]);
  for (const name of project.permissions.bench.env.filter((name) => !inner.has(name))) {
    const short = name.replace(/^SLURM_ARRAY_TASK(?=_(COUNT|MIN|MAX))/, "");
    assert(options.includes(`\`${short}\``), name);
  }
  const ofEngines = [...ENGINE_VARIABLES, ...PROXY_VARIABLES, "NO_COLOR", "CI"];
  const own = [...project.permissions.bench.env, ...project.permissions.serve.env]
    .filter((name) => !inner.has(name) && !ofEngines.includes(name) && !name.startsWith("GITHUB"));
  for (const name of own) assert(envExample.includes(`${name}=`), name);
});
