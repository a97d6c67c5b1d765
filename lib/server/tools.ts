import type { InputSchema } from "./input_schema.ts";

export type ToolArguments = Record<string, unknown>;

/** A tool as `list_tools` shows it. */
interface ToolDescription {
  name: string;
  description: string;
  inputSchema: InputSchema;
}

/** Answers immediately. */
export interface LightTool extends ToolDescription {
  kind: "light";
  run(args: ToolArguments): string;
}

/** Thinks first: `run` is called `drawThinkMs()` milliseconds later. */
export interface HeavyTool extends ToolDescription {
  kind: "heavy";
  drawThinkMs(): number;
  run(args: ToolArguments, thinkMs: number): string;
}

export type Tool = LightTool | HeavyTool;
