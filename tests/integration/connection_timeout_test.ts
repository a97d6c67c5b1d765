import { assertEquals, assertThrows } from "@std/assert";
import { openLedger } from "../../lib/client/ledger.ts";
import { createFakeClock } from "../support/fake_clock.ts";
import { type Behaviour, startFaultyServer } from "../support/faulty_server.ts";
import { NO_NET, STATUS, targetAt } from "../support/targets.ts";

const ignore = NO_NET;

/** A connection that answers its first call and none behind it, on a clock that stands still. */
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
      assertEquals(clock.pending, 0, "no timer is left");
    },
  };
}

Deno.test(
  { name: "a timeout that is set when a call has timed out holds for the next", ignore },
  async () => {
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
  },
);

Deno.test({
  name: "a shorter timeout holds though the timer of an answered call still runs",
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

Deno.test({
  name: "no other timeout while a call is outstanding, as all of those share one",
  ignore,
}, async () => {
  await using silent = await connectSilent({ kind: "silent" });
  const { clock, connection, ended, enter } = silent;
  enter("a");
  assertThrows(() => connection.useTimeout(5), Error, "a call is outstanding");
  clock.advance(100);
  assertEquals(ended, ["a timeout 100"]);
});
