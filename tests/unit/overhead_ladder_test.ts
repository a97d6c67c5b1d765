import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import type { Added, Fact } from "../../lib/schema.ts";
import type { Derivation } from "../../lib/run/scenario.ts";
import { Ladder, LAYER_NAMES } from "../../scenarios/overhead_breakdown/ladder.ts";

/** Medians by layer; each adds 100, but codec 200 and wakeup 300. */
const MEDIANS = [100, 200, 300, 400, 500, 600, 800];

type Slices = (layer: number, epoch: number) => number[];

/** Derives the results of a ladder with these medians per layer and epoch. */
function derive(epochs: number, slices: Slices, { hasRouting = true } = {}) {
  const ladder = new Ladder({ isUnit: false, hasRouting });
  for (let epoch = 1; epoch <= epochs; epoch++) {
    for (const [layer, one] of ladder.cases.entries()) {
      for (const ns of slices(layer, epoch)) {
        ladder.addSlice(one, { complete: true, timesNs: Float64Array.of(1, ns, 1e9) }, epoch);
      }
      ladder.addSlice(one, { complete: false, timesNs: Float64Array.of(1e9) }, epoch);
    }
  }
  const warnings: Fact[] = [];
  const added: (Added & { layer: string })[] = [];
  ladder.derive({
    of: () => ({ latency: {} }),
    adopt: (_name: string, _recorder: unknown, options: { at: { layer: string }; added: Added }) =>
      added.push({ ...options.added, layer: options.at.layer }),
    invalidate: (fact: Fact) => warnings.push(fact),
  } as unknown as Derivation);
  return { added, warnings };
}

/** The layer that each one's `above` names. */
const ABOVE: Record<string, string | null> = {
  ...{ dispatch: null, codec: null, wakeup: null, tcp: "wakeup", websocket: "tcp" },
  ...{ routing: "websocket", tool: "routing" },
};

Deno.test("a layer adds the difference between its epochs' medians and those that it contains", () => {
  const { added, warnings } = derive(6, (layer, epoch) => [MEDIANS[layer]! * epoch]);
  assertEquals(warnings, []);
  for (const [index, { layer, above, value, share, measuredOn }] of added.entries()) {
    assertEquals([layer, above], [LAYER_NAMES[index]!, ABOVE[layer]!]);
    const part = { codec: 2, wakeup: 3 }[layer] ?? 1;
    // Of a typical call: epochs take 1 to 6 times as long.
    assertAlmostEquals(value, 100 * part * (1 * 2 * 3 * 4 * 5 * 6) ** (1 / 6), 1e-9);
    assertEquals(measuredOn, index < 5 ? "bundled" : "target");
    assert(Math.abs(share! - part / 8) < 1e-12);
  }
  assertEquals(added.length, 7);
});

Deno.test("an epoch's median is over all its times, not over its slices", () => {
  const ladder = new Ladder({ isUnit: false, hasRouting: true });
  const [lowest] = ladder.cases;
  for (const ns of [[1, 2, 3, 4, 5, 6], [900]]) {
    ladder.addSlice(lowest!, { complete: true, timesNs: Float64Array.from(ns) }, 1);
  }
  const values: number[] = [];
  ladder.derive({
    of: (one: unknown) => one === lowest ? { latency: {} } : null,
    adopt: (_name: string, _recorder: unknown, { added }: { added: Added }) =>
      values.push(added.value),
  } as unknown as Derivation);
  assertEquals(values, [4]);
});

Deno.test("without a routing probe, the whole call is above the WebSocket layer", () => {
  const { added } = derive(2, (layer) => [MEDIANS[layer]!], { hasRouting: false });
  assertEquals(added.map(({ layer }) => layer), LAYER_NAMES.filter((name) => name !== "routing"));
  assertEquals([added.at(-1)!.above, added.at(-1)!.value], ["websocket", 0]);
});

Deno.test("a layer entirely below zero makes the breakdown invalid, noise around zero does not", () => {
  const faster = (layer: number, epoch: number) => [layer === 6 ? 690 - epoch : MEDIANS[layer]!];
  const [warning, ...others] = derive(6, faster).warnings;
  assertEquals([warning!.kind, warning!.layer, others], ["negativeLayer", "tool", []]);
  assertEquals(derive(4, faster).warnings, []);
  const noisy = (layer: number, epoch: number) => [
    layer === 6 ? 690 + (epoch % 2 ? 30 : -30) : MEDIANS[layer]!,
  ];
  assertEquals(derive(6, noisy).warnings, []);
});

Deno.test("layers that are steady within each epoch add up", () => {
  const even: Slices = (layer, epoch) => [epoch * MEDIANS[layer]!, epoch * MEDIANS[layer]!];
  assertEquals(derive(6, even).warnings, []);
});

Deno.test("layers whose later slices take longer do not add up, if the interval is clear", () => {
  const late: Slices = (layer, epoch) => {
    const ns = 10 * MEDIANS[layer]!;
    return [ns, layer === 3 ? ns + 1_100 + epoch : ns];
  };
  const [warning, ...others] = derive(6, late).warnings;
  assertEquals([warning!.kind, others], ["layerSum", []]);
  assert(Math.abs(warning!.sum as number - 1) > 0.1, `${warning!.sum}`);
  // Four epochs have no interval.
  assertEquals(derive(4, late).warnings, []);
  // Epochs that disagree do not show it either.
  const mixed: Slices = (layer, epoch) =>
    epoch % 2 === 0 ? late(layer, epoch) : late(layer, epoch).reverse();
  assertEquals(derive(6, mixed).warnings, []);
});
