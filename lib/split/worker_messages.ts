/**
 * Messages between the main thread and the workers of a run.
 *
 * @module
 */

import type { LiveFigures, LiveScenario } from "../run/live.ts";
import type { Progress } from "../run/progress.ts";
import type { RunSettings } from "../run/settings.ts";
import type { Report } from "../schema.ts";

/** Messages to a worker. */
export type ToWorker =
  | { kind: "run"; settings: RunSettings; gated: boolean; embedded: boolean }
  /** When a turn begins, in unix milliseconds. */
  | { kind: "go"; order: number; atMs: number }
  /** The bundled server was restarted, or failed to. */
  | { kind: "restarted"; error: string | null }
  | { kind: "abort" };

/** A worker's progress. Live figures are sent separately. */
type SentProgress =
  | Omit<Extract<Progress, { state: "running" }>, "watch">
  | Extract<Progress, { state: "ended" }>;

/** Messages from a worker. */
export type FromWorker =
  | { kind: "progress"; progress: SentProgress }
  | { kind: "figures"; figures: LiveFigures }
  | { kind: "warning"; message: string }
  /** The worker is ready for a turn. */
  | { kind: "ready"; order: number }
  /** Asks for the bundled server to be restarted. */
  | { kind: "restart" }
  /** The report so far, after each epoch. */
  | { kind: "partial"; report: Report }
  | { kind: "done"; report: Report };

/** Reading figures takes up to 0.2 ms of the worker's thread, which a schedule may need. */
const FIGURES_INTERVAL_MS = 1000;

/** Posts a worker's progress, and once a second the figures of the current scenario. */
export function reportProgress(
  post: (message: FromWorker) => void,
): Disposable & { show: (progress: Progress) => void } {
  let watched: LiveScenario | null = null;
  const timer = setInterval(() => {
    if (watched !== null) post({ kind: "figures", figures: watched.live() });
  }, FIGURES_INTERVAL_MS);
  return {
    show(progress) {
      const { watch = null, ...sent } = { watch: null, ...progress };
      watched = watch;
      post({ kind: "progress", progress: sent });
    },
    [Symbol.dispose]: () => clearInterval(timer),
  };
}

/** Progress of all workers, from the figures that they have sent. */
export class WorkersProgress implements LiveScenario {
  /** False because reading figures here takes no time from the workers. */
  readonly isPaced = false;
  readonly #figures = new Map<number, LiveFigures>();
  #scenario = "";

  /** Stores a worker's latest figures. */
  heard(index: number, figures: LiveFigures): void {
    this.#figures.set(index, figures);
  }

  /** Forgets a worker that has ended. */
  gone(index: number): void {
    this.#figures.delete(index);
  }

  /** Turns one worker's progress into that of all. A new scenario starts without figures. */
  progressOf(sent: SentProgress): Progress {
    const scenario = sent.state === "ended" ? sent.scenario : sent.scenarios.join();
    if (scenario !== this.#scenario) this.#figures.clear();
    this.#scenario = scenario;
    return sent.state === "ended" ? sent : { ...sent, watch: this };
  }

  /** Sums the calls of all workers; times are one worker's, because percentiles do not add up. */
  live(): LiveFigures {
    const all = [...this.#figures].sort(([a], [b]) => a - b).map(([, figures]) => figures);
    return {
      elapsedNs: Math.max(0, ...all.map(({ elapsedNs }) => elapsedNs)),
      ok: all.reduce((sum, { ok }) => sum + ok, 0),
      errors: all.reduce((sum, { errors }) => sum + errors, 0),
      times: all.find(({ times }) => times !== null)?.times ?? null,
    };
  }
}
