import type { PropertySchema } from "./input_schema.ts";
import { HEAVY_TOOLS, type HeavyToolName, type ServerOptions } from "./options.ts";
import { createThinkTimes } from "./think.ts";
import type { HeavyTool, ToolArguments } from "./tools.ts";

const TEMPERATURE: PropertySchema = {
  type: "number",
  minimum: 0,
  maximum: 1,
  description: "How much the answer varies.",
};

/** `subject` is the argument that holds the text of a call. */
const DESCRIPTIONS: Record<
  HeavyToolName,
  { description: string; subject: string; properties: Record<string, PropertySchema> }
> = {
  chat: {
    description: "Answers a prompt after a simulated think time.",
    subject: "prompt",
    properties: { temperature: TEMPERATURE },
  },
  analyze: {
    description: "Analyses a text after a simulated think time.",
    subject: "input",
    properties: {
      temperature: TEMPERATURE,
      depth: {
        type: "string",
        enum: ["quick", "standard", "deep"],
        description: "How far the analysis goes.",
      },
    },
  },
  debug: {
    description: "Looks into an error after a simulated think time; `raise` makes it fail.",
    subject: "error",
    properties: {
      raise: { type: "string", description: "The tool raises an error with this message." },
    },
  },
};

/** The tools with a think time. Each has its own random sequence. */
export function createHeavyTools(options: ServerOptions): HeavyTool[] {
  return HEAVY_TOOLS.map((name, index) => {
    const { description, subject, properties } = DESCRIPTIONS[name];
    return {
      kind: "heavy",
      name,
      description,
      inputSchema: {
        type: "object",
        properties: {
          [subject]: { type: "string", minLength: 1, description: "What the call is about." },
          ...properties,
        },
        required: [subject],
      },
      drawThinkMs: createThinkTimes(options.think[name], options.seed + index),
      run: (args, thinkMs) => answerSubject(name, { args, subject, thinkMs }),
    };
  });
}

/** Describes the text of the call: a simple but real analysis. */
function answerSubject(
  tool: HeavyToolName,
  { args, subject, thinkMs }: { args: ToolArguments; subject: string; thinkMs: number },
): string {
  if (typeof args.raise === "string") throw new Error(args.raise);
  const text = String(args[subject]);
  const words = text.match(/\S+/g) ?? [];
  return JSON.stringify({
    tool,
    model: `simulated-${tool}`,
    subject: text.slice(0, 200),
    characters: text.length,
    words: words.length,
    distinct_words: new Set(words).size,
    longest_word: words.reduce((a, b) => b.length > a.length ? b : a, "").slice(0, 100),
    lines: text.split("\n").length,
    think_ms: Math.round(thinkMs * 1000) / 1000,
  });
}
