import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { waitForServer } from "../../lib/run/wait_for_server.ts";
import { settingsAt, startReference } from "../support/run_scenarios.ts";
import { freePort } from "../support/peer_process.ts";
import { answering, startTcp } from "../support/raw_server.ts";
import { NO_NET as ignore } from "../support/targets.ts";

async function waitAt(url: string, waitMs: number, onText?: (text: string) => void) {
  const texts: string[] = [];
  await waitForServer(settingsAt(url, { waitMs, timeoutMs: 1_000 }), {
    signal: new AbortController().signal,
    onProgress: (text) => {
      texts.push(text);
      onText?.(text);
    },
  });
  return texts;
}

Deno.test("wait: until a starting server opens a session", { ignore }, async () => {
  const port = freePort();
  await using stack = new AsyncDisposableStack();
  // Starts once the wait has begun.
  let starting: Promise<unknown> = Promise.resolve();
  const texts = await waitAt(`ws://127.0.0.1:${port}`, 20_000, (text) => {
    if (!text.startsWith("waiting")) return;
    starting = startReference({ port }).then((server) => stack.use(server));
  });
  await starting;
  assertEquals(texts.length, 2);
  assertStringIncludes(
    texts[0]!,
    `waiting up to 20 s for the server at ws://127.0.0.1:${port}: `,
  );
  assert(/^the server answered after \d+\.\d s$/.test(texts[1]!), texts[1]);
});

Deno.test("wait: a gateway's 502 is retried until the time is over", { ignore }, async () => {
  await using gateway = startTcp(answering("HTTP/1.1 502 No\r\nContent-Length: 0\r\n\r\n"));
  const texts = await waitAt(`ws://127.0.0.1:${gateway.port}`, 600);
  assertEquals(texts.length, 1);
  assertStringIncludes(texts[0]!, "HTTP 502");
  assert(gateway.connections >= 2, `${gateway.connections} attempts`);
});

Deno.test("wait: not for permanent failures, and not unless asked", { ignore }, async () => {
  await using server = startTcp(answering("HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n"));
  assertEquals(await waitAt(`ws://127.0.0.1:${server.port}`, 60_000), []);
  assertEquals(server.connections, 1);
  assertEquals(await waitAt(`ws://127.0.0.1:${server.port}`, 0), []);
  assertEquals(server.connections, 1);
});
