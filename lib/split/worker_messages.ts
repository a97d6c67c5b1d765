/**
 * What the main thread and the workers of a run say to each other.
 *
 * @module
 */

import type { LiveFigures, LiveScenario } from "../run/live.ts";
import type { Progress } from "../run/progress.ts";
import type { RunSettings } from "../run/settings.ts";
import type { Report } from "../schema.ts";

/** What the main thread posts to a worker. */
export type ToWorker =
  | { kind: "run"; settings: RunSettings; gated: boolean; embedded: boolean }
  /** The turn begins then, in unix milliseconds. */
  | { kind: "go"; order: number; atMs: number }
  /** The bundled server is back, or why it is not. */
  | { kind: "restarted"; error: string | null }
  | { kind: "abort" };

/** How far a worker is; what can be watched of it comes as figures. */
type SentProgress =
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

/** A look costs up to 0.2 ms of the worker's thread, which a schedule may need. */
const FIGURES_INTERVAL_MS = 1000;

/** Posts a worker's progress, and once a second the figures of the scenario that runs. Dispose of it. */
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

/** The scenario that all workers run, as far as they have told. */
export class WorkersProgress implements LiveScenario {
  /** Looking at it takes nothing from the workers. */
  readonly isPaced = false;
  readonly #figures = new Map<number, LiveFigures>();
  #scenario = "";

  /** Takes what a worker says of the scenario that it runs. */
  heard(index: number, figures: LiveFigures): void {
    this.#figures.set(index, figures);
  }

  /** Forgets a worker that has ended. */
  gone(index: number): void {
    this.#figures.delete(index);
  }

  /** What a worker says of its own progress, as that of all; of the next scenario nothing is known yet. */
  progressOf(sent: SentProgress): Progress {
    const scenario = sent.state === "ended" ? sent.scenario : sent.scenarios.join();
    if (scenario !== this.#scenario) this.#figures.clear();
    this.#scenario = scenario;
    return sent.state === "ended" ? sent : { ...sent, watch: this };
  }

  /** Calls of all workers; the times of one of them, as percentiles do not add up. */
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
