import { assert, assertEquals } from "@std/assert";
import type { Parameters, Scenario } from "../../lib/run/scenario.ts";
import { authentication } from "../../scenarios/authentication.ts";
import { concurrentConnections } from "../../scenarios/concurrent_connections.ts";
import { connectionEstablishment } from "../../scenarios/connection_establishment.ts";
import { connectionLimit } from "../../scenarios/connection_limit.ts";
import { malformedInput } from "../../scenarios/malformed_input/mod.ts";
import { messageThroughput } from "../../scenarios/message_throughput.ts";
import { pipelining } from "../../scenarios/pipelining.ts";
import { reconnectStorm } from "../../scenarios/reconnect_storm.ts";
import { reconnection } from "../../scenarios/reconnection.ts";
import { scaling } from "../../scenarios/scaling.ts";
import { failedChecks, runScenarios, startReference } from "../support/run_scenarios.ts";
import { NO_NET as ignore } from "../support/targets.ts";

const LIMIT = 5;
const SHORT = { messages: null, durationMs: 20 };

/** Every scenario that opens its own connections, with no more of them than the server allows. */
const PLAN: (readonly [Scenario, Parameters])[] = [
  [connectionEstablishment, { connects: 5 }],
  [messageThroughput, SHORT],
  [concurrentConnections, { ...SHORT, connections: LIMIT }],
  [reconnection, { cycles: 2, pauseMs: 1 }],
  [authentication, { accepts: 2, noHelloWaitMs: 8_000 }],
  [connectionLimit, { bound: 20 }],
  [pipelining, { ...SHORT, inFlight: 4 }],
  [scaling, { ...SHORT, connections: LIMIT }],
  [malformedInput, { patienceMs: 8_000, noHelloWaitMs: 8_000 }],
  [reconnectStorm, { connections: LIMIT, patienceMs: 5_000 }],
];

for (const seed of [1, 2]) {
  Deno.test(
    `no scenario exceeds its connections in any order (seed ${seed})`,
    { ignore },
    async () => {
      await using server = await startReference({
        limits: { maxConnectionsPerIp: LIMIT },
        helloTimeoutMs: 4_000,
      });
      const refusedIn = new Map<string, number>();
      let running = "";
      let before = 0;
      // Refusals since the last call belong to the scenario that ran since.
      const attribute = (next: string) => {
        const { connectionsRefused } = server.stats();
        refusedIn.set(running, (refusedIn.get(running) ?? 0) + connectionsRefused - before);
        before = connectionsRefused;
        running = next;
      };
      const { scenarios } = await runScenarios(PLAN, {
        ...server,
        epochs: 4,
        settings: { seed },
        onProgress: ({ scenarios: names }) => attribute(names.join("+")),
      });
      attribute("");
      assertEquals(
        scenarios.flatMap((one) => [one.reason, ...failedChecks(one)]),
        PLAN.map(() => null),
      );
      const { [connectionLimit.name]: atLimit, ...others } = Object.fromEntries(refusedIn);
      assert(atLimit! >= 4, `${atLimit} refused by connection-limit`);
      assertEquals(Object.entries(others).filter(([, refused]) => refused > 0), []);
      assertEquals(server.stats().connections, 0);
    },
  );
}
