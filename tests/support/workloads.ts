import { grantHeavyTools, type HeavyTools, type HeavyToolSpec } from "../../lib/run/heavy_tools.ts";
import { createWorkload, type Workload } from "../../lib/run/workload.ts";

/** Calls of `status` that all differ, so that no cache serves them. */
export function distinctCalls(): Workload {
  return createWorkload("status", { argsJson: '{"n":"{seq}"}', payloadBytes: 0 });
}

/** Heavy tools granted to a run: unique calls of `chat` unless a spec says otherwise. */
export function heavyToolsOf(
  specs: readonly Partial<HeavyToolSpec>[],
  uniqueSeed = 1,
): HeavyTools {
  const heavyTools = specs.map((spec) => ({
    tool: "chat",
    argsJson: '{"prompt":"{unique}"}',
    timeoutMs: 10_000,
    weight: 1,
    repetitions: 1,
    ...spec,
  }));
  const run = { protocol: "exai", scenarios: null, profile: "phase3" } as const;
  return grantHeavyTools({ ...run, heavyTools, uniqueSeed }, { embedded: true });
}
