import { answerCall, type ReceivedCall } from "./answer_call.ts";
import { INVALID_JSON_FRAME, MISSING_OP_FRAME } from "./frames.ts";
import { type Message, parseMessage } from "./messages.ts";
import { failCall, refuseCall } from "./reply.ts";
import type { Peer, ServerContext } from "./server_context.ts";

/**
 * Answers one message that follows the hello; `receivedMs` is its arrival by `performance.now()`.
 * Returns a promise only for a call that has to wait. Never throws.
 */
export function answerMessage(
  server: ServerContext,
  peer: Peer,
  { text, receivedMs }: { text: string; receivedMs: number },
): void | Promise<void> {
  const { counters } = server.state;
  const message = parseMessage(text, server.dialect);
  if (message.kind === "invalidJson" || message.kind === "missingOp") {
    counters.messagesMalformed++;
    peer.sendRepeatable(message.kind === "invalidJson" ? INVALID_JSON_FRAME : MISSING_OP_FRAME);
    return;
  }
  if (message.kind === "call") counters.callsReceived++;
  if (!server.limiter.off && isRefused(server, peer, message)) return;
  switch (message.kind) {
    case "call":
      return answerOrFail(server, peer, { message, text, receivedMs });
    case "listTools":
      peer.send(server.dialect.toolList(message.idJson, server.dispatcher.toolsJson));
      return;
    case "ping":
      if (server.dialect.pong === null) rejectOp(server, peer, "ping");
      else peer.send(server.dialect.pong(message.idJson));
      return;
    case "unknownOp":
      rejectOp(server, peer, message.op);
      return;
    default:
      return message satisfies never;
  }
}

/** Answers a call. An unexpected error fails the call, not the server. */
function answerOrFail(
  server: ServerContext,
  peer: Peer,
  call: ReceivedCall,
): void | Promise<void> {
  // For example, arguments nested thousands deep overflow the stack.
  const fail = (error: unknown) => {
    const detail = error instanceof Error ? error.message : String(error);
    failCall(server, peer, server.dialect.raised(call.message.idJson, detail));
  };
  try {
    const pending = answerCall(server, peer, call);
    return pending instanceof Promise ? pending.catch(fail) : undefined;
  } catch (error) {
    return fail(error);
  }
}

/** Charges the message to the rate limits. If they refuse it, replies so and returns true. */
function isRefused(
  server: ServerContext,
  peer: Peer,
  message: { kind: Message["kind"]; idJson: string },
): boolean {
  const refusal = server.limiter.charge(peer, performance.now());
  if (refusal === null) return false;
  const frame = server.dialect.rateLimited(message.idJson, refusal, peer.ip);
  if (message.kind === "call") refuseCall(server, peer, frame);
  else peer.sendRepeatable(frame);
  return true;
}

function rejectOp(server: ServerContext, peer: Peer, op: string): void {
  server.state.counters.messagesMalformed++;
  peer.sendRepeatable(server.dialect.unknownOp(op));
}
