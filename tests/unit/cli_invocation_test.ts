import { assertEquals } from "@std/assert";
import project from "../../deno.json" with { type: "json" };
import { asInvoked, invocation, permissionsText } from "../../lib/cli/invocation.ts";

Deno.test("invocation: a command is called by its task, or by its name in the single-file build", () => {
  assertEquals(invocation("ab", false), ["deno", "task", "ab"]);
  assertEquals(invocation("ab", true).join(" "), "deno run -A exai-ws-bench.js ab");
  assertEquals(invocation("bench", true).join(" "), "deno run -A exai-ws-bench.js");
  const text = "deno task bench --url U, deno task merge; deno task's echo, deno task test";
  assertEquals(asInvoked(text, false), text);
  assertEquals(
    asInvoked(text, true),
    "deno run -A exai-ws-bench.js --url U, deno run -A exai-ws-bench.js merge; deno task's echo, deno task test",
  );
});

Deno.test("permissions: each command has the permissions and flags of its task", () => {
  const tasks = permissionsText({
    tasks: {
      bench: { command: "deno run -q --no-prompt -P=some --v8-flags=--x main.ts" },
      merge: { command: "deno run -q --no-prompt -P=few main.ts merge" },
      test: { command: "deno test -q" },
    },
    permissions: { some: { net: true, env: ["A", "B"] }, few: { read: true } },
  });
  assertEquals(
    tasks,
    "bench:\n  deno run --no-prompt --allow-net --allow-env=A,B --v8-flags=--x exai-ws-bench.js\n\n" +
      "merge:\n  deno run --no-prompt --allow-read exai-ws-bench.js merge\n",
  );
  const started = Object.values(project.tasks).filter(({ command }) => / main\.ts\b/.test(command));
  // docs:sample is not for users, and bench:open is bench with one more option.
  assertEquals(permissionsText(project).split(":\n  deno run ").length - 1, started.length - 2);
});
