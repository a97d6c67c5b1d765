import { assertEquals } from "@std/assert";
import type { Call } from "../../lib/client/call.ts";
import type { Connection } from "../../lib/client/connection.ts";
import { openLedger } from "../../lib/client/ledger.ts";
import { Crowd } from "../../lib/load/crowd.ts";
import { createFakeClock } from "../support/fake_clock.ts";
import { STATUS } from "../support/targets.ts";

/** A connection whose call is outstanding until `end`. */
function createSession() {
  const call = Promise.withResolvers<Call>();
  const session = {
    isOpen: true,
    timing: { establishNs: 1 },
    useLedger: () => {},
    onFrame: () => {},
    close: () => Promise.resolve(),
    call: () => call.promise,
    end(status: "ok" | "connectionLost") {
      session.isOpen = status === "ok";
      call.resolve({ status } as Call);
    },
  };
  return session;
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 0));

Deno.test("a session that is lost while others leave is not replaced", async () => {
  const clock = createFakeClock();
  const sessions: ReturnType<typeof createSession>[] = [];
  let lost = 0;
  const step = {
    ...STATUS,
    timeoutMs: null,
    onError: "continue",
    think: { kind: "constant", ms: 10 },
    message: () => STATUS,
  } as const;
  const crowd = new Crowd({
    spec: {
      begin: [],
      patterns: [{ name: "status", weight: 1, steps: [step] }],
      lasts: { patterns: null, time: null },
    },
    ...{ clock, seed: 1, timeoutMs: 1_000, ledger: openLedger() },
    signal: new AbortController().signal,
    connect() {
      sessions.push(createSession());
      return Promise.resolve(sessions.at(-1) as unknown as Connection);
    },
    ...{ onOpened() {}, onFailed() {}, onFrame() {}, onCall() {}, onUnfilled() {} },
    onLost: () => lost++,
  });
  crowd.want(4);
  await settled();
  crowd.want(2);
  sessions[0]!.end("connectionLost");
  await settled();
  clock.advance(10);
  await settled();
  assertEquals([lost, crowd.wanted, crowd.open], [1, 1, 3]);
  for (const session of sessions.slice(1)) session.end("ok");
  await settled();
  assertEquals([sessions.length, crowd.open], [4, 1]);
  const left = crowd.leave();
  clock.advance(10);
  await left;
  assertEquals([sessions.length, crowd.open, clock.pending], [4, 0, 0]);
});
