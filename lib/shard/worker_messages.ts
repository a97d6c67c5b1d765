import type { Report } from "../contract.ts";
import type { RunSettings } from "../run/configured.ts";
import type { Progress } from "../run/runner.ts";

/** What the main thread posts to a worker. */
export type ToWorker =
  | { kind: "run"; settings: RunSettings; gated: boolean; embedded: boolean }
  /** The scenario begins then, in unix milliseconds. */
  | { kind: "go"; scenario: string; atMs: number }
  /** The bundled server is back, or why it is not. */
  | { kind: "restarted"; error: string | null }
  | { kind: "abort" };

/** What a worker posts. */
export type FromWorker =
  | { kind: "progress"; progress: Progress }
  | { kind: "warning"; message: string }
  /** The scenario is ready to begin. */
  | { kind: "ready"; scenario: string }
  /** Asks for the bundled server to be restarted. */
  | { kind: "restart" }
  /** A scenario has ended: the report so far. */
  | { kind: "partial"; report: Report }
  | { kind: "done"; report: Report };
