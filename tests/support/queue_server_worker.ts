/**
 * The thread of a {@linkcode QueueServer}: calls are done at the times of a virtual clock, and one timer, for the
 * first of them, releases all that are. A timer that is late delays replies, but takes nothing off the capacity.
 *
 * @module
 */

import { answerSoundly, startScriptedServer } from "./scripted_server.ts";

const scope = self as unknown as {
  onmessage: (event: MessageEvent<number>) => void;
  postMessage(url: string): void;
};

scope.onmessage = ({ data: capacityPerSecond }) => {
  const serviceMs = 1000 / capacityPerSecond;
  const working: { doneMs: number; reply: () => void }[] = [];
  let freeMs = 0;
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
    freeMs = Math.max(freeMs, performance.now()) + serviceMs;
    working.push({ doneMs: freeMs, reply: () => answerSoundly(peer, message) });
    release();
  });
  scope.postMessage(server.url);
};
