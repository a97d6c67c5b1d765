/**
 * Small servers of the other protocols that count what they do.
 *
 * @module
 */

import { parseJson, type ScriptedServer, startScriptedServer } from "./scripted_server.ts";

interface Counts {
  /** Calls received and answered. */
  calls: number;
  /** Pings received and answered. */
  pings: number;
  /** Frames sent in addition to replies. */
  notifications: number;
  /** Frames received that the server does not understand. */
  strange: number;
}

export interface CountingServer extends ScriptedServer {
  readonly counts: Counts;
  /** The clients' answers to the server's own requests. */
  readonly answers: unknown[];
}

const INITIALIZED = {
  protocolVersion: "2025-06-18",
  capabilities: { tools: {} },
  serverInfo: { name: "scripted", version: "1" },
};

/**
 * A talkative MCP server with the tool `echo`: before each reply it logs a message, and at every
 * tenth it also requests a ping and the roots from the client, under its own id.
 */
export function startMcpServer(): CountingServer {
  const counts = noCounts();
  const answers: unknown[] = [];
  let asked = 0;
  const server = startScriptedServer(({ send }, _message, text) => {
    const message = parseJson(text) ?? {};
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

/** A JSON-RPC server with the method `echo` that sends a notification before each reply. */
export function startJsonRpcServer(): CountingServer {
  const counts = noCounts();
  const server = startScriptedServer(({ send }, _message, text) => {
    const { id, method, params } = parseJson(text) ?? {};
    if (method !== "echo" || id === undefined) return void counts.strange++;
    counts.calls++;
    counts.notifications++;
    send({ jsonrpc: "2.0", method: "news", params: { id } });
    send({ jsonrpc: "2.0", id, result: params?.message ?? null });
  });
  return counting(server, counts, []);
}

/** A server that sends back what it receives. */
export function startEchoServer(): CountingServer {
  const counts = noCounts();
  const server = startScriptedServer(({ send }, _message, text) => {
    counts.calls++;
    send(text);
  });
  return counting(server, counts, []);
}

function noCounts(): Counts {
  return { calls: 0, pings: 0, notifications: 0, strange: 0 };
}

function counting(server: ScriptedServer, counts: Counts, answers: unknown[]): CountingServer {
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
