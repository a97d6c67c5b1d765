import { listenCuttable } from "./cuttable_listener.ts";

/** One connection of a scripted server. */
export interface ScriptedPeer {
  /** Number of the connection, from 1. */
  readonly nth: number;
  /** Sends text and bytes as they are, anything else as JSON. Does nothing unless open. */
  send(frame: unknown): void;
  close(code: number, reason?: string): void;
  /** Ends the TCP connection without a close frame. */
  cut(): void;
}

/** Answers a message of a client; `message` is `null` if `text` is not JSON. */
export type Script = (
  peer: ScriptedPeer,
  message: { op?: string; request_id?: string; name?: string; token?: unknown } | null,
  text: string,
) => void;

export interface ScriptedServer extends AsyncDisposable {
  readonly url: string;
  readonly connections: number;
}

/** Starts a WebSocket server on a free loopback port that only greets and runs the script. */
export function startScriptedServer(
  script: Script,
  greet: (peer: ScriptedPeer) => void = () => {},
): ScriptedServer {
  let connections = 0;
  const listener = listenCuttable((request, cut) => {
    const { socket, response } = Deno.upgradeWebSocket(request, { idleTimeout: 0 });
    const peer: ScriptedPeer = {
      nth: ++connections,
      send(frame) {
        if (socket.readyState !== WebSocket.OPEN) return;
        const isRaw = typeof frame === "string" || frame instanceof Uint8Array;
        socket.send(isRaw ? frame as string : JSON.stringify(frame));
      },
      close: (code, reason) => socket.close(code, reason),
      cut,
    };
    socket.onerror = (event) => event.preventDefault();
    socket.onopen = () => greet(peer);
    socket.onmessage = ({ data }) => script(peer, parseJson(data), data);
    return response;
  });
  return {
    url: `ws://127.0.0.1:${listener.port}`,
    get connections() {
      return connections;
    },
    [Symbol.asyncDispose]: () => listener.stop(),
  };
}

/** `null` if the text is not JSON. */
export function parseJson(text: string): ReturnType<typeof JSON.parse> {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

export const HELLO_ACK = { op: "hello_ack", ok: true, session_id: "scripted" };

/** The frames that answer a successful call. */
export function successFrames(id: string | undefined): object[] {
  return [
    { op: "stream_complete", request_id: id },
    { op: "call_tool_res", request_id: id, ok: true, outputs: [{ type: "text", text: "fine" }] },
  ];
}

/** Answers as a correct server does; a fallback for scripts. */
export function answerSoundly(
  peer: ScriptedPeer,
  message: { op?: string; request_id?: string } | null,
): void {
  if (message?.op === "hello") return peer.send(HELLO_ACK);
  if (message?.op === "list_tools") {
    return peer.send({ op: "list_tools_res", tools: [{ name: "status" }] });
  }
  if (message?.op === "call_tool") successFrames(message.request_id).forEach(peer.send);
}
