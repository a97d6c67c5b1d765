import type { Begun, Case, CasePlan, CaseScenario } from "../../lib/run/scenario.ts";
import type { Derivation, ScenarioContext } from "../../lib/run/scenario.ts";
import { lengths, ONE_CLIENT, THROUGHPUT, TIMES } from "../../lib/run/scenario.ts";
import { noteRelayed } from "../../lib/run/note_relay.ts";
import { boundBy, floorShare } from "../../lib/run/validity.ts";
import { addPayload } from "../../lib/run/workload.ts";
import { createSizeSearch, describeSize, KIB, MIB } from "./size_limit.ts";

/** Measured up to the first that is not served. */
const SIZES = [256, KIB, 4 * KIB, 16 * KIB, 64 * KIB, 256 * KIB, MIB];
/** Tried once each to find the limit. The last exceeds 32 MiB, a common limit. */
const LARGER_SIZES = [4 * MIB, 16 * MIB, 33 * MIB];
const LIMIT = "limit of a request's size";
const COMMON = {
  /** Measures only this size; `null`: the run's own calls, 256 B to 1 MiB, and the limit. */
  payloadBytes: null as number | null,
  /** Maximum payload sent. */
  highestBytes: 33 * MIB,
};

type Context = ScenarioContext<typeof COMMON>;

export const payloadSize: CaseScenario<typeof COMMON> = {
  kind: "cases",
  name: "payload-size",
  question: "How does request size affect speed, and what happens to a request that is too large?",
  metrics: {
    latency: TIMES,
    throughput: THROUGHPUT,
    bandwidth: { kind: "scalar", unit: "bytes/s", better: "higher" },
    floor: { ...THROUGHPUT, better: null },
    largestServed: { kind: "scalar", unit: "bytes", better: null },
    smallestRefused: { kind: "scalar", unit: "bytes", better: null },
  },
  headline: ({ payloadBytes }) => ({
    metric: "throughput",
    at: { payloadBytes: payloadBytes ?? MIB },
  }),
  gates: [{ metric: "latency" }],
  profiles: ["thorough"],
  relaysSome: true,
  takes: ({ payloadBytes }) => ({ slices: payloadBytes === null ? SIZES.length : 1 }),
  defaults: lengths(COMMON, { quick: 50, standard: 100, thorough: 200, phase2: 10 }),

  begin(context) {
    const { payloadBytes } = context.parameters;
    const { tool, argsJson } = addPayload(context.workload, 1)();
    const { protocol } = context.target.options;
    if (!protocol.encodeCall("0", tool, argsJson).includes(argsJson)) {
      return { skipped: `a call of ${tool} carries no arguments: choose another with --tool` };
    }
    if (payloadBytes === null) return planUpToLimit(context);
    if (payloadBytes === 0) return { skipped: "--payload 0 leaves no payload to measure" };
    context.notMeasured(LIMIT, `--payload asks for ${describeSize(payloadBytes)} only`);
    // --payload applies to the run's own calls.
    return planOf(new Map([[payloadBytes, ONE_CLIENT]]));
  },
};

/** Plans the run's own calls and the sizes that are served; larger ones follow the last epoch. */
async function planUpToLimit(context: Context): Promise<Begun<CasePlan>> {
  const { target, parameters: { highestBytes } } = context;
  const search = createSizeSearch(context);
  const sizes = new Map([[0, ONE_CLIENT]]);
  for (const payloadBytes of SIZES.filter((size) => size <= highestBytes)) {
    if (!await search.isServed(payloadBytes)) break;
    sizes.set(payloadBytes, { ...ONE_CLIENT, payloadBytes });
  }
  if (sizes.size === 1) {
    const { status, said } = search.latest!;
    const why = status === "rateLimited" ? "refused because of load" : said;
    const refused = `a payload of ${describeSize(SIZES[0]!)} is not served (${why})`;
    // After an error reply another tool may work. A server that is silent or gone has failed.
    if (status !== "toolError") throw new Error(refused);
    return { skipped: `${refused}: choose a tool that accepts any argument with --tool` };
  }
  const served = [...sizes.keys()];
  context.setHeadline({ metric: "throughput", at: { payloadBytes: served.at(-1)! } });
  const list = served.filter((size) => target.relays(size)).map(describeSize).join(", ");
  noteRelayed(context, list === "" ? null : `calls of ${list}`);
  return {
    ...planOf(sizes),
    async conclude() {
      for (const size of [...SIZES, ...LARGER_SIZES].filter((size) => size <= highestBytes)) {
        const { payloadBytes, status } = search.latest!;
        // Larger sizes are pointless after a close or a rate limiter's refusal.
        const isOver = status !== "ok" && status !== "toolError";
        if (size > payloadBytes && !isOver) await search.isServed(size);
      }
      search.record(LIMIT);
    },
  };
}

/** The case that measures each payload size; 0: the run's calls are sent unchanged. */
type Sizes = ReadonlyMap<number, Case>;

function planOf(sizes: Sizes): CasePlan {
  const cases = [...sizes.values()];
  return {
    cases,
    // The client's cost depends on the size. The largest comes first because it is the headline.
    floors: cases.toReversed(),
    derive(derivation) {
      for (const [payloadBytes, one] of sizes) {
        const at = { payloadBytes };
        const rates = derivation.calls(one, at)?.rates ?? [];
        const bandwidths = rates.map((rate) => rate === null ? null : rate * payloadBytes);
        if (payloadBytes > 0) derivation.estimate("bandwidth", bandwidths, { at });
        derivation.estimate("floor", derivation.floorOf(one)?.rates ?? [], { at });
      }
      judgeFloors(derivation, sizes);
    },
  };
}

/** A floor this slow shows that the client's system holds calls back. */
const HELD_BACK_NS = 10e6;
/** Share of such a floor from which the client is the bottleneck; a slow server stays far below. */
const HELD_BACK_SHARE = 0.5;

/** Warns about the sizes at which the client was the bottleneck. */
export function judgeFloors(
  derivation: Pick<Derivation, "of" | "floorOf" | "invalidate">,
  sizes: Sizes,
): void {
  const bound = [...sizes].flatMap(([payloadBytes, one]) => {
    const floor = floorShare(derivation.of(one), derivation.floorOf(one));
    if (floor === null) return [];
    const isHeldBack = (floor.latencyP50Ns ?? 0) >= HELD_BACK_NS;
    const isBound = isHeldBack ? floor.share >= HELD_BACK_SHARE : boundBy(floor) === "bound";
    return isBound ? [{ size: describeSize(payloadBytes), isHeldBack }] : [];
  });
  if (bound.length === 0) return;
  const list = (some: typeof bound) => some.map(({ size }) => size).join(", ");
  const held = bound.filter(({ isHeldBack }) => isHeldBack);
  derivation.invalidate({
    kind: "clientBoundSizes",
    message:
      `client-bound at ${list(bound)}: a server that does nothing is no faster with this client` +
      (held.length === 0
        ? ""
        : `, whose system holds back frames of ${list(held)} for up to 40 ms (Nagle's algorithm)`) +
      (bound.length === sizes.size ? "" : "; the figures of all other sizes are valid"),
    sizes: list(bound),
    heldBack: held.length === 0 ? null : list(held),
  });
}
