import type { ServerStats } from "./counters.ts";
import type { ServerOptions } from "./options.ts";

/** What is posted to the worker. */
export type ToWorker =
  | { kind: "start"; options: ServerOptions }
  | { kind: "stats"; request: number }
  | { kind: "stop" };

/** What the worker posts back. */
export type FromWorker =
  | { kind: "started"; port: number; url: string }
  | { kind: "failed"; message: string }
  | { kind: "stats"; request: number; stats: ServerStats }
  | { kind: "stopped" };
