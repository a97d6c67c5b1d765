import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import * as fc from "fast-check";
import { createProgress } from "../../lib/cli/progress.ts";
import { type LineFigures, progressLine } from "../../lib/cli/progress_line.ts";
import { RateWindow } from "../../lib/cli/rate_window.ts";
import type { LiveFigures } from "../../lib/run/live.ts";
import type { Progress } from "../../lib/run/runner.ts";
import { createFakeClock } from "../support/fake_clock.ts";

const CLEAR = "\r\x1b[2K";
// deno-lint-ignore no-control-regex
const COLOR = /\x1b\[[0-9;]*m/g;

const FIGURES: LineFigures = {
  scenario: "message-throughput",
  index: 2,
  scenarios: 6,
  done: 3,
  total: 10,
  elapsedNs: 67.9e9,
  ok: 12_345,
  errors: 0,
  ratePerSecond: 5_021.4,
  times: { name: "latency", p50Ns: 184_000, p99Ns: 1_310_000 },
};

/** Why a run may be looked at here and not there. */
function watched({ isPaced = false } = {}) {
  const state = { isPaced, looks: 0, figures: { elapsedNs: 0, ok: 0, errors: 0, times: null } };
  const watch = {
    get isPaced() {
      return state.isPaced;
    },
    live(): LiveFigures {
      state.looks++;
      return state.figures;
    },
  };
  return { state, watch };
}

function running(watch: ReturnType<typeof watched>["watch"], done = 0, index = 1): Progress {
  const scenario = index === 1 ? "soak" : "reconnection";
  return { state: "running", scenario, index, scenarios: 2, done, total: 4, watch };
}

const ENDED: Progress = {
  state: "ended",
  scenario: "soak",
  index: 1,
  scenarios: 2,
  status: "failed",
  durationMs: 6100,
};

function display({ live = true, color = false } = {}) {
  const texts: string[] = [];
  const clock = createFakeClock();
  const progress = createProgress({
    write: (text) => texts.push(text),
    live,
    color,
    width: () => 100,
    clock,
  });
  return { texts, clock, progress };
}

Deno.test("a wide line tells the place, rounds, time, rate, percentiles and errors", () => {
  assertEquals(
    progressLine(FIGURES, { width: 120, color: false }),
    "[2/6] message-throughput  ████░░░░░░░░  3/10  1:07  5,021 msg/s  p50 0.18 ms  p99 1.31 ms  0 errors",
  );
  const failing = { ...FIGURES, errors: 1, times: { name: "connect", p50Ns: 5e6, p99Ns: null } };
  assertStringIncludes(
    progressLine(failing, { width: 120, color: false }),
    "connect p50 5.00 ms  p99 –  1 error",
  );
});

Deno.test("what has no room is left out, errors last of all figures", () => {
  const at = (width: number, errors = 0) =>
    progressLine({ ...FIGURES, errors }, { width, color: false });
  assertEquals(
    at(80),
    "[2/6] message-throughput  3/10  1:07  5,021 msg/s  p50 0.18 ms  p99 1.31 ms",
  );
  assertEquals(at(40), "[2/6] message-th…  1:07  5,021 msg/s");
  assertEquals(at(40, 2), "[2/6] message-th…  1:07  2 errors");
  assertEquals(at(12), "[2/6] messa");
  assertEquals(at(1), "");
});

Deno.test("no line is as wide as its window, and colour changes nothing but the colour", () => {
  const figures = fc.record({
    scenario: fc.stringMatching(/^[a-z-]{1,40}$/),
    index: fc.integer({ min: 1, max: 99 }),
    scenarios: fc.integer({ min: 1, max: 99 }),
    done: fc.nat(),
    total: fc.nat(),
    elapsedNs: fc.double({ min: 0, max: 1e15, noNaN: true }),
    ok: fc.nat(),
    errors: fc.nat(),
    ratePerSecond: fc.option(fc.double({ min: 0, max: 1e9, noNaN: true })),
    times: fc.constantFrom(null, FIGURES.times, { name: "layer.dispatch", p50Ns: 3, p99Ns: null }),
  });
  fc.assert(fc.property(figures, fc.integer({ min: 1, max: 200 }), (given, width) => {
    const plain = progressLine(given, { width, color: false });
    assert([...plain].length < width, `${width}: ${plain}`);
    assertEquals(progressLine(given, { width, color: true }).replace(COLOR, ""), plain);
  }));
});

Deno.test("after the last round there is no rate to tell", () => {
  const line = progressLine({ ...FIGURES, done: 10 }, { width: 120, color: false });
  assertStringIncludes(line, "1:07  finishing  p50");
});

Deno.test("the rate is that of about the last second", () => {
  const rate = new RateWindow();
  assertEquals(rate.add(0, 0), null);
  assertEquals(rate.add(0.5e9, 100), 200);
  assertEquals(rate.add(1e9, 200), 200);
  assertEquals(rate.add(1.5e9, 200), 100);
  assertEquals(rate.add(2e9, 200), 0);
  // After a long silence of the timer, since the last reading there was.
  assertEquals(rate.add(7e9, 1200), 200);
  rate.reset();
  assertEquals(rate.add(8e9, 5), null);
});

Deno.test("a live line is drawn at once, then four times a second, until the scenario ends", () => {
  const { texts, clock, progress } = display();
  const { watch, state } = watched();
  progress.show(running(watch));
  assertEquals([texts.length, state.looks], [1, 1]);
  assert(texts[0]!.startsWith(`${CLEAR}[1/2] soak  ░`));
  // Rounds do not draw by themselves.
  progress.show(running(watch, 1));
  assertEquals(texts.length, 1);
  clock.advance(1000);
  assertEquals([texts.length, state.looks], [5, 5]);
  assertStringIncludes(texts[4]!, "1/4");
  progress.show(ENDED);
  assertEquals(texts.slice(5), [CLEAR, "[1/2] soak: failed after 6.1 s\n"]);
  assertEquals(clock.pending, 0);
  progress[Symbol.dispose]();
  assertEquals(texts.length, 7);
});

Deno.test("a run that keeps a schedule is looked at once a second", () => {
  const { clock, progress } = display();
  const { watch, state } = watched({ isPaced: true });
  progress.show(running(watch));
  clock.advance(3000);
  assertEquals(state.looks, 4);
  state.isPaced = false;
  clock.advance(1000);
  assertEquals(state.looks, 8);
  progress[Symbol.dispose]();
  clock.advance(5000);
  assertEquals([state.looks, clock.pending], [8, 0]);
});

Deno.test("elsewhere there are plain lines, and nothing looks at the run", () => {
  const { texts, clock, progress } = display({ live: false, color: true });
  const { watch, state } = watched();
  progress.show(running(watch));
  progress.show(running(watch, 1));
  progress.show(ENDED);
  progress.show(running(watch, 0, 2));
  progress[Symbol.dispose]();
  assertEquals(texts, [
    "[1/2] soak\n",
    "[1/2] soak: failed after 6.1 s\n",
    "[2/2] reconnection\n",
  ]);
  assertEquals([state.looks, clock.pending], [0, 0]);
});
