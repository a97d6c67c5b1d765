import { assertEquals } from "@std/assert";
import { exchange } from "../../scenarios/malformed_input/exchange.ts";
import { answerSoundly, startScriptedServer } from "../support/scripted_server.ts";
import { NO_NET, targetAt } from "../support/targets.ts";

Deno.test(
  { name: "of a flood a few frames are kept, and the last call is served", ignore: NO_NET },
  async () => {
    await using server = startScriptedServer((peer, message, text) => {
      if (text === "bad") { for (let nth = 0; nth < 500; nth++) peer.send({ op: "news", nth }); }
      else answerSoundly(peer, message);
    });
    using target = targetAt(server.url);
    const { protocol } = target.options;
    const { frames, result } = await exchange(target, {
      credentials: target.newCredentials(),
      inSession: true,
      send: ["bad"],
      last: { id: "last", text: protocol.encodeCall("last", "status", "{}") },
      isEnough: (soFar) => soFar.length >= 50,
      patienceMs: 5_000,
    });
    assertEquals([frames.length, result === null], [50, false]);
  },
);
