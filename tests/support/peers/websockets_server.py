"""A WebSocket server on Debian's python3-websockets: `python3 websockets_server.py KIND`.

KIND is `echo` or `exai`. Prints its port; a GET of /stats returns its counts. Ends with its stdin.
"""

import asyncio
import http
import json
import sys

import websockets

counts = {"connections": 0, "calls": 0, "extensions": []}


def echo(text):
    counts["calls"] += 1
    return [text]


def exai(text):
    message = json.loads(text)
    op, request_id = message["op"], message.get("request_id")
    if op == "hello":
        return [{"op": "hello_ack", "ok": True, "session_id": message["session_id"]}]
    if op == "list_tools":
        return [{"op": "list_tools_res", "tools": [{"name": "status"}]}]
    counts["calls"] += 1
    outputs = [{"type": "text", "text": "fine"}]
    return [
        {"op": "stream_complete", "request_id": request_id},
        {"op": "call_tool_res", "request_id": request_id, "ok": True, "outputs": outputs},
    ]


answer = {"echo": echo, "exai": exai}[sys.argv[1]]


async def serve(socket):
    counts["connections"] += 1
    extensions = ", ".join(extension.name for extension in socket.extensions)
    if extensions not in counts["extensions"]:
        counts["extensions"].append(extensions)
    async for text in socket:
        for frame in answer(text):
            await socket.send(frame if isinstance(frame, str) else json.dumps(frame))


async def send_stats(path, _headers):
    """Answers a GET of /stats; everything else is a WebSocket."""
    if path == "/stats":
        return http.HTTPStatus.OK, [], json.dumps(counts).encode()


async def main():
    async with websockets.serve(serve, "127.0.0.1", 0, process_request=send_stats) as server:
        print("listening on", server.sockets[0].getsockname()[1], flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


asyncio.run(main())
