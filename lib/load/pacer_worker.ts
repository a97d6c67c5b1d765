/**
 * The thread of a pacer: sleeps until shortly before each time that pacer.ts writes into the shared
 * memory, then posts how many of them it has woken for.
 *
 * @module
 */

import { PacerMemory } from "./pacer_memory.ts";

/** What the main thread posts: a question for the time, then the memory to work on. */
export type ToPacer = "time" | SharedArrayBuffer;
/** What the worker posts: its time in milliseconds for each question, then counts of times. */
export type FromPacer = number;

/** The part of the worker's global scope in use; the types of the project are those of a window. */
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
