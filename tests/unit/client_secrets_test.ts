import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { maskCommand } from "../../lib/cli/invocation.ts";
import { redactUrl } from "../../lib/client/redact_url.ts";
import { secretsOf } from "../../lib/client/secrets.ts";

const BEFORE = ["deno", "task", "bench"];

Deno.test("secrets: values of --token and --header are masked in the command, in either form", () => {
  assertEquals(
    maskCommand([...BEFORE, "--token", "hunter2", "--token=hunter2", "--header", "A: hunter2"]),
    [...BEFORE, "--token", "***", "--token=***", "--header", "***"],
  );
  assertEquals(maskCommand(["--header=A: b=c", "--quiet"]), ["--header=***", "--quiet"]);
});

Deno.test("secrets: everything else stays in the command", () => {
  const args = [
    ...[...BEFORE, "--url", "ws://host:8079/path", "--tool", "status"],
    ...["--tool-args", '{"a":"b?c"}', "--out=reports", "--max-rate", "4", "--subprotocol", "v1"],
  ];
  assertEquals(maskCommand(args), args);
});

/** Passwords of letters, digits and characters that are special in a URL or a pattern. */
const password = fc.string({
  unit: fc.constantFrom(..."abcXYZ0189-._~!$&'()*+,;=:@%\\/?#[]{}|^ \t"),
  minLength: 6,
  maxLength: 24,
});

Deno.test("property: user, password and query of any accepted URL are masked in the command", () => {
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
    // A path or host is not treated as secret.
    if (!`${username}${password}${search}`.includes("q7")) return;
    if (`${pathname}${host}`.includes("q7")) return;
    for (const args of [["--url", url], [`--url=${url}`]]) {
      const shown = maskCommand([...BEFORE, ...args]).join(" ");
      assert(!shown.includes("q7"), `${url} became ${shown}`);
    }
    assert(!redactUrl(url).includes("q7"));
  }));
});

Deno.test("secrets: credentials in subprotocols, and tokens in other arguments, are masked", () => {
  const bearer = "base64url.bearer.authorization.k8s.io.aHVudGVyMg";
  assertEquals(
    maskCommand(
      [
        ...["--subprotocol", "graphql-transport-ws", `--subprotocol=${bearer}`],
        ...["--start-a", "serve --key hunter2-token", "--token-b=q", "--header-b", "A: b"],
      ],
      ["hunter2-token", null],
    ),
    [
      ...["--subprotocol", "graphql-transport-ws", "--subprotocol=***"],
      ...["--start-a", "serve --key ***", "--token-b=***", "--header-b", "***"],
    ],
  );
});

Deno.test("secrets: every secret part of the settings that a server might echo is listed", () => {
  const found = secretsOf({
    url: "ws://ann:p%40ss@host/?key=q%2Fuery&v=2&bare",
    token: "t",
    headers: {
      Authorization: "Bearer bearer-token",
      Cookie: 'session="cookie-value"; theme=dark',
      "Proxy-Authorization": `Basic ${btoa("bob:basic-password")}`,
      DNT: "1",
    },
    subprotocols: ["v4.channel.k8s.io", `base64url.bearer.x.${btoa("sub-token")}`],
  });
  for (
    const secret of [
      ...["t", "ann", "p%40ss", "p@ss", "ann:p@ss", "q/uery", "bare", "bearer-token"],
      ...["cookie-value", "dark", "bob:basic-password", "bob", "basic-password"],
      ...["sub-token", btoa("sub-token")],
    ]
  ) assert(found.includes(secret), secret);
  // Not secret: schemes, and values too short for one.
  for (const plain of ["Bearer", "Basic", "1", "2"]) assert(!found.includes(plain), plain);
  const plain = { url: "ws://h", token: null, headers: {}, subprotocols: ["v10.stomp", "mqtt"] };
  assertEquals(secretsOf(plain), []);
});
