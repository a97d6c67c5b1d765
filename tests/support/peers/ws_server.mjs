/**
 * A WebSocket server on the npm package `ws`, for Node: `node ws_server.mjs FOLDER KIND DEFLATE`.
 * FOLDER is where `ws` is installed, KIND is `echo` or `exai`, DEFLATE is `on` or `off`. Prints its
 * port; a GET returns its counts. Ends with its stdin.
 */

import { Buffer } from "node:buffer";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import process from "node:process";

const [folder, kind, deflate] = process.argv.slice(2);
const { WebSocketServer } = createRequire(`${folder}/`)("ws");

const counts = { connections: 0, calls: 0, extensions: [] };

function echo(text) {
  counts.calls++;
  return [text];
}

function exai(text) {
  const { op, request_id, session_id } = JSON.parse(text);
  if (op === "hello") return [JSON.stringify({ op: "hello_ack", ok: true, session_id })];
  if (op === "list_tools") {
    return [JSON.stringify({ op: "list_tools_res", tools: [{ name: "status" }] })];
  }
  counts.calls++;
  const outputs = [{ type: "text", text: "fine" }];
  return [
    JSON.stringify({ op: "stream_complete", request_id }),
    JSON.stringify({ op: "call_tool_res", request_id, ok: true, outputs }),
  ];
}

const answer = { echo, exai }[kind];
const http = createServer((_request, response) => response.end(JSON.stringify(counts)));
const server = new WebSocketServer({ server: http, perMessageDeflate: deflate === "on" });
server.on("connection", (socket) => {
  counts.connections++;
  if (!counts.extensions.includes(socket.extensions)) counts.extensions.push(socket.extensions);
  socket.on("message", (data) => {
    for (const frame of answer(Buffer.from(data).toString())) socket.send(frame);
  });
});
http.listen(0, "127.0.0.1", () => process.stdout.write(`listening on ${http.address().port}\n`));
process.stdin.resume().on("end", () => process.exit());
