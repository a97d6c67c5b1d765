import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { redactUrl } from "../../lib/net/redact_url.ts";
import { maskCommand, maskSecrets } from "../../lib/report/secrets.ts";

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
  );
  fc.assert(fc.property(scheme, place, password, (base, put, text) => {
    const secret = `q7${text}`;
    const url = put(base, secret);
    if (!URL.canParse(url)) return;
    const { username, password, search, pathname, host } = new URL(url);
    // Where the text came to stand as a path or a host, it is not taken for secret.
    if (!`${username}${password}${search}`.includes("q7")) return;
    if (`${pathname}${host}`.includes("q7")) return;
    for (const args of [["--url", url], [`--url=${url}`]]) {
      const shown = maskCommand([...BEFORE, ...args]).join(" ");
      assert(!shown.includes("q7"), `${url} became ${shown}`);
      // No rest of it either, such as what came after the second @ of a password.
      if (password.endsWith(text)) assert(!shown.includes(text.slice(-6)), `${url}: ${shown}`);
    }
    assert(!redactUrl(url).includes("q7"));
  }));
});

/** Strings that hold secrets, in every place that JSON has for one. */
function holding(texts: fc.Arbitrary<string>): fc.Arbitrary<unknown> {
  return fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      texts,
      fc.constantFrom(null, true, 1.5),
      fc.array(tie("value"), { maxLength: 4 }),
      fc.dictionary(texts, tie("value"), { maxKeys: 4, noNullPrototype: true }),
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

Deno.test("secrets: what is no string, and strings without a secret, stay as they are", () => {
  const value = { a: [1, null, true, "text"], b: { c: -0.5 }, "": "" };
  assertEquals(maskSecrets(value, ["hunter22"]), value);
  assertEquals(maskSecrets(value, []), value);
  assertEquals(maskSecrets(value, ["", "text"]), value);
});
