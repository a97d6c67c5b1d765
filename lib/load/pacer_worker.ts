/**
 * The pacer's worker thread: sleeps until shortly before each time that pacer.ts writes into the
 * shared memory, then posts how many times it has woken for.
 *
 * @module
 */

import { PacerMemory } from "./pacer_memory.ts";

/** Messages to the worker: requests for its time, then the memory to work on. */
export type ToPacer = "time" | SharedArrayBuffer;
/** Messages from the worker: its time in milliseconds per request, then counts of wake-ups. */
export type FromPacer = number;

/** The part of the worker's global scope in use; the project is type-checked as a window. */
const scope = globalThis as unknown as {
  onmessage: ((event: MessageEvent<ToPacer>) => void) | null;
  postMessage(message: FromPacer): void;
  close(): void;
};

scope.onmessage = ({ data }) => {
  if (data === "time") return scope.postMessage(performance.now());
  new PacerMemory(data).serve((count) => scope.postMessage(count));
  scope.close();
};
