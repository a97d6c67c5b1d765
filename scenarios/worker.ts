/**
 * The entry of a worker: its share of a run, with the scenarios that there are.
 *
 * @module
 */

import { serveRun } from "../lib/split/worker_side.ts";
import { SCENARIOS } from "./mod.ts";

serveRun(SCENARIOS);
