import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import * as fc from "fast-check";
import { createProgress, rateWindow } from "../../lib/cli/progress.ts";
import { type LineFigures, progressLine } from "../../lib/cli/progress_line.ts";
import type { LiveFigures } from "../../lib/run/live.ts";
import type { Progress } from "../../lib/run/progress.ts";
import { createFakeClock } from "../support/fake_clock.ts";

const CLEAR = "\r\x1b[2K";
// deno-lint-ignore no-control-regex
const COLOR = /\x1b\[[0-9;]*m/g;

const FIGURES: LineFigures = {
  place: "[epoch 3/10] message-throughput",
  done: 4,
  total: 11,
  leftNs: 12e9,
  elapsedNs: 67.9e9,
  ok: 12_345,
  errors: 0,
  ratePerSecond: 5_021.4,
  times: { name: "latency", p50Ns: 184_000, p99Ns: 1_310_000 },
};

/** A run that counts how often its live figures are read. */
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

function running(
  watch: ReturnType<typeof watched>["watch"],
  place: Partial<Progress & { state: "running" }> = {},
): Progress {
  return {
    state: "running",
    stage: "epoch",
    scenarios: ["reconnection"],
    epoch: 1,
    epochs: 4,
    index: 1,
    of: 2,
    done: 0,
    total: 0,
    watch,
    ...place,
  };
}

const ENDED: Progress = {
  state: "ended",
  scenario: "reconnection",
  status: "failed",
  durationMs: 6100,
};

function display({ live = true, color = false, plannedNs = 0 } = {}) {
  const texts: string[] = [];
  const clock = createFakeClock();
  const progress = createProgress({
    write: (text) => texts.push(text),
    live,
    color,
    width: () => 100,
    clock,
    plannedNs,
  });
  return { texts, clock, progress };
}

Deno.test("a wide line has progress, elapsed and remaining time, rate, percentiles and errors", () => {
  assertEquals(
    progressLine(FIGURES, { width: 120, color: false }),
    "[epoch 3/10] message-throughput  ████░░░░░░░░  1:07  0:12 left  5,020 msg/s  p50 184 µs  p99 1.31 ms  0 errors",
  );
  const failing = { ...FIGURES, errors: 1, times: { name: "connect", p50Ns: 5e6, p99Ns: null } };
  assertStringIncludes(
    progressLine(failing, { width: 120, color: false }),
    "connect p50 5 ms  p99 –  1 error",
  );
});

Deno.test("a narrow line drops figures, errors last", () => {
  const at = (width: number, errors = 0) =>
    progressLine({ ...FIGURES, errors }, { width, color: false });
  assertEquals(
    at(90),
    "[epoch 3/10] message-throughput  1:07  0:12 left  5,020 msg/s  p50 184 µs  p99 1.31 ms",
  );
  assertEquals(at(40), "[epoch 3/1…  1:07  5,020 msg/s");
  assertEquals(at(40, 2), "[epoch 3/1…  1:07  2 errors");
  assertEquals(at(12), "[epoch …");
  assertEquals(at(1), "");
});

Deno.test("every line is narrower than its window, and the same text with and without colour", () => {
  const figures = fc.record({
    place: fc.stringMatching(/^[a-z-]{1,40}$/),
    leftNs: fc.option(fc.double({ min: 0, max: 1e15, noNaN: true })),
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

Deno.test("the rate covers about the last second", () => {
  const rateAt = rateWindow();
  assertEquals(rateAt(0, 0), null);
  assertEquals(rateAt(0.5e9, 100), 200);
  assertEquals(rateAt(1e9, 200), 200);
  assertEquals(rateAt(1.5e9, 200), 100);
  assertEquals(rateAt(2e9, 200), 0);
  // After a long gap, it covers the time since the last reading.
  assertEquals(rateAt(7e9, 1200), 200);
});

Deno.test("a live line is drawn immediately, then four times a second, until the scenario ends", () => {
  const { texts, clock, progress } = display();
  const { watch, state } = watched();
  progress.show(running(watch));
  assertEquals([texts.length, state.looks], [1, 1]);
  assert(texts[0]!.startsWith(`${CLEAR}[epoch 1/4] reconnection  ██░`), texts[0]);
  // Showing the same run again does not redraw the line.
  progress.show(running(watch, { epoch: 3 }));
  assertEquals(texts.length, 1);
  clock.advance(1000);
  assertEquals([texts.length, state.looks], [5, 5]);
  // Two epochs took a second, and two are left.
  assertStringIncludes(texts[4]!, "[epoch 3/4] reconnection");
  assertStringIncludes(texts[4]!, "0:01 left");
  progress.show(ENDED);
  assertEquals(texts.slice(5), [CLEAR, "reconnection: failed after 6.10 s\n"]);
  assertEquals(clock.pending, 0);
  progress[Symbol.dispose]();
  assertEquals(texts.length, 7);
});

Deno.test("before the first epoch ends, the remaining time comes from the plan", () => {
  const { texts, clock, progress } = display({ plannedNs: 40e9 });
  const { watch } = watched();
  clock.advance(10_000);
  progress.show(running(watch, { epoch: 0 }));
  assertStringIncludes(texts.at(-1)!, "0:30 left");
  clock.advance(31_000);
  assert(!texts.at(-1)!.includes("left"), texts.at(-1));
  progress[Symbol.dispose]();
});

Deno.test("a wait for the server is shown as such", () => {
  for (const live of [true, false]) {
    const { texts, progress } = display({ live });
    const { watch } = watched();
    progress.show(running(watch, { stage: "conclude", doing: "waiting for its timeout" }));
    assertStringIncludes(texts.join(""), "reconnection: waiting for its timeout");
    progress[Symbol.dispose]();
  }
});

Deno.test("a paced run is read only once a second", () => {
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

Deno.test("without a live display, plain lines are written and the run is never read", () => {
  const { texts, clock, progress } = display({ live: false, color: true });
  const { watch, state } = watched();
  progress.show(running(watch, { stage: "begin", epoch: 0 }));
  progress.show(running(watch, { epoch: 0 }));
  progress.show(running(watch, { epoch: 0, index: 2 }));
  progress.show(running(watch));
  progress.show(running(watch, { stage: "conclude", done: 1, total: 3 }));
  progress.show(running(watch, { stage: "conclude", done: 2, total: 3 }));
  progress.show(ENDED);
  progress[Symbol.dispose]();
  assertEquals(texts, [
    "[warm-up]\n",
    "[epoch 1/4]\n",
    "[1/2] finishing: reconnection\n",
    "reconnection: failed after 6.10 s\n",
  ]);
  assertEquals([state.looks, clock.pending], [0, 0]);
});
