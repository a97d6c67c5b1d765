import type { Case, Derivation, Slice } from "../../lib/run/scenario.ts";
import { caseKey, ONE_CLIENT } from "../../lib/run/scenario.ts";
import { UNIT_CASE } from "../../lib/run/unit_baseline.ts";
import type { Added } from "../../lib/schema.ts";
import { addedPart, sumOfParts } from "../../lib/stats/layers.ts";
import { median } from "../../lib/stats/median.ts";

/** The layers of a call, lowest first; rigs.ts describes them. */
export const LAYER_NAMES = [
  "dispatch",
  "codec",
  "wakeup",
  "tcp",
  "websocket",
  "routing",
  "tool",
] as const;
export type LayerName = typeof LAYER_NAMES[number];

/** The layers whose times a layer contains, so that it adds only the rest. */
const CONTAINED: Readonly<Record<LayerName, readonly LayerName[]>> = {
  dispatch: [],
  codec: [],
  wakeup: [],
  tcp: ["wakeup"],
  websocket: ["tcp"],
  routing: ["websocket"],
  tool: ["routing", "dispatch"],
};

/** Maximum difference between the sum of the layers and the call, as a share of the call. */
const SUM_TOLERANCE = 0.1;

interface Step {
  name: LayerName;
  case: Case;
  contains: readonly Step[];
  /** All times of the current epoch. */
  times: { epoch: number; ns: number[] };
  /** Median by epoch. */
  medians: (number | null)[];
  /** Medians of the slices by epoch. */
  slices: number[][];
}

/** The layers of a call as cases, and the time that each adds. */
export class Ladder {
  readonly #steps: readonly Step[];

  /** The bundled server's dispatch; if that is the target, the same case as the unit baseline. */
  readonly dispatch: Case;

  /** @param options.isUnit true if the bundled server is the target */
  constructor({ isUnit, hasRouting }: { isUnit: boolean; hasRouting: boolean }) {
    this.dispatch = isUnit ? UNIT_CASE : { ...ONE_CLIENT, layer: "bundledDispatch" };
    const special: Partial<Record<LayerName, Case>> = { dispatch: this.dispatch, tool: ONE_CLIENT };
    const steps = new Map<LayerName, Step>();
    for (const name of LAYER_NAMES) {
      if (name === "routing" && !hasRouting) continue;
      steps.set(name, {
        ...{ name, times: { epoch: 0, ns: [] }, medians: [], slices: [] },
        case: special[name] ?? { ...ONE_CLIENT, layer: name },
        contains: CONTAINED[name]
          // Without `routing`, the call contains what `routing` would.
          .flatMap((inner) => steps.has(inner) ? [inner] : CONTAINED[inner])
          .map((inner) => steps.get(inner)!),
      });
    }
    this.#steps = [...steps.values()];
  }

  get cases(): readonly Case[] {
    return this.#steps.map((step) => step.case);
  }

  /** Adds a slice to the medians if its case is a layer. */
  addSlice(
    one: Case,
    { complete, timesNs }: Pick<Slice, "complete" | "timesNs">,
    epoch: number,
  ): void {
    const step = this.#steps.find((step) => caseKey(step.case) === caseKey(one));
    if (step === undefined || !complete || timesNs.length === 0) return;
    if (step.times.epoch !== epoch) step.times = { epoch, ns: [] };
    for (const ns of timesNs) step.times.ns.push(ns);
    // However few the calls: the interval over the epochs shows how reliable the median is.
    step.medians[epoch] = median(step.times.ns);
    (step.slices[epoch] ??= []).push(median([...timesNs]));
  }

  /** Records the time that each measured layer adds, and invalidates an inconsistent breakdown. */
  derive(derivation: Derivation): void {
    const whole = epochsOf(this.#steps.at(-1)!);
    for (const step of this.#steps) {
      const { name, contains } = step;
      const latency = derivation.of(step.case)?.latency;
      if (latency === undefined) continue;
      const at = { layer: name };
      const part = addedPart(epochsOf(step), contains.map(epochsOf), whole);
      if (part === null) {
        derivation.adopt("layer", latency, { at });
        continue;
      }
      const measuredOn = name === "routing" || name === "tool" ? "target" : "bundled";
      const added: Added = { above: contains[0]?.name ?? null, ...part, measuredOn };
      derivation.adopt("layer", latency, { at, added });
      judgePart(derivation, step, added);
    }
    this.#judgeSum(derivation);
  }

  #judgeSum(derivation: Derivation): void {
    // Both layers on the server handle JSON, so they contain `codec` already.
    const summed = this.#steps.filter(({ name }) => name !== "codec");
    const sum = sumOfParts(summed.map(({ slices, contains }) => ({
      slices,
      contains: contains.map((inner) => summed.indexOf(inner)),
    })));
    if (sum === null || sum.ci95 === null) return;
    const [low, high] = sum.ci95;
    if (low <= 1 + SUM_TOLERANCE && high >= 1 - SUM_TOLERANCE) return;
    const percent = (share: number) => `${Math.round(100 * share)} %`;
    derivation.invalidate({
      kind: "layerSum",
      message: `the layers add up to ${percent(sum.value)} of the call (95 % interval ` +
        `${percent(low)} to ${percent(high)}): each was measured in its own slices, and the ` +
        "first slices of an epoch differ from later ones; use a longer --warmup or --duration",
      sum: sum.value,
      low,
      high,
    });
  }
}

function epochsOf({ medians }: Step): (number | null)[] {
  return Array.from(medians, (ns) => ns ?? null);
}

/** A negative layer shows that what it should contain is not part of it. */
function judgePart(derivation: Derivation, { name: layer, contains }: Step, { ci95 }: Added): void {
  if (ci95 === null || ci95[1] >= 0) return;
  const [low, high] = ci95;
  const [from, to] = ci95.map((ns) => `${(ns / 1e3).toFixed(1)} µs`);
  const parts = contains.map(({ name }) => name).join(" and ");
  derivation.invalidate({
    kind: "negativeLayer",
    message:
      `the layer ${layer} takes less time than ${parts}${contains.length > 1 ? " together" : ""} ` +
      `(${from} to ${to}): the server does part of that work faster than the suite's stand-ins, ` +
      "so the breakdown does not hold",
    ...{ layer, low, high },
  });
}
