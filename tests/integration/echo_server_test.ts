import { assertEquals, assertRejects } from "@std/assert";
import { ConnectError } from "../../lib/client/connect_error.ts";
import { dial } from "../../lib/client/socket.ts";
import { systemClock } from "../../lib/client/clock.ts";
import { foreignText } from "../../lib/client/foreign_text.ts";
import { countBytes, type EchoOrder, startEchoServer } from "../../lib/server/echo_server.ts";
import { lacks } from "../support/permissions.ts";

const ignore = lacks("net", "read");

const NO_DELAYS = { wakeup: 0, tcp: 0, webSocket: 0 };
const ORDER: EchoOrder = {
  questionBytes: 200_000,
  frames: ["first", "", "ä€😀\n".repeat(10_000)],
  delaysMs: NO_DELAYS,
};

function dialEcho(url: string) {
  return dial({ url, clock: systemClock, foreign: foreignText([]), timeoutMs: 5_000 });
}

Deno.test({ name: "echo server: a question over TCP gets one whole answer", ignore }, async () => {
  for (const order of [ORDER, { ...ORDER, questionBytes: 1, frames: ["x"] }]) {
    await using server = await startEchoServer(order);
    const ended = Promise.withResolvers<void>();
    let answered = Promise.withResolvers<void>();
    let answers = 0;
    const echo = await server.connectTcp({
      answer: () => {
        answers++;
        answered.resolve();
      },
      end: ended.resolve,
    });
    for (let question = 1; question <= 5; question++) {
      echo.ask();
      await answered.promise;
      answered = Promise.withResolvers();
      assertEquals(answers, question);
    }
    echo.close();
    await ended.promise;
  }
});

Deno.test({ name: "echo server: a closed client gets no answer", ignore }, async () => {
  await using server = await startEchoServer({ ...ORDER, questionBytes: 10 });
  let answers = 0;
  const echo = await server.connectTcp({ answer: () => answers++, end: () => {} });
  echo.close();
  echo.ask();
  assertEquals(answers, 0);
});

Deno.test({ name: "echo server: another thread echoes what is posted to it", ignore }, async () => {
  await using server = await startEchoServer({ ...ORDER, delaysMs: { ...NO_DELAYS, wakeup: 1 } });
  for (const message of [null, "again"]) {
    const answered = Promise.withResolvers<unknown>();
    server.thread.onmessage = ({ data }) => answered.resolve(data);
    server.thread.postMessage(message);
    assertEquals(await answered.promise, message);
  }
});

Deno.test({ name: "echo server: a WebSocket message gets ordered frames", ignore }, async () => {
  await using server = await startEchoServer(ORDER);
  const socket = await dialEcho(server.url);
  for (let question = 1; question <= 3; question++) {
    const frames: (string | null)[] = [];
    const answered = Promise.withResolvers<void>();
    socket.onText((text) => {
      if (frames.push(text) === ORDER.frames.length) answered.resolve();
    });
    socket.send(`question ${question}`);
    await answered.promise;
    assertEquals(frames, [...ORDER.frames]);
  }
  await socket.close();
});

Deno.test({ name: "echo server: once stopped, both ports are closed", ignore }, async () => {
  const server = await startEchoServer(ORDER);
  await server.stop();
  await server.stop();
  await assertRejects(() => server.connectTcp({ answer() {}, end() {} }), Error);
  await assertRejects(() => dialEcho(server.url), ConnectError);
});

Deno.test("bytes are counted as sent, in UTF-8", () => {
  assertEquals(countBytes(), 0);
  assertEquals(countBytes("ä", "€", "x"), 6);
});
