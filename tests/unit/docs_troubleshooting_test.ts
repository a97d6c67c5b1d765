import { assert, assertEquals } from "@std/assert";
import troubleshooting from "../../docs/troubleshooting.md" with { type: "text" };
import { PROJECT_FOLDER } from "../support/run_cli.ts";

/** `deno task test` runs these; a bare `deno test` may not read. */
const ignore = Deno.permissions.querySync({ name: "read" }).state !== "granted";

/** The first cells of the tables under a heading, without their own. */
function messagesUnder(heading: string): string[] {
  const [, rest] = troubleshooting.split(`\n## ${heading}`);
  const rows = rest!.split("\n## ")[0]!.split("\n").filter((line) => line.startsWith("| "));
  return rows.slice(2).map((row) => row.split("|")[1]!.trim());
}

/** Every text of the program, as one: parts of a message that is broken over lines are joined. */
async function allTexts(): Promise<string> {
  const texts: string[] = [];
  async function collect(folder: string): Promise<void> {
    for await (const { name, isDirectory } of Deno.readDir(folder)) {
      if (isDirectory) await collect(`${folder}/${name}`);
      else if (name.endsWith(".ts")) texts.push(await Deno.readTextFile(`${folder}/${name}`));
    }
  }
  for (const folder of ["lib", "scenarios"]) await collect(PROJECT_FOLDER + folder);
  return texts.join("\n").replace(/["`] \+\s*["`]/g, "").replace(/\$\{[^{}]*\}/g, "…")
    .replace(/\\"/g, '"');
}

/** Of a message the parts between what differs: numbers, options, quoted values and signs. */
function partsOf(message: string): string[] {
  return message.split(/…|--[a-z-]+|"[^"]*"|\d+|[,:;()`]|\bThe server\b/).map((part) => part.trim())
    .filter((part) => part.length > 4);
}

Deno.test(
  "docs/troubleshooting.md: its messages are those of the program",
  { ignore },
  async () => {
    const texts = await allTexts();
    const messages = [
      ...messagesUnder("Exit code 3"),
      ...messagesUnder("Exit code 2"),
      ...messagesUnder("Exit code 1"),
      ...messagesUnder("The numbers look wrong").flatMap((cell) =>
        [...cell.matchAll(/"([^"]*)"/g)].map(([, message]) => message!)
      ),
    ];
    assert(messages.length > 35, String(messages.length));
    const missing = messages.flatMap(partsOf).filter((part) => !texts.includes(part));
    assertEquals(missing, []);
  },
);
