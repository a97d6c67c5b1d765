/**
 * Calls that a server must refuse by what it says of its own tools.
 *
 * @module
 */

import { isRecord, parseJson } from "./json.ts";
import { readToolPage } from "./listed_tools.ts";

/** What to call, and with which arguments. */
export interface ListedCall {
  tool: string;
  args: Record<string, unknown>;
}

interface ListedTool {
  name: string;
  properties: Record<string, Record<string, unknown>>;
  required: string[];
}

/** The tools of a list_tools_res; what is not as it should be is left out. */
function readTools(toolList: string | null): ListedTool[] {
  const page = toolList === null ? null : readToolPage(parseJson(toolList));
  return (page?.tools ?? []).map(({ name, inputSchema: { properties, required } }) => {
    const known = isRecord(properties)
      ? Object.entries(properties).flatMap(([key, value]) => isRecord(value) ? [[key, value]] : [])
      : [];
    return {
      name,
      properties: Object.fromEntries(known),
      required: Array.isArray(required) ? required.filter((one) => typeof one === "string") : [],
    };
  });
}

/** Arguments of text for all that the tool requires; `null` if it requires anything else. */
function requiredTexts({ properties, required }: ListedTool): Record<string, string> | null {
  const isText = required.every((name) =>
    properties[name]?.type === "string" && properties[name].enum === undefined
  );
  return isText ? Object.fromEntries(required.map((name) => [name, "x"])) : null;
}

/** A value outside of the range that an argument says it has. */
function outOfRange({ type, maximum }: Record<string, unknown>): number | null {
  const isNumber = type === "number" || type === "integer";
  return isNumber && typeof maximum === "number" ? maximum + 1 : null;
}

/**
 * A call with a number above the maximum that its tool names, all else being right; `null` where no tool
 * names one.
 */
export function badArgumentCall(toolList: string | null): ListedCall | null {
  for (const tool of readTools(toolList)) {
    const texts = requiredTexts(tool);
    for (const [name, property] of Object.entries(tool.properties)) {
      const value = outOfRange(property);
      if (texts !== null && value !== null && !tool.required.includes(name)) {
        return { tool: tool.name, args: { ...texts, [name]: value } };
      }
    }
  }
  return null;
}

/** A call of a tool that raises on demand, as the reference server's `debug` does; `null`: there is none. */
export function raisingCall(toolList: string | null): ListedCall | null {
  for (const tool of readTools(toolList)) {
    const texts = requiredTexts(tool);
    if (texts !== null && tool.name === "debug" && tool.properties.raise?.type === "string") {
      return { tool: tool.name, args: { ...texts, raise: "raised on demand" } };
    }
  }
  return null;
}
