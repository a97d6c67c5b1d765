import { assertEquals } from "@std/assert";
import * as fc from "fast-check";
import { createMix, turnLength } from "../../scenarios/heavy_tools.ts";

const WEIGHTS = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 6 });

function toolsOf(weights: readonly number[]) {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return { total, tools: weights.map((weight, id) => ({ id, weight })) };
}

function countsOf(next: () => { id: number }, calls: number, kinds: number): number[] {
  const counts = Array<number>(kinds).fill(0);
  for (let call = 0; call < calls; call++) counts[next().id]!++;
  return counts;
}

Deno.test("a turn of the mix calls each tool as often as its weight says, wherever it starts", () => {
  fc.assert(fc.property(WEIGHTS, fc.nat(50), (weights, skip) => {
    const { tools, total } = toolsOf(weights);
    const length = turnLength(tools);
    const counts = countsOf(createMix(tools, skip), length, tools.length);
    assertEquals(counts, weights.map((weight) => weight * length / total));
  }));
});

Deno.test("a turn is as short as possible: its counts have no common divisor", () => {
  fc.assert(fc.property(WEIGHTS, (weights) => {
    const { tools } = toolsOf(weights);
    const counts = countsOf(createMix(tools), turnLength(tools), tools.length);
    for (let divisor = 2; divisor <= 20; divisor++) {
      assertEquals(counts.every((count) => count % divisor === 0), false);
    }
  }));
});

Deno.test("within a turn every tool is less than one call ahead of its share", () => {
  fc.assert(fc.property(WEIGHTS, (weights) => {
    const { tools, total } = toolsOf(weights);
    const next = createMix(tools);
    const counts = weights.map(() => 0);
    for (let call = 1; call <= total; call++) {
      counts[next().id]!++;
      for (const [id, weight] of weights.entries()) {
        if (counts[id]! - call * weight / total >= 1) throw new Error(`tool ${id} at call ${call}`);
      }
    }
  }));
});
