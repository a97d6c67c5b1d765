import { assert, assertEquals } from "@std/assert";
import { readdir } from "node:fs/promises";
import troubleshooting from "../../docs/troubleshooting.md" with { type: "text" };
import { PROJECT_FOLDER } from "../support/run_cli.ts";
import { NO_READ as ignore } from "../support/files.ts";

/** First cells of the tables under a heading, without the header row. */
function messagesUnder(heading: string): string[] {
  const [, rest] = troubleshooting.split(`\n## ${heading}`);
  const rows = rest!.split("\n## ")[0]!.split("\n").filter((line) => line.startsWith("| "));
  return rows.slice(2).map((row) => row.split("|")[1]!.trim());
}

/** All source text, with string literals that are split over lines joined. */
async function allTexts(): Promise<string> {
  const texts: string[] = [];
  for (const folder of [`${PROJECT_FOLDER}lib`, `${PROJECT_FOLDER}scenarios`]) {
    const names = await readdir(folder, { recursive: true });
    for (const name of names.filter((name) => name.endsWith(".ts"))) {
      texts.push(await Deno.readTextFile(`${folder}/${name}`));
    }
  }
  return texts.join("\n").replace(/["`] \+\s*["`]/g, "").replace(/\$\{[^{}]*\}/g, "…")
    .replace(/\\"/g, '"');
}

/** The fixed parts of a message, between numbers, options, quoted values and punctuation. */
function partsOf(message: string): string[] {
  return message.split(/…|--[a-z-]+|"[^"]*"|\d+|[,:;()`]|\bThe server\b/).map((part) => part.trim())
    .filter((part) => part.length > 4);
}

Deno.test("docs/troubleshooting.md quotes messages of the program", { ignore }, async () => {
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
});
