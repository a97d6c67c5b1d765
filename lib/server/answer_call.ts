import { exceedsUtf8Bytes, utf8Bytes } from "./byte_length.ts";
import { callKey } from "./call_memory.ts";
import type { ToolAnswer } from "./dispatch.ts";
import { callErrorFrame, type ErrorBody, progressFrame } from "./frames.ts";
import { type CallMessage, isObject } from "./messages.ts";
import { REPEAT_WINDOW_MS } from "./recent_frames.ts";
import { countServed, failCall, refuseCall, reply, type SoundCall } from "./reply.ts";
import type { Peer, ServerContext } from "./server_context.ts";

/** A call as received; `receivedMs` by `performance.now()`. */
export interface ReceivedCall {
  message: CallMessage;
  text: string;
  receivedMs: number;
}

/**
 * Answers a call. Returns a promise only if the call has to wait.
 *
 * @throws {RangeError} If the arguments are nested too deeply.
 */
export function answerCall(
  server: ServerContext,
  peer: Peer,
  { message, text, receivedMs }: ReceivedCall,
): void | Promise<void> {
  const { idJson, tool, args } = message;
  if (exceedsUtf8Bytes(text, server.options.maxCallBytes)) {
    return refuseCall(server, peer, callErrorFrame(idJson, describeOversize(server, text)));
  }
  if (typeof tool !== "string") {
    return failCall(server, peer, callErrorFrame(idJson, INVALID_TOOL));
  }
  if (!isObject(args)) {
    return failCall(server, peer, callErrorFrame(idJson, INVALID_ARGUMENTS));
  }
  const call: SoundCall = { kind: "call", idJson, tool, args, receivedMs };
  if (server.dialect.remembersRequestIds && answerKnownId(server, peer, call)) return;
  if (server.dialect.cachesResults && answerCachedResult(server, peer, call)) return;
  if (server.dialect.joinsRunningCalls && server.memory.running.size > 0) {
    const running = server.memory.running.get(callKey(tool, args));
    if (running) return awaitReply(server, peer, { call, answer: running, joined: true });
  }
  return runCall(server, peer, call);
}

const INVALID_TOOL: ErrorBody = {
  code: "INVALID_REQUEST",
  message: "Invalid message: tool name must be a string",
};
const INVALID_ARGUMENTS: ErrorBody = {
  code: "INVALID_REQUEST",
  message: "Invalid message: arguments must be a JSON object",
};

function describeOversize(server: ServerContext, text: string): ErrorBody {
  return {
    code: "OVER_CAPACITY",
    message: `Request too large: ${utf8Bytes(text)} bytes exceeds limit of ` +
      `${server.options.maxCallBytes} bytes`,
  };
}

/** Answers a call whose request id is running or was answered before. Returns true if it was. */
function answerKnownId(server: ServerContext, peer: Peer, { idJson }: SoundCall): boolean {
  if (server.memory.runningIds.has(idJson)) {
    const message = `This request is already being processed (request ID: ${JSON.parse(idJson)})`;
    refuseCall(server, peer, callErrorFrame(idJson, { code: "OVER_CAPACITY", message }));
    return true;
  }
  const earlier = server.memory.reply(idJson);
  if (earlier === undefined) return false;
  const repeats = server.dialect.dropsRepeatedFrames && earlier.connection === peer.number &&
    performance.now() - earlier.sentAtMs < REPEAT_WINDOW_MS;
  if (repeats) server.state.counters.framesDropped++;
  countServed(server, { sent: !repeats && peer.sendRepeatable(earlier.frame), cached: true });
  return true;
}

/** Answers a call from the result cache. Returns true if the cache had a result. */
function answerCachedResult(server: ServerContext, peer: Peer, call: SoundCall): boolean {
  const earlier = server.memory.result(callKey(call.tool, call.args), performance.now());
  if (earlier === undefined) return false;
  const frame = server.dialect.cachedSuccess(call.idJson, earlier.outputsJson);
  countServed(server, { sent: peer.send(frame), cached: true });
  return true;
}

function runCall(server: ServerContext, peer: Peer, call: SoundCall): void | Promise<void> {
  const startedMs = performance.now();
  const callTool = () =>
    server.dispatcher.call(call.tool, call.args, {
      signal: server.stopping,
      onProgress: (elapsedMs) => peer.send(progressFrame(call.idJson, call.tool, elapsedMs)),
    });
  const delay = server.slowDown.next();
  const answer = delay === undefined ? callTool() : delay.then(callTool);
  if (!(answer instanceof Promise)) {
    return reply(server, peer, { call, answer, startedMs, joined: false });
  }
  const { memory, dialect } = server;
  if (!dialect.joinsRunningCalls) return awaitReply(server, peer, { call, answer, joined: false });
  const key = callKey(call.tool, call.args);
  memory.running.set(key, answer);
  if (call.idJson !== "null") memory.runningIds.add(call.idJson);
  return awaitReply(server, peer, { call, answer, joined: false }).finally(() => {
    memory.running.delete(key);
    memory.runningIds.delete(call.idJson);
  });
}

async function awaitReply(
  server: ServerContext,
  peer: Peer,
  { call, answer, joined }: { call: SoundCall; answer: Promise<ToolAnswer>; joined: boolean },
): Promise<void> {
  const startedMs = performance.now();
  reply(server, peer, { call, answer: await answer, startedMs, joined });
}
