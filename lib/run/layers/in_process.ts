import type { Protocol } from "../../protocols/protocol.ts";
import type { Message } from "../../client/connection.ts";
import { createDispatcher } from "../../server/dispatch.ts";
import { defaultServerOptions } from "../../server/options.ts";

/** The parts of a call that need no socket, done by one thread: what every layer above does too. */
export interface InProcess {
  /** The bundled server's dispatch of a light tool: what a unit test calls. */
  dispatch(): unknown;
  /** The client's half before sending: the text of a call, as long as a real one. */
  encode(): string;
  /** The server's half: reads the call, dispatches it, writes the reply. */
  serve(text: string): unknown;
  /** The client's half behind the reply: how many of the frames it recognised. */
  decode(frames: readonly string[]): number;
  /** All of it. */
  roundTrip(): unknown;
}

/** Called in a layer before its own work, where a test wants to see that layer slowed down. */
export interface SlowParts {
  dispatch?: () => void;
  codec?: () => void;
}

/** Dispatched where the bundled server has no light tool of the run's name. */
const STAND_IN_TOOL = "status";

/**
 * The in-process parts of one message and of the reply that a server really gave to it.
 *
 * @param options.newId gives ids of the length that the calls' have
 */
export function createInProcess(
  protocol: Protocol,
  { message, reply, newId, slow = {} }: {
    message: Message;
    reply: readonly string[];
    newId: () => string;
    slow?: SlowParts;
  },
): InProcess {
  const dispatcher = createDispatcher(defaultServerOptions());
  const isOurs = dispatcher.answersAtOnce(message.tool);
  const tool = isOurs ? message.tool : STAND_IN_TOOL;
  const args = isOurs ? JSON.parse(message.argsJson) : {};
  const bodies: unknown[] = reply.map((frame) => JSON.parse(frame));
  const dispatch = behind(slow.dispatch, () => dispatcher.call(tool, args));
  const encode = () => protocol.encodeCall(newId(), message.tool, message.argsJson);
  const parse = behind(slow.codec, (text: string): unknown => JSON.parse(text));
  function serve(text: string): unknown {
    const call = parse(text);
    const answer = dispatch();
    return [call, answer, bodies.map((body) => JSON.stringify(body))];
  }
  function decode(frames: readonly string[]): number {
    return frames.filter((frame) => protocol.classify(frame).kind !== "malformed").length;
  }
  const roundTrip = () => [serve(encode()), decode(reply)];
  return { dispatch, encode, serve, decode, roundTrip };
}

/** The work itself, or with something slow before it. */
function behind<A extends unknown[], R>(
  first: (() => void) | undefined,
  work: (...args: A) => R,
): (...args: A) => R {
  if (first === undefined) return work;
  return (...args) => {
    first();
    return work(...args);
  };
}
