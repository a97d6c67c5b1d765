/**
 * Entry point of a worker, which runs its share of a run.
 *
 * @module
 */

import { serveRun } from "../lib/split/worker_side.ts";
import { SCENARIOS } from "./mod.ts";

serveRun(SCENARIOS);
