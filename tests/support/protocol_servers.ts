/**
 * Small servers of the other protocols, which count what they do.
 *
 * @module
 */

import { type ScriptedServer, startScriptedServer } from "./scripted_server.ts";

/** What a server counted. */
export interface PeerCounts {
  /** Calls that it got and answered. */
  calls: number;
  /** Pings that it got and answered; what it sends beside them is not counted. */
  pings: number;
  /** Frames that ended no call, each of them between two others. */
  notifications: number;
  /** Frames that it could not make sense of. */
  strange: number;
}

export interface CountingServer extends ScriptedServer {
  readonly counts: PeerCounts;
  /** What clients answered to the server's own requests. */
  readonly answers: unknown[];
}

const INITIALIZED = {
  protocolVersion: "2025-06-18",
  capabilities: { tools: {} },
  serverInfo: { name: "scripted", version: "1" },
};

/**
 * An MCP server that has the tool `echo` and is talkative: before each reply it logs a message, and to
 * every tenth call it asks the client for a ping, and for roots, under an id of its own.
 */
export function startMcpServer(): CountingServer {
  const counts = { calls: 0, pings: 0, notifications: 0, strange: 0 };
  const answers: unknown[] = [];
  let asked = 0;
  const server = startScriptedServer(({ send }, _message, text) => {
    const message = parse(text);
    const { id, method, params } = message;
    const reply = (result: object) => send({ jsonrpc: "2.0", id, result });
    if (method === "initialize") return reply(INITIALIZED);
    if (method === "notifications/initialized") return;
    if (method === "tools/list") return reply({ tools: [{ name: "echo" }] });
    if (method === undefined) return void answers.push(message);
    const isPing = method === "ping";
    if (!isPing && params?.name !== "echo") {
      counts.strange++;
      const error = { code: method === "tools/call" ? -32602 : -32601, message: "strange" };
      return id === undefined ? undefined : send({ jsonrpc: "2.0", id, error });
    }
    const isTenth = ++asked % 10 === 0;
    if (isPing) counts.pings++;
    else counts.calls++;
    counts.notifications += isTenth ? 3 : 1;
    send({ jsonrpc: "2.0", method: "notifications/message", params: { level: "info", data: id } });
    if (isTenth) {
      send({ jsonrpc: "2.0", id: `own-${id}`, method: "ping" });
      send({ jsonrpc: "2.0", id: `own-${id}`, method: "roots/list" });
    }
    reply(isPing ? {} : { content: [{ type: "text", text: "Echo" }] });
  });
  return counting(server, counts, answers);
}

/** A JSON-RPC server that has the method `echo`, and sends a notification of its own before each reply. */
export function startJsonRpcServer(): CountingServer {
  const counts = { calls: 0, pings: 0, notifications: 0, strange: 0 };
  const server = startScriptedServer(({ send }, _message, text) => {
    const { id, method, params } = parse(text);
    if (method !== "echo" || id === undefined) return void counts.strange++;
    counts.calls++;
    counts.notifications++;
    send({ jsonrpc: "2.0", method: "news", params: { id } });
    send({ jsonrpc: "2.0", id, result: params?.message ?? null });
  });
  return counting(server, counts, []);
}

/** What a text says; of one that is not JSON, nothing. */
function parse(text: string) {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

/** A server that sends back what it gets. */
export function startEchoServer(): CountingServer {
  const counts = { calls: 0, pings: 0, notifications: 0, strange: 0 };
  const server = startScriptedServer(({ send }, _message, text) => {
    counts.calls++;
    send(text);
  });
  return counting(server, counts, []);
}

function counting(server: ScriptedServer, counts: PeerCounts, answers: unknown[]): CountingServer {
  return {
    url: server.url,
    get connections() {
      return server.connections;
    },
    counts,
    answers,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}
