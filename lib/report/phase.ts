/**
 * Which phase of the plan a run belongs to: that of real integration tests, or that of load tests with
 * heavy tools, which has a report of its own.
 *
 * @module
 */

import type { Report } from "../schema.ts";
import { isHeavyPhase } from "./heavy.ts";

/** What the phase of a run is called. */
export interface Phase {
  /** `Phase 2`. */
  short: string;
  /** The title of the report. */
  title: string;
  /** What it does with the real connections. */
  objective: string;
}

const INTEGRATION: Phase = {
  short: "Phase 2",
  title: "Phase 2: Real Integration Tests",
  objective: "that validate the WebSocket protocol and component integration, and measure both.",
};

const LOAD: Phase = {
  short: "Phase 3",
  title: "Phase 3: End-to-End Load Tests",
  objective:
    "under load with heavy tools: what one client gets, what several get at once, how long " +
    "each tool takes from the call to its result, and what that does to cheap calls beside it.",
};

/** The phase of a run. */
export function phaseOf(report: Report): Phase {
  return isHeavyPhase(report) ? LOAD : INTEGRATION;
}
