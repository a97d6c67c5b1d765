import { type CuttableListener, listenCuttable } from "./cuttable_listener.ts";

/** One connection of a scripted server. */
export interface ScriptedPeer {
  /** Its number, from 1. */
  readonly nth: number;
  /** Sends text and bytes as they are, anything else as JSON; does nothing once the connection is closing. */
  send(frame: unknown): void;
  close(code: number, reason?: string): void;
  /** Ends the TCP connection without a close frame. */
  cut(): void;
}

/** What a scripted server says to a message: parsed where it is JSON, else `null` and the text. */
export type Script = (
  peer: ScriptedPeer,
  message: { op?: string; request_id?: string; name?: string; token?: unknown } | null,
  text: string,
) => void;

export interface ScriptedServer extends AsyncDisposable {
  readonly url: string;
  readonly connections: number;
}

/** A WebSocket server on a free loopback port that does nothing but what the script says, after a greeting. */
export function startScriptedServer(
  script: Script,
  greet: (peer: ScriptedPeer) => void = () => {},
): ScriptedServer {
  let connections = 0;
  const listener: CuttableListener = listenCuttable((request, cut) => {
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
    socket.onmessage = ({ data }) => script(peer, parse(data), data);
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

function parse(text: string): ReturnType<typeof JSON.parse> {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** The acceptance of a hello. */
export const HELLO_ACK = { op: "hello_ack", ok: true, session_id: "scripted" };

/** The frames of a computed success. */
export function successFrames(id: string | undefined): object[] {
  return [
    { op: "stream_complete", request_id: id },
    { op: "call_tool_res", request_id: id, ok: true, outputs: [{ type: "text", text: "fine" }] },
  ];
}

/** A sound server as a script, to be used for what a script does not answer itself. */
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
