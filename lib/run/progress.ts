import type { ScenarioReport } from "../schema.ts";
import type { LiveScenario } from "./live.ts";

/** Progress of a run. */
export type Progress =
  | {
    state: "running";
    /** Plans the scenarios, measures epochs, or does final work. */
    stage: "begin" | "epoch" | "conclude";
    /** Measured together. */
    scenarios: readonly string[];
    /** 0 is the warm-up. */
    epoch: number;
    /** Epochs after the warm-up, or the minimum with `--precision`. */
    epochs: number;
    /** Position within the stage, from 1, and the number of positions. */
    index: number;
    of: number;
    /** What it is doing, if not measuring. */
    doing?: string;
    /** Progress of long work; 0 of 0 if unknown. */
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
