/** Writes a line to stdout. */
export function printLine(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

/** Writes a row of a markdown table to stdout. */
export function printRow(...cells: readonly string[]): void {
  printLine(`| ${cells.join(" | ")} |`);
}
