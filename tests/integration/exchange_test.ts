import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { ConnectError } from "../../lib/client/connect_error.ts";
import { exchange } from "../../scenarios/malformed_input/exchange.ts";
import { answerSoundly, startScriptedServer } from "../support/scripted_server.ts";
import { NO_NET as ignore, SHORT_TIMEOUT_MS, targetAt, TOKEN } from "../support/targets.ts";

Deno.test({ name: "a flood keeps few frames, and the last call is served", ignore }, async () => {
  await using server = startScriptedServer((peer, message, text) => {
    if (text !== "bad") return answerSoundly(peer, message);
    for (let nth = 0; nth < 500; nth++) peer.send({ op: "news", nth });
  });
  using target = targetAt(server.url);
  const { frames, result } = await exchange(target, {
    credentials: target.newCredentials(),
    inSession: true,
    send: ["bad"],
    last: { id: "last", tool: "status", argsJson: "{}" },
    isEnough: (soFar) => soFar.length >= 50,
    patienceMs: 5_000,
  });
  assertEquals([frames.length, result === null], [50, false]);
});

Deno.test({ name: "an error of the handshake does not repeat the token", ignore }, async () => {
  await using server = startScriptedServer((peer) => peer.send({ op: "hello", token: TOKEN }));
  using target = targetAt(server.url, { timeoutMs: SHORT_TIMEOUT_MS });
  const { message } = await assertRejects(
    () =>
      exchange(target, {
        credentials: target.newCredentials(),
        inSession: true,
        send: [],
        last: { id: "last", tool: "status", argsJson: "{}" },
        isEnough: () => true,
        patienceMs: SHORT_TIMEOUT_MS,
      }),
    ConnectError,
  );
  assertStringIncludes(message, '"token":"***"');
});
