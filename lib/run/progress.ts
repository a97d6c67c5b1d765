import type { ScenarioReport } from "../schema.ts";
import type { LiveScenario } from "./live.ts";

/** How far a run is. */
export type Progress =
  | {
    state: "running";
    /** What it does for the scenarios: looks at the server first, measures, or comes to its end. */
    stage: "begin" | "epoch" | "conclude";
    /** Those that it measures together. */
    scenarios: readonly string[];
    /** 0 is the warm-up. */
    epoch: number;
    /** After the warm-up; with a precision asked for, at least. */
    epochs: number;
    /** The place within the stage, from 1, of how many. */
    index: number;
    of: number;
    /** What it does, where that is not to measure. */
    doing?: string;
    /** How far a long piece of work is; 0 of 0: it does not say. */
    done: number;
    total: number;
    watch: LiveScenario;
  }
  | {
    state: "ended";
    scenario: string;
    status: ScenarioReport["status"];
    durationMs: number;
  };
