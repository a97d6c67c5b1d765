import type { RunSettings } from "../../lib/run/configured.ts";
import { NO_OVERRIDES } from "./overrides.ts";

/** The settings of a quick run of these scenarios, on one event loop, that holds it against nothing. */
export function quickSettings(
  more: Pick<RunSettings, "url" | "token" | "scenarios"> & Partial<RunSettings>,
): RunSettings {
  return {
    protocol: "exai",
    headers: {},
    subprotocols: [],
    caCert: null,
    timeoutMs: 10_000,
    tool: null,
    toolArgsJson: "{}",
    profile: "quick",
    overrides: NO_OVERRIDES,
    heavyTools: null,
    uniqueSeed: 1,
    maxRatePerSecond: null,
    seed: 1,
    unitBaselinePerSecond: 1000,
    shard: null,
    startAtMs: null,
    thresholds: [],
    baseline: null,
    noisePercent: 3,
    force: false,
    strict: false,
    suite: { name: "test", version: "0.0.0", commit: null },
    command: ["x"],
    ...more,
  };
}
