import { assertEquals, assertStringIncludes } from "@std/assert";
import { answering, startTcp } from "../support/raw_server.ts";
import { makeUserFolder, NEEDS_PROCESSES, runCli, SHORT_RUN } from "../support/run_cli.ts";

const ignore = NEEDS_PROCESSES;

/** Counts its connections and refuses each. */
function startProxy() {
  return startTcp(answering("HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n"));
}

Deno.test({ name: "a proxy of the environment is not used for this machine", ignore }, async () => {
  await using folder = await makeUserFolder();
  await using proxy = startProxy();
  const env = { HTTP_PROXY: `http://127.0.0.1:${proxy.port}` };
  const { code, stderr } = await runCli(SHORT_RUN, { folder: folder.path, env });
  assertEquals([code, proxy.connections], [0, 0], stderr);
});

Deno.test({ name: "a proxy in use is named in messages and report", ignore }, async () => {
  await using folder = await makeUserFolder();
  await using proxy = startProxy();
  const named = `http://***@127.0.0.1:${proxy.port} (HTTP_PROXY)`;
  const { code, stdout, stderr } = await runCli(["--url", "ws://bench.invalid", ...SHORT_RUN], {
    folder: folder.path,
    env: { HTTP_PROXY: `http://me:sesame@127.0.0.1:${proxy.port}` },
  });
  assertEquals(code, 3, stderr);
  assertStringIncludes(stderr, `warning: connections go through the proxy ${named}`);
  const { target, verdict: { reasons } } = await folder.report();
  assertEquals(target.proxy, named);
  assertStringIncludes(reasons[0]!.message, `through the proxy ${named}`);
  assertStringIncludes(reasons[0]!.message, "NO_PROXY");
  const page = (await folder.files()).get("reports/report.md")!;
  assertStringIncludes(page, "through the proxy");
  assertEquals([stdout, stderr, page].some((text) => text.includes("sesame")), false);
});
