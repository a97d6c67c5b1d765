import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { redactUrl } from "../../lib/client/redact_url.ts";
import { parseReport, renderJson } from "../../lib/report/export/json.ts";
import { maskCommand, maskSecrets } from "../../lib/cli/secrets.ts";
import { sampleReport } from "../support/sample_report.ts";

const BEFORE = ["deno", "task", "bench"];

Deno.test("secrets: values of --token and --header are not in the command, however they are given", () => {
  assertEquals(
    maskCommand([...BEFORE, "--token", "hunter2", "--token=hunter2", "--header", "A: hunter2"]),
    [...BEFORE, "--token", "***", "--token=***", "--header", "***"],
  );
  assertEquals(maskCommand(["--header=A: b=c", "--quiet"]), ["--header=***", "--quiet"]);
});

Deno.test("secrets: what is not secret stays in the command", () => {
  const args = [
    ...[
      ...BEFORE,
      "--url",
      "ws://host:8079/path",
      "--tool",
      "status",
      "--tool-args",
      '{"a":"b?c"}',
    ],
    ...["--out=reports", "--max-rate", "4", "--subprotocol", "v1"],
  ];
  assertEquals(maskCommand(args), args);
});

/** Text as in passwords: letters, digits and what means something in a URL or a pattern. */
const password = fc.string({
  unit: fc.constantFrom(..."abcXYZ0189-._~!$&'()*+,;=:@%\\/?#[]{}|^ \t"),
  minLength: 6,
  maxLength: 24,
});

Deno.test("secrets: user, password and query of any URL that is accepted are not in the command", () => {
  const scheme = fc.constantFrom("ws://", "wss://", "WS://", "ws:", "ws:/", "ws:\\\\", " ws://");
  const place = fc.constantFrom(
    (base: string, text: string) => `${base}ann:${text}@host:8079/path`,
    (base: string, text: string) => `${base}${text}@host`,
    (base: string, text: string) => `${base}host/path?token=${text}`,
    (base: string, text: string) => `${base}ann:${text}@host?x=y@z`,
    (base: string, text: string) => `${base}ann@host?x=y@${text}`,
  );
  fc.assert(fc.property(scheme, place, password, (base, put, text) => {
    const secret = `q7${text}q7`;
    const url = put(base, secret);
    if (!URL.canParse(url)) return;
    const { username, password, search, pathname, host } = new URL(url);
    // Where the text came to stand as a path or a host, it is not taken for secret.
    if (!`${username}${password}${search}`.includes("q7")) return;
    if (`${pathname}${host}`.includes("q7")) return;
    for (const args of [["--url", url], [`--url=${url}`]]) {
      const shown = maskCommand([...BEFORE, ...args]).join(" ");
      assert(!shown.includes("q7"), `${url} became ${shown}`);
    }
    assert(!redactUrl(url).includes("q7"));
  }));
});

/** Values with such strings wherever a report can have text of others. */
function holding(texts: fc.Arbitrary<string>): fc.Arbitrary<unknown> {
  return fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      texts,
      fc.constantFrom(null, true, 1.5),
      fc.array(tie("value"), { maxLength: 4 }),
      fc.record({ message: tie("value"), parameters: tie("value") }, { noNullPrototype: true }),
      fc.record({
        errorCodes: fc.dictionary(texts, fc.nat(), { maxKeys: 4, noNullPrototype: true }),
      }, { noNullPrototype: true }),
    ),
  })).value;
}

/** Every string in a value, keys with them. */
function stringsIn(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => [key, ...stringsIn(item)]);
}

Deno.test("secrets: none of 6 characters or more is left anywhere in a masked value", () => {
  const secret = fc.string({ unit: fc.constantFrom(..."abc$&.*"), minLength: 6, maxLength: 9 })
    .filter((text) => !text.includes("***"));
  const input = fc.array(secret, { minLength: 1, maxLength: 4 }).chain((secrets) => {
    const part = fc.oneof(
      fc.constantFrom(...secrets),
      fc.string({ unit: fc.constantFrom(..."xyz :"), maxLength: 4 }),
    );
    const text = fc.array(part, { maxLength: 5 }).map((parts) => parts.join(""));
    return fc.record({ secrets: fc.constant(secrets), value: holding(text) });
  });
  fc.assert(fc.property(input, ({ secrets, value }) => {
    const before = JSON.stringify(value);
    const masked = maskSecrets(value, secrets);
    for (const text of stringsIn(masked)) {
      for (const one of secrets) assert(!text.includes(one), `${one} is left in ${text}`);
    }
    assertEquals(JSON.stringify(value), before);
  }));
});

Deno.test("secrets: one that begins as another leaves no rest of itself", () => {
  assertEquals(maskSecrets("a token-1234 b", ["token-", "token-1234"]), "a *** b");
  assertEquals(maskSecrets("a token-1234 b", ["token-1234", "token-"]), "a *** b");
});

Deno.test("secrets: a report can be read back, whatever word the token is", () => {
  for (const kind of ["passed", "failed", "interrupted"] as const) {
    const report = sampleReport(kind);
    const words = [
      ...["passed", "failed", "interrupted", "skipped", "embedded", "external", "distribution"],
      ...["scalar", "latency", "throughput", "message", "rounds", "scenarios", "status", "higher"],
      ...["establishment", "standard", "timeout", "TOOL_NOT_FOUND"],
    ];
    for (const word of words) {
      const masked = maskSecrets(report, [word]);
      const read = parseReport(renderJson(masked), "report.json");
      assertEquals(read.verdict.status, report.verdict.status);
      assertEquals(
        read.scenarios.map(({ name, metrics }) => [name, ...metrics.map(({ name }) => name)]),
        report.scenarios.map(({ name, metrics }) => [name, ...metrics.map(({ name }) => name)]),
      );
    }
  }
});

Deno.test("secrets: what is no string, and strings without a secret, stay as they are", () => {
  const value = { a: [1, null, true, "text"], b: { c: -0.5 }, "": "" };
  assertEquals(maskSecrets(value, ["hunter22"]), value);
  assertEquals(maskSecrets(value, []), value);
  assertEquals(maskSecrets(value, ["", "text"]), value);
});
