import { assertEquals } from "@std/assert";
import { openLedger } from "../../lib/client/ledger.ts";
import { createFakeClock } from "../support/fake_clock.ts";
import { type Behaviour, startFaultyServer } from "../support/faulty_server.ts";
import { NO_NET as ignore, STATUS, targetAt } from "../support/targets.ts";

/** A connection whose server answers only the first call, on a fake clock. */
async function connectSilent(first: Behaviour) {
  const server = await startFaultyServer({
    script: (nth) => nth === 1 ? first : { kind: "silent" },
  });
  const clock = createFakeClock();
  const target = targetAt(server.url, { clock, timeoutMs: 100 });
  const connection = await target.connect(openLedger());
  const ended: string[] = [];
  const enter = (name: string, next?: () => void) =>
    connection.send(STATUS, ({ status, endedNs }) => {
      ended.push(`${name} ${status} ${endedNs / 1e6}`);
      next?.();
    });
  return {
    clock,
    connection,
    ended,
    enter,
    async [Symbol.asyncDispose]() {
      const closing = connection.close();
      await new Promise((resolve) => setTimeout(resolve, 0));
      clock.advance(10_000); // The wait for late frames.
      await closing;
      target[Symbol.dispose]();
      await server[Symbol.asyncDispose]();
      assertEquals([connection.oldestId, clock.pending], [null, 0], "no call or timer is left");
    },
  };
}

Deno.test({ name: "a call times out after its own time, not a later one's", ignore }, async () => {
  await using silent = await connectSilent({ kind: "silent" });
  const { clock, ended, enter } = silent;
  enter("a", () => enter("c")); // As in a closed loop: one end starts the next.
  clock.advance(40);
  enter("b");
  clock.advance(300);
  assertEquals(ended, ["a timeout 100", "b timeout 140", "c timeout 200"]);
});

Deno.test({ name: "a timeout set when a call times out holds for the next", ignore }, async () => {
  await using silent = await connectSilent({ kind: "silent" });
  const { clock, connection, ended, enter } = silent;
  enter("a", () => {
    connection.useTimeout(30);
    enter("b", () => {
      connection.useTimeout(200);
      enter("c");
    });
  });
  clock.advance(100);
  assertEquals([ended, clock.pending], [["a timeout 100"], 1], "one timer for all calls");
  clock.advance(900);
  assertEquals(ended, ["a timeout 100", "b timeout 130", "c timeout 330"]);
});

Deno.test({
  name: "a shorter timeout holds though an older timer still runs",
  ignore,
}, async () => {
  await using silent = await connectSilent({ kind: "ok" });
  const { clock, connection, ended, enter } = silent;
  assertEquals((await connection.call(STATUS)).status, "ok");
  connection.useTimeout(30);
  enter("b");
  clock.advance(29);
  assertEquals(ended, []);
  clock.advance(1);
  assertEquals(ended, ["b timeout 30"]);
});

Deno.test({ name: "a new timeout also applies to the call in flight", ignore }, async () => {
  await using silent = await connectSilent({ kind: "silent" });
  const { clock, connection, ended, enter } = silent;
  enter("a");
  clock.advance(10);
  connection.useTimeout(30);
  clock.advance(19);
  assertEquals(ended, []);
  clock.advance(1);
  assertEquals(ended, ["a timeout 30"]);
});
