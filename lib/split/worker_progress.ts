/**
 * How far the workers of a run are: what each posts, and the one picture that the main thread has of all.
 *
 * @module
 */

import type { LiveFigures, LiveScenario } from "../run/live.ts";
import type { Progress } from "../run/progress.ts";
import type { FromWorker, SentProgress } from "./worker_messages.ts";

/** A look costs up to 0.2 ms of the worker's thread, which a schedule may need. */
const FIGURES_INTERVAL_MS = 1000;

/** Posts a worker's progress, and once a second the figures of the scenario that runs. Dispose of it. */
export function reportProgress(
  post: (message: FromWorker) => void,
): Disposable & { show: (progress: Progress) => void } {
  let watch: LiveScenario | null = null;
  const timer = setInterval(() => {
    if (watch !== null) post({ kind: "figures", figures: watch.live() });
  }, FIGURES_INTERVAL_MS);
  return {
    show(progress) {
      if (progress.state === "ended") {
        watch = null;
        return post({ kind: "progress", progress });
      }
      const { watch: watched, ...sent } = progress;
      watch = watched;
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
