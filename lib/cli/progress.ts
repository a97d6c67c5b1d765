/**
 * Shows the progress of a run: on a terminal one line that is redrawn with live figures, elsewhere
 * a plain line at the start of each epoch and the end of each scenario.
 *
 * @module
 */

import type { Clock } from "../client/clock.ts";
import { paint, type Style } from "../report/render/terminal.ts";
import { formatMilliseconds } from "../report/units.ts";
import type { Progress } from "../run/progress.ts";
import type { ScenarioReport } from "../schema.ts";
import { progressLine } from "./progress_line.ts";

export interface ProgressOptions {
  write: (text: string) => void;
  /** True for one line that is redrawn, false for plain lines. */
  live: boolean;
  color: boolean;
  /** The columns of the terminal; called for every drawing. */
  width: () => number;
  clock: Clock;
  plannedNs: number;
}

/** A progress display. Dispose of it before anything else is printed; `show` starts it again. */
export interface ProgressDisplay extends Disposable {
  show(progress: Progress): void;
}

type Running = Extract<Progress, { state: "running" }>;
type Ended = Extract<Progress, { state: "ended" }>;

const CLEAR_LINE = "\r\x1b[2K";
/** Time between two drawings. */
const INTERVAL_MS = 250;
/** The same while calls are sent on a schedule, as a drawing can delay one. */
const PACED_INTERVAL_MS = 1000;
const STATUS_STYLES: Record<ScenarioReport["status"], Style> = {
  ...{ passed: "green", failed: "red", skipped: "dim", interrupted: "yellow" },
};

/** Starts a display. A live one polls the run on its own timer, so calls cost nothing extra. */
export function createProgress(options: ProgressOptions): ProgressDisplay {
  return options.live ? liveDisplay(options) : plainDisplay(options);
}

/** Prints each epoch once, and at the end each scenario that still has work to do. */
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

/** One line that is redrawn. */
function liveDisplay({ write, width, color, clock, plannedNs }: ProgressOptions): ProgressDisplay {
  const startNs = clock.nowNs();
  /** The start of the first epoch after the warm-up. */
  let epochsBegunNs: number | null = null;
  let running: Running | null = null;
  let rateAt = rateWindow();
  let cancel = () => {};

  /** From the plan until the second epoch, then from the epochs so far; `null` if unknown. */
  const leftNs = (now: Running) => {
    const { stage, epoch, epochs } = now;
    if (stage === "conclude" || epoch > epochs) return null;
    if (epochsBegunNs === null || epoch < 2) {
      const leftNs = plannedNs - (clock.nowNs() - startNs);
      return leftNs > 0 ? leftNs : null;
    }
    const done = doneOf(now) - 1;
    return done <= 0 ? null : (clock.nowNs() - epochsBegunNs) / done * (epochs - done);
  };
  const draw = () => {
    const now = running!;
    const figures = now.watch.live();
    const line = progressLine({
      ...figures,
      place: placeText(now),
      done: doneOf(now),
      total: Math.max(now.epochs, now.epoch) + 1,
      leftNs: leftNs(now),
      ratePerSecond: rateAt(figures.elapsedNs, figures.ok),
    }, { width: width(), color });
    write(CLEAR_LINE + line);
    cancel();
    wait(INTERVAL_MS);
  };
  /** Draws after an interval, or a longer one while calls are sent on a schedule. */
  const wait = (sinceMs: number) => {
    cancel = clock.after(INTERVAL_MS, () => {
      const isDue = !running!.watch.isPaced || sinceMs >= PACED_INTERVAL_MS;
      return isDue ? draw() : wait(sinceMs + INTERVAL_MS);
    });
  };
  const clear = () => {
    cancel();
    if (running !== null) write(CLEAR_LINE);
    running = null;
  };
  return {
    show(progress) {
      if (progress.state === "ended") {
        clear();
        return write(`${paint(endText(progress), STATUS_STYLES[progress.status], color)}\n`);
      }
      const isNew = running?.watch !== progress.watch;
      running = progress;
      if (progress.epoch > 0) epochsBegunNs ??= clock.nowNs();
      if (!isNew) return;
      rateAt = rateWindow();
      draw();
    },
    [Symbol.dispose]: clear,
  };
}

function endText({ scenario, status, durationMs }: Ended): string {
  return `${scenario}: ${status} after ${formatMilliseconds(durationMs)}`;
}

/** Finished epochs, including the warm-up, plus the fraction of the current one. */
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

/** How far back the current rate looks. */
const WINDOW_NS = 1e9;

/**
 * Returns a function that takes readings of a growing count, and returns its rate per second over
 * about the last second; `null` for the first reading.
 */
export function rateWindow(): (atNs: number, count: number) => number | null {
  const readings: { atNs: number; count: number }[] = [];
  return (atNs, count) => {
    readings.push({ atNs, count });
    const from = readings.findLastIndex((reading) => reading.atNs <= atNs - WINDOW_NS);
    if (from > 0) readings.splice(0, from);
    const first = readings[0]!;
    const elapsedNs = atNs - first.atNs;
    return elapsedNs > 0 ? (count - first.count) / (elapsedNs / 1e9) : null;
  };
}
