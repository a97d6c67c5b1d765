import { assertAlmostEquals, assertEquals } from "@std/assert";
import { randomStream } from "../../lib/stats/random.ts";
import {
  atServer,
  constantResponse,
  meanResponse,
  mostUsers,
  type Repairman,
  responseOver,
  responseP99,
} from "../support/repairman.ts";

/** Response times of a simulated server that serves one call at a time, in order. */
function simulate({ users, service, think }: Repairman, draw: (mean: number) => number): number[] {
  const next = Array.from({ length: users }, (_, user) => draw(think) + user * 1e-9);
  const responses: number[] = [];
  for (let freeAt = 0; responses.length < 200_000;) {
    const user = next.indexOf(Math.min(...next));
    const arrival = next[user]!;
    freeAt = Math.max(freeAt, arrival) + draw(service);
    responses.push(freeAt - arrival);
    next[user] = freeAt + draw(think);
  }
  return responses.slice(responses.length / 10);
}

Deno.test("the machine repairman model: one user never waits", () => {
  const alone = { users: 1, service: 2, think: 7 };
  assertAlmostEquals(meanResponse(alone), 2, 1e-9);
  assertAlmostEquals(responseOver(alone, 3), Math.exp(-3 / 2), 1e-12);
  assertAlmostEquals(atServer(alone)[1]!, 2 / 9, 1e-12);
});

Deno.test("the machine repairman model: mean and p99 are those of a simulation", () => {
  const random = randomStream(3, "repairman");
  const model = { users: 12, service: 1, think: 9 };
  const seen = simulate(model, (mean) => -Math.log(1 - random()) * mean).sort((a, b) => a - b);
  const mean = seen.reduce((sum, time) => sum + time, 0) / seen.length;
  assertAlmostEquals(mean / meanResponse(model), 1, 0.03);
  assertAlmostEquals(seen[Math.ceil(0.99 * seen.length) - 1]! / responseP99(model), 1, 0.05);
});

Deno.test("the machine repairman model: constant times reach the bound, which allows up to 40 users", () => {
  for (const users of [5, 30, 40]) {
    const model = { users, service: 20, think: 600 };
    const seen = simulate(model, (mean) => mean);
    assertAlmostEquals(seen.at(-1)!, constantResponse(model), 1e-6);
  }
  assertEquals(mostUsers({ service: 20, think: 600 }, 210, constantResponse), 40);
});
