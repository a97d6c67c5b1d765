/**
 * All scenarios, in the order of lists and reports.
 *
 * @module
 */

import type { Scenario } from "../lib/run/scenario.ts";
import { authentication } from "./authentication.ts";
import { concurrentConnections } from "./concurrent_connections.ts";
import { connectionEstablishment } from "./connection_establishment.ts";
import { connectionLimit } from "./connection_limit.ts";
import { headOfLine } from "./head_of_line.ts";
import { heavyTools } from "./heavy_tools.ts";
import { malformedInput } from "./malformed_input/mod.ts";
import { messageThroughput } from "./message_throughput.ts";
import { openLoop } from "./open_loop.ts";
import { overheadBreakdown } from "./overhead_breakdown/mod.ts";
import { payloadSize } from "./payload_size/mod.ts";
import { pipelining } from "./pipelining.ts";
import { rateLimit } from "./rate_limit.ts";
import { reconnectStorm } from "./reconnect_storm.ts";
import { reconnection } from "./reconnection.ts";
import { saturation } from "./saturation.ts";
import { scaling } from "./scaling.ts";
import { sessionCapacity } from "./session_capacity/mod.ts";
import { soak } from "./soak.ts";
import { spike } from "./spike.ts";

export const SCENARIOS: readonly Scenario[] = [
  connectionEstablishment,
  messageThroughput,
  concurrentConnections,
  reconnection,
  authentication,
  connectionLimit,
  overheadBreakdown,
  pipelining,
  scaling,
  payloadSize,
  openLoop,
  saturation,
  spike,
  soak,
  malformedInput,
  reconnectStorm,
  rateLimit,
  heavyTools,
  headOfLine,
  sessionCapacity,
];
