import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { waitForServer } from "../../lib/run/wait_for_server.ts";
import { settingsAt, startReference } from "../support/run_scenarios.ts";
import { answering, startTcp } from "../support/raw_server.ts";
import { NO_NET } from "../support/targets.ts";

const ignore = NO_NET;

function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  listener.close();
  return listener.addr.port;
}

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

Deno.test(
  { name: "wait: until a server that is still starting opens a session", ignore },
  async () => {
    const port = freePort();
    await using stack = new AsyncDisposableStack();
    // It is there once something has been waited for.
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
  },
);

Deno.test(
  { name: "wait: a gateway's 502 is waited for, until the time is over", ignore },
  async () => {
    await using gateway = startTcp(answering("HTTP/1.1 502 No\r\nContent-Length: 0\r\n\r\n"));
    const texts = await waitAt(`ws://127.0.0.1:${gateway.port}`, 600);
    assertEquals(texts.length, 1);
    assertStringIncludes(texts[0]!, "HTTP 502");
    assert(gateway.connections >= 2, `${gateway.connections} attempts`);
  },
);

Deno.test(
  { name: "wait: not for what time does not heal, and not unless asked", ignore },
  async () => {
    await using server = startTcp(answering("HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n"));
    assertEquals(await waitAt(`ws://127.0.0.1:${server.port}`, 60_000), []);
    assertEquals(server.connections, 1);
    assertEquals(await waitAt(`ws://127.0.0.1:${server.port}`, 0), []);
    assertEquals(server.connections, 1);
  },
);
