import type { Overrides } from "../../lib/run/plan.ts";

/** Nothing that the user set. */
export const NO_OVERRIDES: Overrides = {
  rounds: null,
  durationMs: null,
  warmupMs: null,
  messages: null,
  connections: null,
  payloadBytes: null,
  inFlight: null,
  ratePerSecond: null,
  arrivals: null,
  maxOutstanding: null,
  sloMs: null,
  expectLimits: null,
};
