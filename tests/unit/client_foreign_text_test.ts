import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { foreignText } from "../../lib/client/foreign_text.ts";
import { base64Parts, formsOfSecret } from "../support/secret_forms.ts";

Deno.test("a secret is masked before the text is cut, so no part of it remains", () => {
  const foreign = foreignText(["secret-token", ""]);
  assertEquals(foreign("no secret-token here"), "no *** here");
  assertEquals(foreign(`${"x".repeat(10)}secret-token`, 14), `${"x".repeat(10)}***`);
  assertEquals(foreign("y".repeat(200)), `${"y".repeat(160)}…`);
});

Deno.test("property: no form of a secret remains, whatever surrounds it and wherever the text is cut", () => {
  const secret = fc.string({ unit: fc.constantFrom(..."abcXYZ019+/=&\"' \\é→$.*"), minLength: 6 })
    .filter((text) => !text.includes("***") && text.trim().length >= 6);
  const around = fc.string({ unit: fc.constantFrom(..."xyz :,"), maxLength: 200 });
  const cut = fc.integer({ min: 1, max: 300 });
  fc.assert(
    fc.property(fc.array(secret, { minLength: 1, maxLength: 3 }), around, cut, (all, pad, at) => {
      const foreign = foreignText(all);
      for (const one of all) {
        for (const form of formsOfSecret(one)) {
          const text = foreign(`${pad}${form}${pad}${form}`, at);
          for (const left of [one, ...formsOfSecret(one), ...base64Parts(one)]) {
            assert(!text.includes(left), `${left} of ${form} remains in ${text}`);
          }
          // The beginning of a long secret must not remain either.
          if (one.length >= 16) assert(!text.includes(one.slice(0, 8)), text);
        }
      }
    }),
  );
});

Deno.test("the beginning of a long secret is masked too, in case a server cut it", () => {
  const token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abcdefghijklmnop";
  const foreign = foreignText([token]);
  for (const length of [8, 20, token.length - 1]) {
    assertEquals(foreign(`bad token ${token.slice(0, length)} no`), "bad token *** no");
  }
  assertEquals(foreign(`bad ${btoa(token).slice(0, 30)}`), "bad ***");
});

Deno.test("a short secret is masked only as a whole word, and overlapping secrets are both masked", () => {
  const foreign = foreignText(["abc", "1", "first-second", "second-third"]);
  assertEquals(foreign("abc, (abc) abcd 1 10 id=abc YWJj"), "***, (***) abcd *** 10 id=*** ***");
  assertEquals(foreign("a first-second-third b"), "a *** b");
});

Deno.test("a text full of secrets is shown masked, with no part of a secret at the cut", () => {
  const secret = "a-secret-of-some-length";
  const foreign = foreignText([secret]);
  const text = foreign(`${secret} `.repeat(1000));
  assert(/^(\*\*\* )+(\*\*\*)?…$/.test(text), text);
  assert(text.length > 20, text);
  for (let length = 1; length < 60; length++) {
    const shown = foreign(`${"x".repeat(length)}${secret.repeat(100)}`, 40);
    assert(!/[a-w]/.test(shown), shown);
  }
});

Deno.test("a huge text is cut before it is searched", () => {
  const foreign = foreignText(["a-secret-of-some-length"]);
  assertEquals(foreign("a".repeat(20_000_000)), `${"a".repeat(160)}…`);
});
