import { assert, assertEquals, assertRejects } from "@std/assert";
import { load } from "js-yaml";
import ci from "../../docs/ci.md" with { type: "text" };
import { REPORT_FORMATS, reportFileNames, type ReportFormat } from "../../lib/cli/write_reports.ts";
import { EXIT } from "../../lib/run/verdict.ts";
import { callsOf, checkAbCall, checkBenchCall, optionOf } from "../support/docs_commands.ts";

interface Step {
  name?: string;
  uses?: string;
  run?: string;
  id?: string;
  if?: string;
  with?: Record<string, string>;
  "working-directory"?: string;
}

type Jobs = Record<string, { if: string; steps: Step[] }>;

const [, yaml] = /```yaml\n([\s\S]*?)```/.exec(ci)!;
const { jobs: JOBS } = load(yaml!) as { jobs: Jobs };

/** The script of a step, with each conditional GitHub expression replaced by its true value. */
function scriptOf({ run = "" }: Step): string {
  return run.replace(/\$\{\{[^}]*&& '([^']*)'[^}]*\}\}/g, "$1");
}

/** The step whose script calls a task, and the arguments of that call. */
function stepOf(job: string, task: string): { step: Step; index: number; args: string[] } {
  const { steps } = JOBS[job]!;
  const index = steps.findIndex((step) => callsOf(scriptOf(step), task).length > 0);
  assert(index >= 0, `${job}: ${task}`);
  const step = steps[index]!;
  return { step, index, args: callsOf(scriptOf(step), task)[0]! };
}

function stepNamed(job: string, uses: string): Step {
  const step = JOBS[job]!.steps.find((step) => step.uses?.startsWith(`${uses}@`));
  assert(step !== undefined, uses);
  return step;
}

Deno.test("docs/ci.md: pull requests compare two started builds with a valid call of ab", async () => {
  assertEquals(JOBS.compare!.if, "github.event_name == 'pull_request'");
  const { args, index } = stepOf("compare", "ab");
  await checkAbCall(args);
  const paths = JOBS.compare!.steps.slice(0, index).flatMap((step) => step.with?.path ?? []);
  for (const [side, path] of [["start-a", "old"], ["start-b", "new"]] as const) {
    const command = optionOf(args, side)!;
    assert(command.includes("{port}") && command.includes(`$GITHUB_WORKSPACE/${path}/`), command);
    assert(paths.includes(path), path);
  }
  assertEquals(optionOf(args, "baseline"), null);
});

Deno.test("docs/ci.md: an invalid call of ab is detected", async () => {
  for (const wrong of ["--a ws://x --rounds 5", "--url ws://x", "--epochs x"]) {
    await assertRejects(() => checkAbCall(wrong.split(" ")), Error, undefined, wrong);
  }
});

Deno.test("docs/ci.md: runs of main are compared with a folder of reports, which they extend", async () => {
  assertEquals(JOBS.track!.if, "github.event_name != 'pull_request'");
  const { steps } = JOBS.track!;
  const { args, index, step } = stepOf("track", "bench");
  await checkBenchCall(args);
  const folder = optionOf(args, "baseline")!;
  const [restore, save] = ["restore", "save"].map((what) =>
    stepNamed("track", `actions/cache/${what}`)
  );
  const place = `${step["working-directory"]}/${folder}`;
  assertEquals([restore!.with!.path, save!.with!.path], [place, place]);
  assertEquals(restore!.with!.key, save!.with!.key);
  assert(save!.with!.key!.startsWith(restore!.with!["restore-keys"]!));
  const add = steps.find(({ run }) => run?.includes("cp reports/report.json"))!;
  assertEquals(add["working-directory"], step["working-directory"]);
  assert(add.run!.includes(`"${folder}/`), "each report needs its own name");
  const kept = Number(/head -n -(\d+)/.exec(add.run!)![1]);
  assert(kept >= 4, "enough reports to learn the noise");
  assert(steps.indexOf(restore!) < index && index < steps.indexOf(add));
  assert(steps.indexOf(add) < steps.indexOf(save!));
  for (const later of [add, save!]) {
    assertEquals(later.if, undefined, "only after a run that passed");
  }
});

Deno.test("docs/ci.md: every referenced step exists, and reports are always uploaded", () => {
  for (const { steps } of Object.values(JOBS)) {
    for (const [, id] of JSON.stringify(steps).matchAll(/steps\.(\w+)\.outputs/g)) {
      assert(steps.some((step) => step.id === id), id);
    }
    const upload = steps.find(({ uses }) => uses?.startsWith("actions/upload-artifact@"))!;
    assertEquals([upload.if, upload.with!.path], ["always()", "bench/reports"]);
    for (const step of steps.filter(({ run }) => run?.includes("deno task"))) {
      assertEquals(step["working-directory"], "bench", step.name);
    }
  }
});

Deno.test("docs/ci.md: every format and the files it writes are named, and no other files", () => {
  for (const format of REPORT_FORMATS) {
    assert(ci.includes(`\`${format}\``), format);
    for (const name of reportFileNames(format)) assert(ci.includes(`\`${name}\``), name);
  }
  const written = REPORT_FORMATS.flatMap(reportFileNames);
  const used = [...ci.matchAll(/(?:reports|merged)\/([\w-]+\.\w+)/g)].map(([, name]) => name!);
  assert(used.length > 5);
  for (const name of used) assert(written.includes(name), name);
});

Deno.test("docs/ci.md: every file that a job reads is one that its run writes", () => {
  for (const [job, task] of [["compare", "ab"], ["track", "bench"]] as const) {
    const formats = optionOf(stepOf(job, task).args, "format")!.split(",") as ReportFormat[];
    const written = formats.flatMap(reportFileNames);
    const taken = [...JSON.stringify(JOBS[job]).matchAll(/reports\/([\w-]+\.\w+)/g)];
    for (const [, name] of taken) assert(written.includes(name!), `${job}: ${name}`);
    assert(written.includes("report.json") && written.includes("junit.xml"), job);
  }
});

Deno.test("docs/ci.md: exactly the exit codes of the program are listed", () => {
  const codes = [...ci.matchAll(/^\|\s*(\d+) \|/gm)].map(([, code]) => Number(code));
  assertEquals(codes.toSorted((a, b) => a - b), Object.values(EXIT).toSorted((a, b) => a - b));
});
