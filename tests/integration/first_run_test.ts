import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import firstRun from "../../docs/first-run.md" with { type: "text" };
import { DIALECTS } from "../../lib/server/options.ts";
import { callsOf } from "../support/docs_commands.ts";
import { makeUserFolder, NEEDS_PROCESSES, runCli, startServe } from "../support/run_cli.ts";

/** A step of docs/first-run.md, and the calls of its shell blocks. */
function step(title: string): { serve: string[][]; bench: string[][]; text: string } {
  const text = firstRun.split("\n## An EXAI server\n")[1]!.split("\n## ")[0]!
    .split("\n### ").find((one) => one.startsWith(title))!;
  const blocks = [...text.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block]) => block!);
  const calls = (task: string) => blocks.flatMap((block) => callsOf(block, task));
  return { serve: calls("serve"), bench: calls("bench"), text };
}

/** Arguments of the page's server, on a free port and in this dialect. */
function serveArgs(args: readonly string[], dialect: string): string[] {
  const replaced = ["--port", "--dialect"];
  const kept = args.filter((arg, index) =>
    !replaced.includes(arg) && !replaced.includes(args[index - 1]!)
  );
  return [...kept, "--dialect", dialect];
}

const TOKEN = "a-token-of-16-chars";
const SHORT = [
  ...["--scenarios", "message-throughput", "--epochs", "1", "--warmup", "0"],
  ...["--duration", "0.02", "--timeout", "2"],
];

for (const dialect of DIALECTS) {
  Deno.test(`first-run.md works for the owner of a ${dialect} server`, {
    ignore: NEEDS_PROCESSES,
  }, async () => {
    await using folder = await makeUserFolder();
    const [, address] = /```sh\n(EXAI_WS_HOST=[\s\S]*?)```/.exec(step("1. Its address").text)!;
    const caches = step("4. Caches").bench;
    const lifted = step("3. Without its limits");
    const age = step("5. Age: restart it");
    const walk: [string[], string[][]][] = [
      // The other calls wait for refills: the rate-limit tests cover them.
      [[], step("2. With its limits").bench.slice(0, 1)],
      dialect === "nov"
        ? [lifted.serve[0]!, [...lifted.bench, ...caches]]
        : [age.serve[0]!, age.bench],
    ];
    for (const [server, calls] of walk) {
      await using running = await startServe(serveArgs(server, dialect), {
        folder: folder.path,
        env: { EXAI_WS_TOKEN: TOKEN },
      });
      await folder.write(".env", address!.replace("8079", new URL(running.url).port));
      for (const call of calls) {
        const { code, stderr } = await runCli([...call, ...SHORT], { folder: folder.path });
        assertEquals(code, 0, `${call.join(" ")}: ${stderr}`);
        const { target, rateLimit } = await folder.report();
        assertEquals(target.url, running.url);
        if (server.length === 0) assert(rateLimit!.keptToPerSecond! > 0);
        if (dialect === "nov" && !call.join().includes("unique")) {
          assertStringIncludes(target.uniqueArguments ?? "", "{unique}");
        }
      }
    }
  });
}
