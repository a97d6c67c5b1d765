import type { InputSchema } from "./input_schema.ts";

export type ToolArguments = Record<string, unknown>;

interface ToolDescription {
  name: string;
  description: string;
  inputSchema: InputSchema;
}

/** Answers at once. */
export interface LightTool extends ToolDescription {
  kind: "light";
  run(args: ToolArguments): string;
}

/** Thinks first; `run` makes the answer once `drawThinkMs()` milliseconds have gone by. */
export interface HeavyTool extends ToolDescription {
  kind: "heavy";
  drawThinkMs(): number;
  run(args: ToolArguments, thinkMs: number): string;
}

export type Tool = LightTool | HeavyTool;

/** A tool as `list_tools` shows it. */
export function describeTool({ name, description, inputSchema }: Tool): ToolDescription {
  return { name, description, inputSchema };
}
