import { callKey } from "./call_memory.ts";
import type { ToolAnswer } from "./dispatch.ts";
import { outputsJson, streamCompleteFrame } from "./frames.ts";
import type { CallMessage } from "./messages.ts";
import type { Peer, ServerContext } from "./server_context.ts";
import type { ToolArguments } from "./tools.ts";

/** A call that can be run; `receivedMs` by `performance.now()`. */
export interface SoundCall extends CallMessage {
  tool: string;
  args: ToolArguments;
  receivedMs: number;
}

/** A tool's answer, and when the tool began; `joined`: it ran for another call. */
export interface FinishedCall {
  call: SoundCall;
  answer: ToolAnswer;
  startedMs: number;
  joined: boolean;
}

/** Sends, counts and remembers a tool's answer. */
export function reply(server: ServerContext, peer: Peer, finished: FinishedCall): void {
  const { call, answer } = finished;
  const { dialect } = server;
  switch (answer.kind) {
    case "text":
      return replySuccess(server, peer, { ...finished, text: answer.text });
    case "toolNotFound":
      return failCall(server, peer, dialect.toolNotFound(call.idJson, answer.tool));
    case "invalidArguments":
      return failCall(server, peer, dialect.invalidArguments(call.idJson, answer.message));
    case "raised":
      return failCall(server, peer, dialect.raised(call.idJson, answer.message));
    default:
      return answer satisfies never;
  }
}

/** A computed success is two frames. A call that joined another gets only the second. */
function replySuccess(
  server: ServerContext,
  peer: Peer,
  { call, text, startedMs, joined }: FinishedCall & { text: string },
): void {
  const { dialect, memory } = server;
  const nowMs = performance.now();
  const outputs = outputsJson(text, {
    totalMs: nowMs - call.receivedMs,
    queuedMs: startedMs - call.receivedMs,
    processingMs: nowMs - startedMs,
  });
  const frame = dialect.success(call.idJson, outputs);
  if (!joined) peer.send(streamCompleteFrame(call.idJson));
  countServed(server, { sent: peer.send(frame), cached: joined });
  if (dialect.remembersRequestIds) {
    memory.rememberReply(call.idJson, { frame, connection: peer.number, sentAtMs: nowMs });
  }
  if (dialect.cachesResults) {
    const key = callKey(call.tool, call.args);
    memory.rememberResult(key, { outputsJson: outputs, computedAtMs: nowMs });
  }
}

/** Sends an error caused by the call itself. */
export function failCall(server: ServerContext, peer: Peer, frame: string): void {
  const { counters } = server.state;
  if (peer.sendRepeatable(frame)) counters.callsFailed++;
  else counters.callsUnanswered++;
}

/** Sends a refusal for load. */
export function refuseCall(server: ServerContext, peer: Peer, frame: string): void {
  const { counters } = server.state;
  if (peer.sendRepeatable(frame)) counters.callsRefused++;
  else counters.callsUnanswered++;
}

/** Counts a success as served, or as unanswered if it was not sent. */
export function countServed(
  server: ServerContext,
  { sent, cached }: { sent: boolean; cached: boolean },
): void {
  const { counters } = server.state;
  if (!sent) {
    counters.callsUnanswered++;
    return;
  }
  counters.callsServed++;
  if (cached) counters.callsFromCache++;
}
