/**
 * The layers that no server shows, on parts that the suite brings along.
 *
 * @module
 */

import { createPace } from "../../load/pace.ts";
import { SocketExchange } from "../../client/socket_exchange.ts";
import { dial } from "../../client/socket.ts";
import { connectTcpEcho, type EchoServer } from "../../server/echo_server.ts";
import { type BatchedSample, sampleBatched } from "../../stats/sampling.ts";
import type { ScenarioContext } from "../scenario.ts";
import type { InProcess } from "./in_process.ts";
import type { Layer, LayerName } from "./layer.ts";
import { sampleSlice } from "./slice.ts";
import { Watchdog } from "./watchdog.ts";

/** Batches of a slice; of more than these mitata drops the extremes. */
const BATCHES = 12;
/** About a millisecond a slice for the dispatch, about five for the codec. */
const CALLS_PER_BATCH = 64;
/** Long calls, such as of a megabyte, are measured in batches that take no longer. */
const FEWEST_CALLS = 4;
const BATCH_LIMIT_NS = 1e6;

/** A layer without a socket: its samples are means of batches. */
export function batchedLayer(name: LayerName, work: () => unknown): Layer {
  let callsPerBatch: number | null = null;
  return {
    name,
    measuredOn: "bundled",
    async sample({ signal, clock }, record) {
      if (signal.aborted) return false;
      callsPerBatch ??= fittingCalls(work, () => clock.nowNs());
      const { samples }: BatchedSample = await sampleBatched(work, {
        batches: BATCHES,
        callsPerBatch,
      });
      samples.forEach(record);
      return true;
    },
  };
}

/** How many calls a batch can have, from the time that the second one takes. */
function fittingCalls(work: () => unknown, nowNs: () => number): number {
  work();
  const startNs = nowNs();
  work();
  const fitting = Math.floor(BATCH_LIMIT_NS / Math.max(1, nowNs() - startNs));
  return Math.min(CALLS_PER_BATCH, Math.max(FEWEST_CALLS, fitting & ~3));
}

/** How an echo is reached, and whose reply it gives. */
interface EchoLayerOptions {
  echoes: EchoServer;
  inProcess: InProcess;
  reply: readonly string[];
  delayMs: number;
  stack: AsyncDisposableStack;
}

/** The in-process parts, and the same bytes to an echo and back over bare TCP. */
export async function tcpLayer(
  context: ScenarioContext,
  { echoes, inProcess, reply, delayMs, stack }: EchoLayerOptions,
): Promise<Layer> {
  const echo = await connectTcpEcho(echoes.tcpPort, { frames: reply, delayMs });
  stack.defer(() => echo.close());
  return echoLayer(context, {
    name: "tcp",
    inProcess,
    stack,
    ask: (text) => echo.ask(text),
    giveUp: () => echo.close(),
  });
}

/** The in-process parts, and the same bytes to an echo and back over a WebSocket. */
export async function webSocketLayer(
  context: ScenarioContext,
  { echoes, inProcess, reply, delayMs, stack }: EchoLayerOptions,
): Promise<Layer> {
  const { clock, signal, target: { options: { timeoutMs } } } = context;
  const socket = await dial({ url: echoes.url, clock, timeoutMs, signal });
  stack.defer(async () => void await socket.close());
  socket.send(JSON.stringify({ frames: reply, delayMs }));
  const exchange = new SocketExchange(socket);
  return echoLayer(context, {
    name: "websocket",
    inProcess,
    stack,
    ask(text) {
      const frames: string[] = [];
      return exchange.ask(
        text,
        (frame) => frames.push(frame) === reply.length ? frames : null,
      );
    },
    giveUp: () => void socket.close(),
  });
}

/** Paced as the target's layers are, since what has slept is slow to wake. */
function echoLayer(
  context: ScenarioContext,
  { name, inProcess, stack, ask, giveUp }: {
    name: LayerName;
    inProcess: InProcess;
    stack: AsyncDisposableStack;
    ask: (text: string) => Promise<readonly string[] | null>;
    giveUp: () => void;
  },
): Layer {
  const { clock, signal, target: { options: { timeoutMs } } } = context;
  const pace = createPace(context);
  const watchdog = stack.use(new Watchdog({ clock, timeoutMs, signal, giveUp }));
  async function askOnce(): Promise<number> {
    await pace();
    const startNs = clock.nowNs();
    watchdog.begin(startNs);
    const text = inProcess.encode();
    inProcess.serve(text);
    const frames = await ask(text);
    watchdog.end();
    if (frames === null) {
      signal.throwIfAborted();
      throw new Error(`Cannot measure the layer ${name} as its echo does not answer`);
    }
    inProcess.decode(frames);
    return clock.nowNs() - startNs;
  }
  return {
    name,
    measuredOn: "bundled",
    async sample(slice, record) {
      for (const ns of await sampleSlice(askOnce, slice)) record(ns);
      return !signal.aborted;
    },
  };
}
