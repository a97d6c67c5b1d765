/**
 * The thread of a {@linkcode QueueServer}. Calls are done at the times of a virtual clock, and one
 * timer for the first of them releases all that are. A late timer delays replies without reducing
 * the capacity.
 *
 * @module
 */

import { randomStream } from "../../lib/stats/random.ts";
import type { ToQueueServer } from "./queue_server.ts";
import { answerSoundly, startScriptedServer } from "./scripted_server.ts";

const scope = self as unknown as {
  onmessage: (event: MessageEvent<ToQueueServer>) => void;
  postMessage(url: string): void;
};

let freeMs = 0;

scope.onmessage = ({ data }) => {
  if ("stallMs" in data) freeMs = Math.max(freeMs, performance.now()) + data.stallMs;
  else start(data);
};

function start(
  { capacityPerSecond, service }: Extract<ToQueueServer, { service: unknown }>,
): void {
  const random = randomStream(1, "service");
  const drawMs = () =>
    (service === "constant" ? 1 : -Math.log(1 - random())) * 1000 / capacityPerSecond;
  const working: { doneMs: number; reply: () => void }[] = [];
  let timer: ReturnType<typeof setTimeout> | null = null;
  const release = () => {
    const nowMs = performance.now();
    const done = working.findIndex(({ doneMs }) => doneMs > nowMs);
    for (const { reply } of working.splice(0, done < 0 ? working.length : done)) reply();
    const next = working[0];
    if (next === undefined || timer !== null) return;
    timer = setTimeout(() => {
      timer = null;
      release();
    }, Math.max(0, next.doneMs - nowMs));
  };
  const server = startScriptedServer((peer, message) => {
    if (message?.op !== "call_tool") return answerSoundly(peer, message);
    freeMs = Math.max(freeMs, performance.now()) + drawMs();
    working.push({ doneMs: freeMs, reply: () => answerSoundly(peer, message) });
    release();
  });
  scope.postMessage(server.url);
}
