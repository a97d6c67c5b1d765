import { isRecord } from "./json.ts";
import type { ToolPage } from "./protocol.ts";

/**
 * A page of a server's tools, from what has them in its field `tools`; `null` if it has none. What has no name is left
 * out. Of the annotations only `readOnlyHint` is looked at: a tool without it may change something.
 */
export function readToolPage(body: unknown): ToolPage | null {
  if (!isRecord(body) || !Array.isArray(body.tools)) return null;
  return {
    tools: body.tools.filter(isRecord).flatMap(({ name, inputSchema, annotations }) =>
      typeof name !== "string" ? [] : [{
        name,
        inputSchema: isRecord(inputSchema) ? inputSchema : {},
        isReadOnly: isRecord(annotations) && annotations.readOnlyHint === true,
      }]
    ),
    cursor: typeof body.nextCursor === "string" ? body.nextCursor : null,
  };
}
