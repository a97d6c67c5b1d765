import type { Connection } from "../../client/connection.ts";
import { newIdPrefix } from "../../client/id_prefix.ts";
import { startEchoServer } from "../../server/echo_server.ts";
import type { ScenarioContext } from "../scenario.ts";
import { batchedLayer, tcpLayer, webSocketLayer } from "./bundled_layers.ts";
import { createInProcess, type SlowParts } from "./in_process.ts";
import type { Layer } from "./layer.ts";
import type { RecordedCall } from "./record_reply.ts";
import { RoutingSession } from "./routing.ts";
import { routingLayer, type TimedReply, toolLayer } from "./target_layers.ts";

/** What slows down the layers that the suite brings along: nothing, but in tests. */
export interface LayerDelays extends SlowParts {
  /** How long the echo waits before it answers, in milliseconds. */
  tcpMs?: number;
  webSocketMs?: number;
}

/** The layers, ready to be measured. */
export interface OpenedLayers {
  layers: Layer[];
  routing: RoutingSession;
  /** The successes of the layer `tool`, to be taken behind each slice. */
  replies: TimedReply[];
}

/**
 * Opens all layers of a call, the lowest first; the stack closes them. That of routing is left out where
 * the server answers nothing without a tool.
 *
 * @throws {ConnectError} if a session cannot be opened
 * @throws {TargetUnusableError} if a rate limiter refuses the first probe
 */
export async function openLayers(
  context: ScenarioContext,
  { connection, message, reply, delays, stack }:
    & Pick<RecordedCall, "message" | "reply">
    & {
      connection: Connection;
      delays: LayerDelays;
      stack: AsyncDisposableStack;
    },
): Promise<OpenedLayers> {
  const { protocol } = context.target.options;
  const prefix = newIdPrefix(protocol.ids);
  let ids = 0;
  const newId = () => prefix + ++ids;
  const inProcess = createInProcess(protocol, { message, reply, newId, slow: delays });
  const routing = stack.use(await RoutingSession.open(context));
  context.signal.throwIfAborted();
  const echoes = stack.use(await startEchoServer());
  const replies: TimedReply[] = [];
  const common = { echoes, inProcess, reply, stack };
  const layers = [
    batchedLayer("dispatch", inProcess.dispatch),
    batchedLayer("codec", inProcess.roundTrip),
    await tcpLayer(context, { ...common, delayMs: delays.tcpMs ?? 0 }),
    await webSocketLayer(context, { ...common, delayMs: delays.webSocketMs ?? 0 }),
    ...(routing.probe === null ? [] : [routingLayer(context, { session: routing, inProcess })]),
    toolLayer(context, { connection, replies }),
  ];
  return { layers, routing, replies };
}
