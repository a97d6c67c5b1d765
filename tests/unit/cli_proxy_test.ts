import { assertEquals } from "@std/assert";
import { noProxyWithLoopback, proxyOf } from "../../lib/cli/environment.ts";

Deno.test("proxy: the proxy that Deno uses is named, without its password", () => {
  const http = { HTTP_PROXY: "http://user:secret@proxy:3128" };
  for (
    const [url, env, proxy] of [
      ["ws://example.org", http, "http://***@proxy:3128 (HTTP_PROXY)"],
      ["ws://example.org", { http_proxy: "proxy:3128" }, "http://proxy:3128 (HTTP_PROXY)"],
      ["wss://example.org", http, null],
      ["wss://example.org", { HTTPS_PROXY: "http://p:1" }, "http://p:1 (HTTPS_PROXY)"],
      ["ws://example.org", { ALL_PROXY: "socks5://p:1", ...http }, "socks5://p:1 (ALL_PROXY)"],
      ["ws://example.org", {}, null],
      ["ws://example.org", { HTTP_PROXY: "" }, null],
      ["ws://127.0.0.1:8079", http, null],
      ["ws://127.3.2.1:8079", http, null],
      ["ws://localhost:8079", http, null],
      ["ws://[::1]:8079", http, null],
    ] as const
  ) assertEquals(proxyOf(url, env), proxy, `${url} ${JSON.stringify(env)}`);
});

Deno.test("proxy: the relay of --insecure bypasses it", () => {
  const env = { ALL_PROXY: "http://p:1" };
  assertEquals(proxyOf("wss://example.org", env, true), null);
  assertEquals(proxyOf("ws://example.org", env, true), "http://p:1 (ALL_PROXY)");
});

Deno.test("proxy: NO_PROXY is obeyed", () => {
  for (
    const [host, noProxy, isExempt] of [
      ["example.org", "example.org", true],
      ["a.example.org", "example.org", true],
      ["a.example.org", "x, .example.org", true],
      ["notexample.org", "example.org", false],
      ["10.1.2.3", "10.0.0.0/8", true],
      ["11.1.2.3", "10.0.0.0/8", false],
      ["anything", "*", true],
      ["anything", "", false],
    ] as const
  ) {
    const proxy = proxyOf(`ws://${host}`, { HTTP_PROXY: "http://p:1", NO_PROXY: noProxy });
    assertEquals(proxy === null, isExempt, `${host} by ${noProxy}`);
  }
});

Deno.test("proxy: loopback addresses are added to NO_PROXY if there is a proxy", () => {
  assertEquals(noProxyWithLoopback({ NO_PROXY: "a" }), null);
  assertEquals(
    noProxyWithLoopback({ all_proxy: "http://p:1", no_proxy: "a" }),
    "a,localhost,127.0.0.0/8,::1",
  );
});
