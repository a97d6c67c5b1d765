import type { UnitBaseline } from "../schema.ts";
import { createDispatcher } from "../server/dispatch.ts";
import { defaultServerOptions } from "../server/options.ts";
import { sampleBatched } from "../stats/sampling.ts";
import { collectGarbage } from "./rounds.ts";

/**
 * Calls the reference server's own dispatch directly, without a socket, as a unit test would: calls
 * per second, from the median of mitata's batches.
 */
export async function measureUnitBaseline(): Promise<UnitBaseline> {
  collectGarbage();
  const dispatcher = createDispatcher(defaultServerOptions());
  const { p50 } = await sampleBatched(() => dispatcher.call("status", {}));
  return { source: "measured", throughput: 1e9 / p50 };
}
