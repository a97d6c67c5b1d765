import type { Progress } from "../run/runner.ts";

/** How progress is shown. */
export interface ProgressOptions {
  write: (text: string) => void;
  /** A line that is overwritten in place, or else one line for each scenario. */
  live: boolean;
}

const CLEAR_LINE = "\r\x1b[2K";
const BAR_WIDTH = 20;

/** Shows how far a run is. Call `done` before anything else is printed. */
export function createProgress(
  { write, live }: ProgressOptions,
): { show: (progress: Progress) => void; done: () => void } {
  let announced = "";
  return {
    show({ scenario, index, scenarios, done, total }) {
      const place = `[${index}/${scenarios}] ${scenario}`;
      if (live) {
        const filled = Math.round(BAR_WIDTH * done / Math.max(1, total));
        const bar = "█".repeat(filled) + "░".repeat(BAR_WIDTH - filled);
        write(`${CLEAR_LINE}${place} ${bar} ${done}/${total}`);
      } else if (scenario !== announced) {
        write(`${place}\n`);
      }
      announced = scenario;
    },
    done() {
      if (live && announced !== "") write(CLEAR_LINE);
    },
  };
}
