import { assertEquals } from "@std/assert";
import { exchange } from "../../scenarios/malformed_input/exchange.ts";
import { answerSoundly, startScriptedServer } from "../support/scripted_server.ts";
import { NO_NET as ignore, targetAt } from "../support/targets.ts";

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
