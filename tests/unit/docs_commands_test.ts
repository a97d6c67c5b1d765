import { assert, assertEquals } from "@std/assert";
import ciScript from "../../.ci/run" with { type: "text" };
import contributing from "../../CONTRIBUTING.md" with { type: "text" };
import architecture from "../../docs/architecture.md" with { type: "text" };
import ci from "../../docs/ci.md" with { type: "text" };
import faq from "../../docs/faq.md" with { type: "text" };
import firstRun from "../../docs/first-run.md" with { type: "text" };
import method from "../../docs/method.md" with { type: "text" };
import options from "../../docs/options.md" with { type: "text" };
import protocols from "../../docs/protocols.md" with { type: "text" };
import reading from "../../docs/reading-a-report.md" with { type: "text" };
import reliability from "../../docs/reliability.md" with { type: "text" };
import scaleOut from "../../docs/scale-out.md" with { type: "text" };
import troubleshooting from "../../docs/troubleshooting.md" with { type: "text" };
import project from "../../deno.json" with { type: "json" };
import security from "../../SECURITY.md" with { type: "text" };
import readme from "../../README.md" with { type: "text" };
import workloads from "../../docs/workloads.md" with { type: "text" };
import { OPTIONS } from "../../lib/cli/options.ts";
import { SERVE_OPTIONS } from "../../lib/cli/serve_command.ts";
import { callsOf, checkAbCall, checkBenchCall } from "../support/docs_commands.ts";

const PAGES: Readonly<Record<string, string>> = {
  "README.md": readme,
  "CONTRIBUTING.md": contributing,
  "SECURITY.md": security,
  "docs/architecture.md": architecture,
  "docs/ci.md": ci,
  "docs/faq.md": faq,
  "docs/first-run.md": firstRun,
  "docs/method.md": method,
  "docs/options.md": options,
  "docs/protocols.md": protocols,
  "docs/reading-a-report.md": reading,
  "docs/reliability.md": reliability,
  "docs/scale-out.md": scaleOut,
  "docs/troubleshooting.md": troubleshooting,
  "docs/workloads.md": workloads,
};

/** Options of other programs. */
const FOREIGN = new Set([
  ...["yes", "stdio", "output-transport", "outputTransport", "port", "messagePath", "logLevel"],
  ...["prefix", "type", "from-literal", "for", "timeout", "array", "dependency", "v8-flags"],
  ...["expose-gc", "parsable", "lock", "allow-all", "allow-dirty", "dry-run"],
]);
const OF_AB = ["a", "b", "start-a", "start-b", "token-b", "header-b"];

/** The shell blocks of a page, and its code spans. */
function codeOf(page: string): { blocks: string[]; spans: string[] } {
  const blocks = [...page.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, text]) => text!);
  const prose = page.replace(/```[\s\S]*?```/g, "");
  return { blocks, spans: [...prose.matchAll(/`([^`\n]+)`/g)].map(([, text]) => text!) };
}

for (const [name, page] of Object.entries(PAGES)) {
  const { blocks, spans } = codeOf(page);
  const scripts = [...blocks, ...spans.filter((span) => span.includes(" task "))];

  Deno.test(`${name}: every deno task exists, and every call of bench and ab is valid`, async () => {
    for (const [, task] of scripts.join("\n").matchAll(/\bdeno(?:@\S+)? task ([a-z:]+)/g)) {
      assert(Object.hasOwn(project.tasks, task!), task);
    }
    for (const script of scripts) {
      for (const call of callsOf(script, "bench")) {
        await checkBenchCall(call).catch((error) => {
          throw new Error(`bench ${call.join(" ")}: ${error.message}`);
        });
      }
      for (const call of callsOf(script, "ab").filter((call) => call.length > 0)) {
        await checkAbCall(call);
      }
    }
  });

  Deno.test(`${name}: every option that it names exists`, () => {
    const known = new Set([
      ...OPTIONS.keys(),
      ...SERVE_OPTIONS.map((option) => option.name),
      ...OF_AB,
      ...FOREIGN,
    ]);
    const text = [...blocks, ...spans].join("\n");
    for (const [, option] of text.matchAll(/(?:^|[\s"'(])--([a-z][\w-]*)/gm)) {
      assert(known.has(option!), option);
    }
  });

  Deno.test(`${name}: links to headings resolve`, () => {
    const folder = name.includes("/") ? "docs/" : "";
    for (const [, path, anchor] of page.matchAll(/\]\(([^)#:]*)#([^)]+)\)/g)) {
      const target = path === "" ? name : new URL(path!, `file:///${folder}`).pathname.slice(1);
      const headings = [...(PAGES[target] ?? "").matchAll(/^#+ (.*)$/gm)].map(([, title]) =>
        title!.toLowerCase().replace(/[^\w\s-]/g, "").replaceAll(" ", "-")
      );
      assert(headings.includes(anchor!), `${target}#${anchor}`);
    }
  });
}

Deno.test("README.md has at most 150 lines, and its test command is that of .ci/run", () => {
  assert(readme.split("\n").length <= 151);
  const [, develop] = readme.split("\n## Develop\n");
  const [, command] = /```sh\n(.*?task test)\b/.exec(develop!)!;
  const [, wrapper] = /^deno\(\) \{\n {2}(npx .*) "\$@"\n\}/m.exec(ciScript)!;
  const [, step] = /^step test deno (.*?) \|\|/m.exec(ciScript)!;
  assertEquals(command, `${wrapper} ${step}`);
});
