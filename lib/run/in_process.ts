import type { Protocol } from "../protocols/protocol.ts";
import type { Message } from "../client/connection.ts";
import { createDispatcher } from "../server/dispatch.ts";
import { defaultServerOptions } from "../server/options.ts";

/** The parts of a call that need no socket, done by one thread: what every layer above does too. */
export interface InProcess {
  /** The bundled server's dispatch of a light tool: what a unit test calls. */
  dispatch(): unknown;
  /**
   * All of it: the client writes the call; the server reads it, dispatches it and writes the reply, the text of
   * which is the recorded one; and the client recognises its frames.
   */
  roundTrip(message: Message): unknown;
}

/** Called in a layer before its own work, where a test wants to see that layer slowed down. */
export interface SlowParts {
  dispatch?: () => void;
  codec?: () => void;
}

/** Dispatched where the bundled server has no light tool of the run's name. */
const STAND_IN_TOOL = "status";

/**
 * The in-process parts of calls like this one.
 *
 * @param options.reply the frames that a server really answered with; none where only the dispatch is wanted
 * @param options.id as long as the calls' ids are
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
  const isOurs = dispatcher.answersAtOnce(message.tool);
  const tool = isOurs ? message.tool : STAND_IN_TOOL;
  const args = isOurs ? JSON.parse(message.argsJson) : {};
  const bodies: unknown[] = reply.map((frame) => JSON.parse(frame));
  const dispatch = () => {
    slow.dispatch?.();
    return dispatcher.call(tool, args);
  };
  return {
    dispatch,
    roundTrip(message) {
      slow.codec?.();
      const call = JSON.parse(protocol.encodeCall(id, message.tool, message.argsJson));
      const answer = dispatch();
      const written = bodies.map((body) => JSON.stringify(body));
      return [call, answer, written, reply.map((frame) => protocol.classify(frame))];
    },
  };
}
