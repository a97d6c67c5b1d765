import { assert, assertEquals } from "@std/assert";
import type { Procedure } from "../../lib/run/scenario.ts";
import { authentication } from "../../scenarios/authentication.ts";
import { connectionLimit } from "../../scenarios/connection_limit.ts";
import { checkNamed, metricNamed, runScenarios, startReference } from "../support/run_scenarios.ts";
import { NO_NET as ignore } from "../support/targets.ts";

const PATIENT = { accepts: 1, noHelloWaitMs: 20_000 };

/** A procedure that does this work in each epoch. */
function working(work: (epoch: number) => Promise<void>): Procedure {
  return {
    kind: "procedure",
    name: "working",
    title: "Working",
    question: "?",
    metrics: {},
    headline: { metric: "none" },
    gates: [],
    profiles: [],
    defaults: { standard: { connections: 3 } },
    begin: (context) => ({ epoch: () => work(context.epoch) }),
  };
}

/** Resolves when the condition holds; fails after ten seconds. */
async function until(what: string, holds: () => boolean): Promise<void> {
  for (let tries = 0; !holds(); tries++) {
    assert(tries < 1000, what);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

Deno.test("the wait for a silent client's end overlaps the others", { ignore }, async () => {
  const limits = { maxConnections: 4, maxConnectionsPerIp: 4 };
  await using server = await startReference({ helloTimeoutMs: 1_500, limits });
  const epochs: number[] = [];
  const { scenarios } = await runScenarios([
    [authentication, PATIENT],
    [connectionLimit, { bound: 10 }],
    [
      working(async (epoch) => {
        epochs.push(epoch);
        const open = () => server.stats().connections;
        if (epoch === 1) await until("a silent client", () => open() === 1);
        if (epoch === 2) await until("its end", () => open() === 0);
      }),
      {},
    ],
  ], { ...server, epochs: 3, cold: true });
  assertEquals(scenarios.map(({ status }) => status), ["passed", "passed", "passed"]);
  assertEquals(epochs, [1, 2, 3]);
  // The silent client is gone while connections are counted.
  const { epochs: found } = metricNamed(scenarios[1]!, "limit", "scalar");
  assertEquals(found, [4, 4, 4]);
  const { observed } = checkNamed(scenarios[0]!, "no hello turned away");
  assertEquals(observed, "no result, close 4002 hello timeout or disconnect");
});

Deno.test("without room for another client, the wait comes last", { ignore }, async () => {
  const limits = { maxConnections: 3, maxConnectionsPerIp: 3 };
  await using server = await startReference({ helloTimeoutMs: 50, limits });
  const openIn: number[] = [];
  const doing: string[] = [];
  const { scenarios } = await runScenarios([
    [authentication, PATIENT],
    [
      working(() => {
        openIn.push(server.stats().connections);
        return Promise.resolve();
      }),
      {},
    ],
  ], {
    ...server,
    epochs: 2,
    cold: true,
    onProgress: (progress) => doing.push(...progress.doing === undefined ? [] : [progress.doing]),
  });
  assertEquals(scenarios.map(({ status }) => status), ["passed", "passed"]);
  assertEquals(openIn, [0, 0]);
  assertEquals(doing, ["waiting for the server's hello timeout (15 s by default)"]);
});
