import type { Protocol } from "../protocols/protocol.ts";
import type { Message } from "../client/connection.ts";
import { createDispatcher } from "../server/dispatch.ts";
import { defaultServerOptions } from "../server/options.ts";

/** The parts of a call that need no socket, on one thread. */
export interface InProcess {
  /** Dispatches a light tool as the bundled server does: what a unit test measures. */
  dispatch(): unknown;
  /**
   * The JSON of a call: the client encodes it, the server parses it and encodes the recorded reply,
   * and the client classifies the reply's frames.
   */
  codec(message: Message): unknown;
}

/** Called before the work of a layer, so that tests can slow it down. */
export interface SlowParts {
  dispatch?: () => void;
  codec?: () => void;
}

/** Dispatched if the run's tool is not a light tool of the bundled server. */
const STAND_IN_TOOL = "status";

/**
 * Creates the in-process parts of calls like `message`.
 *
 * @param options.reply recorded frames of a real reply; none if only `dispatch` is used
 * @param options.id an id as long as those of real calls
 */
export function createInProcess(
  protocol: Protocol,
  { message, reply, id = "1", slow = {} }: {
    message: Message;
    reply: readonly string[];
    id?: string;
    slow?: SlowParts;
  },
): InProcess {
  const dispatcher = createDispatcher(defaultServerOptions());
  const isLight = dispatcher.answersAtOnce(message.tool);
  const tool = isLight ? message.tool : STAND_IN_TOOL;
  const args = isLight ? JSON.parse(message.argsJson) : {};
  const bodies: unknown[] = reply.map((frame) => JSON.parse(frame));
  const dispatch = () => {
    slow.dispatch?.();
    return dispatcher.call(tool, args);
  };
  return {
    dispatch,
    codec(message) {
      slow.codec?.();
      const call = JSON.parse(protocol.encodeCall(id, message.tool, message.argsJson));
      const written = bodies.map((body) => JSON.stringify(body));
      return [call, written, reply.map((frame) => protocol.classify(frame))];
    },
  };
}
