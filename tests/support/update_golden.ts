/**
 * Overwrites the golden files with the present reports, and docs/report.schema.json. Review the
 * difference before you commit it.
 *
 * @module
 */

import { renderJsonSchema } from "./report_json_schema.ts";
import { GOLDEN_FOLDER, reportGoldens } from "./golden.ts";

await Deno.mkdir(GOLDEN_FOLDER, { recursive: true });
for (const { name, text } of reportGoldens()) {
  await Deno.writeTextFile(new URL(name, GOLDEN_FOLDER), text);
  await Deno.remove(new URL(`${name}.got`, GOLDEN_FOLDER)).catch(() => {});
}
await Deno.writeTextFile(
  new URL("../../docs/report.schema.json", import.meta.url),
  renderJsonSchema(),
);
