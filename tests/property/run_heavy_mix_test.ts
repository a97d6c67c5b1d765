import { assertEquals } from "@std/assert";
import * as fc from "fast-check";
import { createMix, turnLength } from "../../scenarios/heavy_tools.ts";

const WEIGHTS = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 6 });

function countsOf(next: () => { id: number }, calls: number, kinds: number): number[] {
  const counts = Array<number>(kinds).fill(0);
  for (let call = 0; call < calls; call++) counts[next().id]!++;
  return counts;
}

Deno.test("a turn of the mix has every tool as often as its weight says, wherever it begins", () => {
  fc.assert(fc.property(WEIGHTS, fc.nat(50), (weights, skip) => {
    const tools = weights.map((weight, id) => ({ id, weight }));
    const length = turnLength(tools);
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const counts = countsOf(createMix(tools, skip), length, tools.length);
    assertEquals(counts, weights.map((weight) => weight * length / total));
  }));
});

Deno.test("a turn cannot be shorter: its counts have no common divisor", () => {
  fc.assert(fc.property(WEIGHTS, (weights) => {
    const tools = weights.map((weight, id) => ({ id, weight }));
    const counts = countsOf(createMix(tools), turnLength(tools), tools.length);
    for (let divisor = 2; divisor <= 20; divisor++) {
      assertEquals(counts.every((count) => count % divisor === 0), false);
    }
  }));
});

Deno.test("within a turn no tool is ahead of its share by a whole call or more", () => {
  fc.assert(fc.property(WEIGHTS, (weights) => {
    const tools = weights.map((weight, id) => ({ id, weight }));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
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
