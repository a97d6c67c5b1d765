/**
 * Shows how far a run is: on a terminal one line that is drawn over, with figures of the moment; elsewhere
 * a plain line at the begin and the end of each scenario.
 *
 * @module
 */

import type { ScenarioReport } from "../schema.ts";
import type { Clock } from "../client/clock.ts";
import { paint, type Style } from "../report/terminal/text.ts";
import { formatMilliseconds } from "../report/units.ts";
import type { LiveFigures } from "../run/live.ts";
import type { Progress } from "../run/runner.ts";
import { progressLine } from "./progress_line.ts";
import { RateWindow } from "./rate_window.ts";

/** How progress is shown. */
export interface ProgressOptions {
  write: (text: string) => void;
  /** A line that is overwritten in place, or else plain lines. */
  live: boolean;
  /** Whether to use ANSI colours. */
  color: boolean;
  /** The columns of the terminal; asked for at every drawing. */
  width: () => number;
  clock: Clock;
}

/** What shows progress. Dispose of it before anything else is printed. */
export interface ProgressDisplay extends Disposable {
  show(progress: Progress): void;
}

type Running = Progress & { state: "running" };
type Ended = Progress & { state: "ended" };

const CLEAR_LINE = "\r\x1b[2K";
/** Between two drawings. */
const INTERVAL_MS = 250;
/** The same while the run keeps a schedule, of which a drawing may make a call late. */
const PACED_INTERVAL_MS = 1000;

/** Starts a display; it looks at the run on a timer of its own, and adds nothing to the run's work. */
export function createProgress(options: ProgressOptions): ProgressDisplay {
  return options.live ? new LiveDisplay(options) : plainDisplay(options);
}

function plainDisplay({ write }: ProgressOptions): ProgressDisplay {
  let announced = 0;
  return {
    show(progress) {
      if (progress.state === "ended") return write(`${endText(progress)}\n`);
      if (progress.index === announced) return;
      announced = progress.index;
      write(`${placeText(progress)}\n`);
    },
    [Symbol.dispose]() {},
  };
}

const STATUS_STYLES: Record<ScenarioReport["status"], Style> = {
  passed: "green",
  failed: "red",
  skipped: "dim",
  interrupted: "yellow",
};

/** The state of the line that is drawn over. */
class LiveDisplay implements ProgressDisplay {
  readonly #options: ProgressOptions;
  readonly #rate = new RateWindow();
  #running: Running | null = null;
  #cancel = () => {};

  constructor(options: ProgressOptions) {
    this.#options = options;
  }

  show(progress: Progress): void {
    if (progress.state === "ended") return this.#end(progress);
    const isNew = this.#running?.index !== progress.index;
    this.#running = progress;
    if (!isNew) return;
    this.#rate.reset();
    this.#draw();
  }

  [Symbol.dispose](): void {
    this.#cancel();
    if (this.#running !== null) this.#options.write(CLEAR_LINE);
    this.#running = null;
  }

  #end(progress: Ended): void {
    this[Symbol.dispose]();
    const { write, color } = this.#options;
    write(`${paint(endText(progress), STATUS_STYLES[progress.status], color)}\n`);
  }

  #draw(): void {
    const { clock, write, width, color } = this.#options;
    const running = this.#running!;
    const figures: LiveFigures = running.watch.live();
    const ratePerSecond = this.#rate.add(figures.elapsedNs, figures.ok);
    const line = progressLine({ ...running, ...figures, ratePerSecond }, { width: width(), color });
    write(CLEAR_LINE + line);
    this.#cancel();
    this.#cancel = clock.after(INTERVAL_MS, () => this.#tick(INTERVAL_MS));
  }

  /** Draws, unless the run keeps a schedule and the last drawing is not long ago. */
  #tick(waitedMs: number): void {
    const isDue = !this.#running!.watch.isPaced || waitedMs >= PACED_INTERVAL_MS;
    if (isDue) return this.#draw();
    this.#cancel = this.#options.clock.after(
      INTERVAL_MS,
      () => this.#tick(waitedMs + INTERVAL_MS),
    );
  }
}

function endText(progress: Ended): string {
  const { status, durationMs } = progress;
  return `${placeText(progress)}: ${status} after ${formatMilliseconds(durationMs)}`;
}

function placeText({ index, scenarios, scenario }: Progress): string {
  return `[${index}/${scenarios}] ${scenario}`;
}
