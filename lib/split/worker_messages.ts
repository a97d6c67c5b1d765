import type { Report } from "../schema.ts";
import type { LiveFigures } from "../run/live.ts";
import type { Progress } from "../run/progress.ts";
import type { RunSettings } from "../run/settings.ts";

/** What the main thread posts to a worker. */
export type ToWorker =
  | { kind: "run"; settings: RunSettings; gated: boolean; embedded: boolean }
  /** The turn begins then, in unix milliseconds. */
  | { kind: "go"; order: number; atMs: number }
  /** The bundled server is back, or why it is not. */
  | { kind: "restarted"; error: string | null }
  | { kind: "abort" };

/** How far a worker is; what can be watched of it comes as figures. */
export type SentProgress =
  | Omit<Extract<Progress, { state: "running" }>, "watch">
  | Extract<Progress, { state: "ended" }>;

/** What a worker posts. */
export type FromWorker =
  | { kind: "progress"; progress: SentProgress }
  /** What its scenario has come to, now and then. */
  | { kind: "figures"; figures: LiveFigures }
  | { kind: "warning"; message: string }
  /** It is ready for a turn. */
  | { kind: "ready"; order: number }
  /** Asks for the bundled server to be restarted. */
  | { kind: "restart" }
  /** An epoch has ended: the report so far. */
  | { kind: "partial"; report: Report }
  | { kind: "done"; report: Report };
