import { HEAVY_TOOLS } from "./options.ts";
import type { InputSchema } from "./input_schema.ts";
import type { ServerState } from "./server_state.ts";
import type { LightTool } from "./tools.ts";

/** Version that the `version` tool reports. */
export const SERVER_VERSION = "1.0.0";

const NO_ARGUMENTS: InputSchema = { type: "object", properties: {}, required: [] };

/** The tools that answer immediately, from the server's own state. */
export function createLightTools(state: ServerState): LightTool[] {
  const memory = createMemoryReader();
  const tools: Omit<LightTool, "kind" | "inputSchema">[] = [
    {
      name: "status",
      description: "Uptime, connections, calls and memory of this server.",
      run: () => describeStatus(state, memory()),
    },
    {
      name: "version",
      description: "Versions of this server and of what it runs on.",
      run: () => describeVersion(state),
    },
    {
      name: "listmodels",
      description: "The simulated models behind the heavy tools, with their think times.",
      run: () => describeModels(state),
    },
    {
      name: "health",
      description: "Whether this server has room for more connections and memory.",
      run: () => describeHealth(state, memory()),
    },
  ];
  return tools.map((tool) => ({ kind: "light", inputSchema: NO_ARGUMENTS, ...tool }));
}

function describeStatus(state: ServerState, memory: Deno.MemoryUsage): string {
  const { options, counters, slots } = state;
  return JSON.stringify({
    status: "running",
    server: "exai-reference",
    dialect: options.dialect,
    uptime_seconds: roundMs(performance.now() - state.startedAtMs) / 1000,
    connections: slots.total,
    max_connections: options.limits.maxConnections,
    connections_accepted: counters.connectionsAccepted,
    connections_refused: counters.connectionsRefused,
    calls_received: counters.callsReceived,
    calls_served: counters.callsServed,
    calls_failed: counters.callsFailed,
    calls_refused: counters.callsRefused,
    memory: { rss_bytes: memory.rss, heap_used_bytes: memory.heapUsed },
  });
}

function describeVersion({ options }: ServerState): string {
  return JSON.stringify({
    server: "exai-reference",
    version: SERVER_VERSION,
    dialect: options.dialect,
    runtime: `deno ${Deno.version.deno}`,
    v8: Deno.version.v8,
    typescript: Deno.version.typescript,
    platform: `${Deno.build.os} ${Deno.build.arch}`,
    transport: "websocket",
  });
}

function describeModels({ options }: ServerState): string {
  const models = HEAVY_TOOLS.map((tool) => ({
    model: `simulated-${tool}`,
    tool,
    think_time: "log-normal",
    median_ms: options.think[tool].medianMs,
    sigma: options.think[tool].sigma,
  }));
  return JSON.stringify({ provider: "simulated", count: models.length, models });
}

function describeHealth({ options, slots }: ServerState, memory: Deno.MemoryUsage): string {
  const { maxConnections, maxConnectionsPerIp } = options.limits;
  const heapShare = memory.heapUsed / memory.heapTotal;
  const checks = {
    connections: {
      healthy: slots.total < maxConnections,
      open: slots.total,
      limit: maxConnections,
      limit_per_ip: maxConnectionsPerIp,
    },
    memory: {
      healthy: memory.rss < UNHEALTHY_RSS_BYTES,
      rss_bytes: memory.rss,
      heap_share: Math.round(heapShare * 1000) / 1000,
    },
  };
  return JSON.stringify({ healthy: Object.values(checks).every((c) => c.healthy), checks });
}

const UNHEALTHY_RSS_BYTES = 2 * 1024 ** 3;

/** Reads the memory in use at most once a second, because a reading takes microseconds. */
function createMemoryReader(): () => Deno.MemoryUsage {
  let reading = Deno.memoryUsage();
  let readAtMs = performance.now();
  return () => {
    if (performance.now() - readAtMs > 1000) {
      reading = Deno.memoryUsage();
      readAtMs = performance.now();
    }
    return reading;
  };
}

/** Rounds to the microsecond. */
function roundMs(milliseconds: number): number {
  return Math.round(milliseconds * 1000) / 1000;
}
