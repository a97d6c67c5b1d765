/**
 * Shows how far a run is: on a terminal one line that is redrawn, with figures of the moment; elsewhere a
 * plain line at the beginning of each epoch and the end of each scenario.
 *
 * @module
 */

import type { Clock } from "../client/clock.ts";
import { paint, type Style } from "../report/render/terminal.ts";
import { formatMilliseconds } from "../report/units.ts";
import type { Progress } from "../run/progress.ts";
import type { ScenarioReport } from "../schema.ts";
import { progressLine } from "./progress_line.ts";

/** How progress is shown. */
export interface ProgressOptions {
  write: (text: string) => void;
  /** A line that is overwritten in place, or else plain lines. */
  live: boolean;
  color: boolean;
  /** The columns of the terminal; asked for at every drawing. */
  width: () => number;
  clock: Clock;
  plannedNs: number;
}

/** What shows progress. Dispose of it before anything else is printed. */
export interface ProgressDisplay extends Disposable {
  show(progress: Progress): void;
}

type Running = Extract<Progress, { state: "running" }>;
type Ended = Extract<Progress, { state: "ended" }>;

const CLEAR_LINE = "\r\x1b[2K";
/** Between two drawings. */
const INTERVAL_MS = 250;
/** The same while the run keeps a schedule, of which a drawing may make a call late. */
const PACED_INTERVAL_MS = 1000;
const STATUS_STYLES: Record<ScenarioReport["status"], Style> = {
  ...{ passed: "green", failed: "red", skipped: "dim", interrupted: "yellow" },
};

/** Starts a display; it looks at the run on a timer of its own, and adds nothing to the run's work. */
export function createProgress(options: ProgressOptions): ProgressDisplay {
  return options.live ? new LiveDisplay(options) : plainDisplay(options);
}

/** Each epoch is said once, and of work at the end whose it is. */
function plainDisplay({ write }: ProgressOptions): ProgressDisplay {
  let announced = "";
  return {
    show(progress) {
      if (progress.state === "ended") return write(`${endText(progress)}\n`);
      if (progress.stage === "begin") return;
      const text = progress.stage === "epoch" ? stageText(progress) : placeText(progress);
      if (text !== announced) write(`${text}\n`);
      announced = text;
    },
    [Symbol.dispose]() {},
  };
}

/** The state of the line that is redrawn. */
class LiveDisplay implements ProgressDisplay {
  readonly #options: ProgressOptions;
  readonly #rate = new RateWindow();
  readonly #startNs: number;
  #running: Running | null = null;
  /** When the first epoch after the warm-up began. */
  #epochsBegunNs: number | null = null;
  #cancel = () => {};

  constructor(options: ProgressOptions) {
    this.#options = options;
    this.#startNs = options.clock.nowNs();
  }

  show(progress: Progress): void {
    if (progress.state === "ended") return this.#end(progress);
    const isNew = this.#running?.watch !== progress.watch;
    this.#running = progress;
    if (progress.epoch > 0) this.#epochsBegunNs ??= this.#options.clock.nowNs();
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
    const { write, width, color } = this.#options;
    const running = this.#running!;
    const figures = running.watch.live();
    const line = progressLine({
      ...figures,
      place: placeText(running),
      done: doneOf(running),
      total: Math.max(running.epochs, running.epoch) + 1,
      leftNs: this.#leftNs(running),
      ratePerSecond: this.#rate.add(figures.elapsedNs, figures.ok),
    }, { width: width(), color });
    write(CLEAR_LINE + line);
    this.#cancel();
    this.#wait(INTERVAL_MS);
  }

  /** Draws after a while, unless the run keeps a schedule then and the last drawing is not long ago. */
  #wait(sinceMs: number): void {
    this.#cancel = this.#options.clock.after(INTERVAL_MS, () => {
      const isDue = !this.#running!.watch.isPaced || sinceMs >= PACED_INTERVAL_MS;
      return isDue ? this.#draw() : this.#wait(sinceMs + INTERVAL_MS);
    });
  }

  /** As planned up to the second epoch, then from the epochs so far; `null` where nobody knows how many there will be. */
  #leftNs(running: Running): number | null {
    const { clock, plannedNs } = this.#options;
    const { stage, epoch, epochs } = running;
    if (stage === "conclude" || epoch > epochs) return null;
    if (this.#epochsBegunNs === null || epoch < 2) {
      const leftNs = plannedNs - (clock.nowNs() - this.#startNs);
      return leftNs > 0 ? leftNs : null;
    }
    const spentNs = clock.nowNs() - this.#epochsBegunNs;
    const done = doneOf(running) - 1;
    return done <= 0 ? null : spentNs / done * (epochs - done);
  }
}

function endText({ scenario, status, durationMs }: Ended): string {
  return `${scenario}: ${status} after ${formatMilliseconds(durationMs)}`;
}

/** Whole epochs, the warm-up among them, and the part of the one under way. */
function doneOf({ stage, epoch, index, of, done, total, epochs }: Running): number {
  const share = of === 0 ? 0 : (index - 1 + (total === 0 ? 0 : done / total)) / of;
  return stage === "begin" ? 0 : stage === "epoch" ? epoch + share : epochs + 1;
}

function placeText(progress: Running): string {
  const { scenarios, doing } = progress;
  const what = scenarios.join(", ");
  return doing === undefined ? `${stageText(progress)} ${what}` : `${what}: ${doing}`;
}

function stageText({ stage, epoch, epochs, index, of }: Running): string {
  switch (stage) {
    case "begin":
      return `[${index}/${of}] inspecting the server:`;
    case "epoch":
      return epoch === 0 ? "[warm-up]" : `[epoch ${epoch}/${Math.max(epochs, epoch)}]`;
    case "conclude":
      return `[${index}/${of}] finishing:`;
    default:
      return stage satisfies never;
  }
}

/** How far back the present rate looks. */
const WINDOW_NS = 1e9;

/** The rate of a count that only grows, over about the last second. */
export class RateWindow {
  #readings: { atNs: number; count: number }[] = [];

  /**
   * Takes a reading, and gives the count per second since the first one within the window, or the last
   * one before it; `null` for the first reading.
   */
  add(atNs: number, count: number): number | null {
    this.#readings.push({ atNs, count });
    const from = this.#readings.findLastIndex((reading) => reading.atNs <= atNs - WINDOW_NS);
    if (from > 0) this.#readings.splice(0, from);
    const [first] = this.#readings;
    const elapsedNs = atNs - first!.atNs;
    return elapsedNs > 0 ? (count - first!.count) / (elapsedNs / 1e9) : null;
  }

  /** Forgets every reading. */
  reset(): void {
    this.#readings = [];
  }
}
