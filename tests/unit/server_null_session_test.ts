import { assertEquals, assertThrows } from "@std/assert";
import { exai } from "../../lib/protocols/exai.ts";
import { NullSession } from "../../lib/server/null_session.ts";

const MASK = Uint8Array.of(0x11, 0xa2, 0x5b, 0xf0);
const HELLO = exai.open({ sessionId: "abc", token: null }).send[0]!;

/** A client's frame, masked as the protocol requires. */
function frameOf(text: string, opcode = 1): Uint8Array {
  const payload = new TextEncoder().encode(text);
  const { length } = payload;
  const header = [0x80 | opcode];
  if (length < 126) header.push(0x80 | length);
  else if (length < 65_536) header.push(0x80 | 126, length >> 8, length & 0xff);
  else header.push(0x80 | 127, 0, 0, 0, 0, 0, length >> 16, (length >> 8) & 0xff, length & 0xff);
  return Uint8Array.from([...header, ...MASK, ...payload.map((byte, at) => byte ^ MASK[at & 3]!)]);
}

/** Feeds the session these bytes in pieces and returns the texts of its replies. */
function answersTo(session: NullSession, bytes: Uint8Array, piece = bytes.length): string[] {
  const replies: number[] = [];
  for (let at = 0; at < bytes.length;) {
    const { room } = session;
    const part = bytes.subarray(at, Math.min(at + piece, at + room.length));
    room.set(part);
    replies.push(...session.answer(part.length));
    at += part.length;
  }
  return textsOf(Uint8Array.from(replies));
}

/** Texts of a server's frames, unmasked and of at most 65,535 bytes each. */
function textsOf(bytes: Uint8Array): string[] {
  const texts: string[] = [];
  for (let at = 0; at < bytes.length;) {
    assertEquals(bytes[at], 0x81);
    const short = bytes[at + 1]!;
    const start = at + (short < 126 ? 2 : 4);
    const length = short < 126 ? short : bytes[at + 2]! * 256 + bytes[at + 3]!;
    texts.push(new TextDecoder().decode(bytes.subarray(start, start + length)));
    at = start + length;
  }
  return texts;
}

function greeted(): NullSession {
  const session = new NullSession();
  answersTo(session, frameOf(HELLO));
  return session;
}

const result = (id: string) => ({ kind: "result" as const, id, fromCache: false });

Deno.test("null session: accepts any hello, once", () => {
  const session = new NullSession();
  const [ack, ...more] = answersTo(session, frameOf(HELLO));
  assertEquals(exai.open({ sessionId: "abc", token: null }).read?.(ack!), {
    status: "accepted",
    send: [],
    sessionId: "null",
  });
  assertEquals(more, []);
});

Deno.test("null session: answers each call with a success for its id", () => {
  const session = greeted();
  for (const id of ["r1", "a-long-id-that-makes-the-reply-longer-than-125-bytes".repeat(3)]) {
    const replies = answersTo(session, frameOf(exai.encodeCall(id, "status", '{"a":"b"}')));
    assertEquals(replies.map(exai.classify), [result(id)]);
  }
});

Deno.test("null session: reads frames whole, in pieces or many together", () => {
  const ids = Array.from({ length: 2_000 }, (_, index) => `r${index}`);
  const calls = ids.flatMap((id) => [...frameOf(exai.encodeCall(id, "status", "{}"))]);
  for (const piece of [1, 7, 1_000, calls.length]) {
    const replies = answersTo(greeted(), Uint8Array.from(calls), piece);
    assertEquals(replies.map(exai.classify), ids.map(result));
  }
});

Deno.test("null session: answers calls of every length class", () => {
  for (const bytes of [0, 50, 1_000, 200_000]) {
    const session = greeted();
    const call = frameOf(exai.encodeCall("r1", "echo", `{"payload":"${"x".repeat(bytes)}"}`));
    assertEquals(answersTo(session, call.subarray(0, call.length - 1), 40_000), []);
    assertEquals(answersTo(session, call.subarray(-1)).map(exai.classify), [result("r1")]);
    assertEquals(answersTo(session, call).length, 1);
  }
});

Deno.test("null session: ignores frames that are not calls", () => {
  const session = greeted();
  assertEquals(answersTo(session, frameOf("")), []);
  assertEquals(answersTo(session, frameOf('{"op":"call_tool","request_id":')), []);
  assertEquals(answersTo(session, frameOf("ping", 9)), []);
  assertEquals(session.isOver, false);
});

Deno.test("null session: answers a close with 1000 and ends", () => {
  const session = greeted();
  const bytes = Uint8Array.of(...frameOf("\x03\xe8", 8), ...frameOf("late"));
  session.room.set(bytes);
  assertEquals([...session.answer(bytes.length)], [0x88, 2, 0x03, 0xe8]);
  assertEquals(session.isOver, true);
});

Deno.test("null session: replies with the requested number of outputs", () => {
  const call = exai.encodeCall("r-1", "status", "{}");
  for (const outputs of [0, 1, 3, 1_900]) {
    const session = new NullSession(outputs);
    const [, reply] = answersTo(session, Uint8Array.from([...frameOf(HELLO), ...frameOf(call)]));
    const { request_id, ok, outputs: sent } = JSON.parse(reply!);
    assertEquals([request_id, ok, sent.length], ["r-1", true, outputs]);
  }
  for (const outputs of [-1, 1.5, 1_901, NaN]) {
    assertThrows(() => new NullSession(outputs), RangeError, `outputs is ${outputs}`);
  }
});
