import { createHeavyTools } from "./heavy_tools.ts";
import { findArgumentError } from "./input_schema.ts";
import { createLightTools } from "./light_tools.ts";
import type { ServerOptions } from "./options.ts";
import { createServerState, type ServerState } from "./server_state.ts";
import { think, thinkBlocking } from "./think.ts";
import { stripToolSuffix } from "./tool_name.ts";
import type { HeavyTool, Tool, ToolArguments } from "./tools.ts";

/** Outcome of a tool call. */
export type ToolAnswer =
  | { kind: "text"; text: string }
  | { kind: "toolNotFound"; tool: string }
  | { kind: "invalidArguments"; message: string }
  | { kind: "raised"; message: string };

export interface DispatchOptions {
  /** Ends a heavy call early: the answer is `raised`, with the signal's reason as its message. */
  signal?: AbortSignal;
  /** Called every `progressIntervalMs` of a heavy call. */
  onProgress?: (elapsedMs: number) => void;
}

export interface Dispatcher {
  /**
   * Calls a tool; its name may have a known suffix. Never throws: a failing tool is a `raised`
   * answer. Light tools answer synchronously, heavy ones with a promise.
   */
  call(
    tool: string,
    args: ToolArguments,
    options?: DispatchOptions,
  ): ToolAnswer | Promise<ToolAnswer>;
  /** True for light tools; false if heavy or unknown. */
  answersAtOnce(tool: string): boolean;
  /** The descriptions of all tools as a JSON array. */
  toolsJson: string;
}

/**
 * Calls a server's tools without a socket.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { createDispatcher } from "./dispatch.ts";
 * import { defaultServerOptions } from "./options.ts";
 *
 * const dispatcher = createDispatcher(defaultServerOptions());
 * const answer = await dispatcher.call("status", {});
 * assertEquals(answer.kind, "text");
 * ```
 */
export function createDispatcher(
  options: ServerOptions,
  state: ServerState = createServerState(options),
): Dispatcher {
  const all: Tool[] = [...createLightTools(state), ...createHeavyTools(options)];
  const tools = new Map(all.map((tool) => [tool.name, tool]));
  const { progressIntervalMs, thinkMode } = options;
  const find = (name: string) => tools.get(name) ?? tools.get(stripToolSuffix(name));
  return {
    answersAtOnce: (name) => find(name)?.kind === "light",
    toolsJson: JSON.stringify(
      all.map(({ name, description, inputSchema }) => ({ name, description, inputSchema })),
    ),
    call(name, args, callOptions = {}) {
      const tool = find(name);
      if (tool === undefined) return { kind: "toolNotFound", tool: name };
      const message = findArgumentError(tool.inputSchema, args);
      if (message !== null) return { kind: "invalidArguments", message };
      switch (tool.kind) {
        case "light":
          return attempt(() => tool.run(args));
        case "heavy":
          return thinkAndRun(tool, args, { ...callOptions, progressIntervalMs, thinkMode });
        default:
          return tool satisfies never;
      }
    },
  };
}

async function thinkAndRun(
  tool: HeavyTool,
  args: ToolArguments,
  options: DispatchOptions & Pick<ServerOptions, "progressIntervalMs" | "thinkMode">,
): Promise<ToolAnswer> {
  const thinkMs = tool.drawThinkMs();
  try {
    if (options.thinkMode === "block") thinkBlocking(thinkMs);
    else await think(thinkMs, options);
  } catch (error) {
    return raised(error);
  }
  return attempt(() => tool.run(args, thinkMs));
}

function attempt(run: () => string): ToolAnswer {
  try {
    return { kind: "text", text: run() };
  } catch (error) {
    return raised(error);
  }
}

function raised(error: unknown): ToolAnswer {
  return { kind: "raised", message: error instanceof Error ? error.message : String(error) };
}
