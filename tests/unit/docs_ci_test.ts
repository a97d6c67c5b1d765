import { assert, assertEquals } from "@std/assert";
import { load } from "js-yaml";
import ci from "../../docs/ci.md" with { type: "text" };
import method from "../../docs/method.md" with { type: "text" };
import project from "../../deno.json" with { type: "json" };
import readme from "../../README.md" with { type: "text" };
import { readCommand } from "../../lib/cli/config.ts";
import { runCompare, runReport } from "../../lib/cli/report_commands.ts";
import { UsageError } from "../../lib/cli/usage_error.ts";
import { REPORT_FORMATS, reportFileNames } from "../../lib/report/write.ts";
import { EXIT } from "../../lib/run/verdict.ts";
import { SCENARIOS } from "../../scenarios/mod.ts";

interface Step {
  name?: string;
  uses?: string;
  run?: string;
  id?: string;
  if?: string;
  with?: Record<string, string>;
}

function blocks(language: string): string[] {
  return [...ci.matchAll(new RegExp("```" + language + "\n([\\s\\S]*?)```", "g"))]
    .map(([, text]) => text!);
}

function workflow() {
  const [text, ...others] = blocks("yaml");
  assertEquals(others, []);
  return load(text!);
}

const STEPS: Step[] = workflow().jobs.bench.steps;

/** Shell commands, with what an expression of GitHub's gives where it is true. */
function commands(): string[] {
  const scripts = [...blocks("sh"), ...STEPS.flatMap(({ run }) => run ?? [])];
  return scripts.flatMap((script) => script.split(/\n|&&(?! ')/))
    .map((line) => line.trim().replace(/\$\{\{[^}]*&& '([^']*)'[^}]*\}\}/g, "$1"));
}

/** The arguments of every call of a task. */
function callsOf(task: string): string[][] {
  return commands().flatMap((line) => {
    const [, rest] = new RegExp(`\\bdeno(?:@\\S+)? task ${task}\\b(.*)$`).exec(line) ?? [];
    return rest === undefined ? [] : [rest.trim().split(/\s+/).filter((word) => word !== "")];
  });
}

const vocabulary = Object.fromEntries(SCENARIOS.map(({ name, metrics }) => [name, metrics]));

Deno.test("docs/ci.md: every `deno task` is a task", () => {
  const named = [...ci.matchAll(/\btask ([a-z]+)\b/g)].map(([, name]) => name!);
  assert(named.length > 5);
  for (const name of named) assert(Object.hasOwn(project.tasks, name), name);
});

Deno.test("docs/ci.md: every call of bench is one that it takes", async () => {
  const calls = callsOf("bench");
  assert(calls.length >= 5, JSON.stringify(calls));
  for (const call of calls) {
    const at = call.indexOf("--baseline");
    const args = at < 0 ? call : call.toSpliced(at, 2);
    const command = await readCommand({ args, env: {}, directory: "/", vocabulary });
    assertEquals(command.name, "bench", call.join(" "));
  }
  assert(calls.some((call) => call.includes("--baseline")));
});

Deno.test("docs/ci.md: the other commands get as far as the files that they name", async () => {
  const context = { directory: "/nowhere", color: false, width: 80 };
  const missing = async (run: typeof runCompare, args: string[]) => {
    const error = await run(args, context).then(() => null, (error: Error) => error);
    assert(error instanceof UsageError, String(error));
    assert(error.message.startsWith("Cannot read the file of the argument"), error.message);
  };
  const [compares, reports] = [callsOf("compare"), callsOf("report")];
  assert(compares.length > 0 && reports.length > 0);
  for (const args of compares) await missing(runCompare, args);
  for (const args of reports) await missing(runReport, args);
});

Deno.test("docs/ci.md: the files of a format are those that it writes, and all are named", () => {
  const written = REPORT_FORMATS.flatMap(reportFileNames);
  for (const name of written) assert(ci.includes(`\`${name}\``), name);
  const used = [...ci.matchAll(/reports\/(?:old\/|new\/)?([\w-]+\.\w+)/g)].map(([, name]) => name!);
  assert(used.length > 5);
  for (const name of used) assert(written.includes(name), name);
  for (const format of REPORT_FORMATS) assert(ci.includes(`\`${format}\``), format);
});

Deno.test("docs/ci.md: what a step of the workflow takes, the run before it writes", () => {
  const bench = STEPS.find(({ run }) => run?.includes("task bench"))!;
  const [, formats] = /--format (\S+)/.exec(bench.run!)!;
  const written = formats!.split(",").flatMap((format) =>
    reportFileNames(format as typeof REPORT_FORMATS[number])
  );
  const taken = STEPS.flatMap((step) => [
    ...Object.values(step.with ?? {}).filter((value) => String(value).startsWith("reports/")),
    ...(/cp (\S+)/.exec(step.run ?? "")?.slice(1) ?? []),
  ]);
  assertEquals(taken.length, 3);
  for (const path of taken) assert(written.includes(path.replace("reports/", "")), path);
  const [restore, save] = ["restore", "save"].map((what) =>
    STEPS.find(({ uses }) => uses?.startsWith(`actions/cache/${what}@`))!
  );
  assertEquals(restore!.with!.path, save!.with!.path);
  assertEquals(restore!.with!.key, save!.with!.key);
  assert(save!.with!.key!.startsWith(restore!.with!["restore-keys"]!));
  for (const [, id] of JSON.stringify(STEPS).matchAll(/steps\.(\w+)\.outputs/g)) {
    assert(STEPS.some((step) => step.id === id), id);
  }
  assert(STEPS.indexOf(restore!) < STEPS.indexOf(bench));
  assert(STEPS.indexOf(bench) < STEPS.indexOf(save!));
});

Deno.test("docs/ci.md: every exit code has its line, and no other", () => {
  const codes = [...ci.matchAll(/^\|\s*(\d+) \|/gm)].map(([, code]) => Number(code));
  assertEquals(codes.toSorted((a, b) => a - b), Object.values(EXIT).toSorted((a, b) => a - b));
});

Deno.test("docs/ci.md: its figures of power are those of docs/method.md, and its links lead there", () => {
  const cell = (noise: string, column: number) =>
    method.split("\n").find((line) => new RegExp(`^\\|\\s+${noise} % \\|`).test(line))!
      .split("|")[column]!.split("/")[1]!.trim();
  assertEquals([cell("5", 4), cell("5", 6), cell("8", 6)], ["72.9 %", "93.7 %", "62.4 %"]);
  for (const part of ["10 rounds find three of four", "20 rounds 94 %", "20 rounds find 62 %"]) {
    assert(ci.replace(/\s+/g, " ").includes(part), part);
  }
  assert(ci.includes("(method.md#comparison)") && /^## Comparison$/m.test(method));
  assert(readme.includes("(docs/ci.md)"));
});
