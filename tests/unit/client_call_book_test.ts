import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Frame } from "../../lib/protocols/protocol.ts";
import { type Call, isFromCache, type Observed } from "../../lib/client/call.ts";
import { CallBook } from "../../lib/client/call_book.ts";
import { brokenEquations, openLedger, settleLedger } from "../../lib/client/ledger.ts";
import { countsOf, ledgerWith } from "../support/targets.ts";

const ok = (id: string | null): Frame => ({ kind: "result", id, fromCache: false });
const refusal = { kind: "rateLimited", code: "OVER_CAPACITY", message: "slow down" } as const;
const bareRefusal: Frame = { ...refusal, id: null };

function createBook() {
  const ledger = openLedger();
  const observed: Observed = { streamComplete: false, rateLimit: null };
  const book = new CallBook("t-", { ledger, observed });
  const ended: Call[] = [];
  const begin = (sentNs = 0) => book.begin(sentNs, (call) => ended.push({ ...call }));
  return { book, ledger, observed, ended, begin };
}

Deno.test("each call ends exactly once, with the time of its own final frame", () => {
  const { book, begin, ended } = createBook();
  const first = begin(10);
  const second = begin(20);
  book.receive(ok(second.id), 30);
  book.receive(ok(first.id), 50);
  book.receive(ok(first.id), 60);
  book.endAll("connectionLost", 70);
  assertEquals(
    ended.map(({ id, status, sentNs, endedNs }) => [id, status, sentNs, endedNs]),
    [["t-2", "ok", 20, 30], ["t-1", "ok", 10, 50]],
  );
});

Deno.test("a reply without an id ends the only outstanding call", () => {
  const { book, begin, ended, observed } = createBook();
  begin();
  book.receive(bareRefusal, 5);
  assertEquals(ended.map(({ status, errorCode }) => [status, errorCode]), [
    ["rateLimited", "OVER_CAPACITY"],
  ]);
  assertEquals(observed.rateLimit, { atCall: 1, message: "slow down" });
});

Deno.test("a reply without an id ends no call while two are outstanding", () => {
  const { book, ledger, begin, ended } = createBook();
  begin();
  begin();
  book.receive(bareRefusal, 5);
  assertEquals([ended.length, ledger.frames.orphan], [0, 1]);
});

Deno.test("a reply without an id is not attributed to the next call while an earlier one is unanswered", () => {
  const { book, ledger, begin } = createBook();
  begin(0);
  book.expire(0, 10);
  begin(20);
  book.receive(bareRefusal, 30);
  assertEquals([ledger.timeout, ledger.rateLimited, ledger.frames.orphan], [1, 0, 1]);
});

Deno.test("a reply without an id is attributed again once a later call has been answered", () => {
  const { book, ledger, begin } = createBook();
  begin(0);
  book.expire(0, 10);
  book.receive(ok(begin(20).id), 30);
  begin(40);
  book.receive(bareRefusal, 50);
  assertEquals([ledger.rateLimited, ledger.frames.orphan], [1, 0]);
});

Deno.test("a reply without an id is attributed again once the unanswered call is answered late", () => {
  const { book, ledger, begin } = createBook();
  const silent = begin(0);
  book.expire(0, 10);
  book.receive(ok(silent.id), 20);
  begin(30);
  book.receive(bareRefusal, 40);
  assertEquals([ledger.frames.late, ledger.rateLimited, ledger.frames.orphan], [1, 1, 0]);
});

Deno.test("replies without an id are attributed again once every earlier call must have had its own", () => {
  const { book, ledger, begin } = createBook();
  begin(0);
  book.expire(0, 10);
  begin(20);
  book.receive(bareRefusal, 30); // Belongs to the first call or the second.
  assertStringIncludes(
    ledger.firstStrays.orphan!,
    "a call that timed out before may still be answered",
  );
  book.receive(bareRefusal, 40); // Replies are in order, so this is the second's.
  begin(50);
  book.receive(bareRefusal, 60);
  assertEquals([ledger.timeout, ledger.rateLimited, ledger.frames.orphan], [1, 2, 1]);
});

Deno.test("a reply without an id and no call outstanding belongs to the only call that timed out", () => {
  const { book, ledger, begin } = createBook();
  begin(0);
  book.expire(0, 10);
  book.receive(bareRefusal, 20);
  book.receive(bareRefusal, 20);
  begin(30);
  book.receive(bareRefusal, 40);
  assertEquals([ledger.frames.late, ledger.frames.orphan, ledger.rateLimited], [1, 1, 1]);
});

Deno.test("if a server has replied out of order, replies without an id are not attributed by order", () => {
  const { book, ledger, begin } = createBook();
  const [first, second] = [begin(0).id, begin(0).id];
  book.receive(ok(second), 1);
  book.receive(ok(first), 2);
  begin(3);
  book.expire(3, 4);
  begin(5);
  book.receive(bareRefusal, 6);
  book.receive(bareRefusal, 7);
  assertEquals([ledger.rateLimited, ledger.frames.orphan], [0, 2]);
});

Deno.test("late and duplicate frames count in the ledger of their call, orphans in the current one", () => {
  const { book, ledger: warmup, begin } = createBook();
  const measured = openLedger();
  const answered = begin(0).id;
  const silent = begin(0).id;
  book.receive({ kind: "progress", id: answered, streamComplete: true }, 1);
  book.receive(ok(answered), 1);
  book.expire(0, 2);
  book.ledger = measured;
  const second = begin(3).id;
  book.receive(ok(answered), 4);
  book.receive(ok(silent), 4);
  book.receive(ok(silent), 4);
  book.receive({ kind: "progress", id: silent, streamComplete: false }, 4);
  book.receive(ok("somebody-else"), 4);
  book.receive({ kind: "malformed", id: null, reason: "" }, 4);
  book.receive({ kind: "notification", id: null, answer: null }, 4);
  book.receive(ok(second), 5);
  book.receive(ok(second), 6);
  assertEquals(
    countsOf(settleLedger(warmup, false)),
    ledgerWith({
      sent: 2,
      ok: 1,
      timeout: 1,
      frames: { received: 6, final: 1, progress: 2, duplicate: 2, late: 1 },
    }),
  );
  assertEquals(
    countsOf(settleLedger(measured, false)),
    ledgerWith({
      sent: 1,
      ok: 1,
      frames: { received: 5, final: 1, progress: 1, duplicate: 1, orphan: 1, malformed: 1 },
    }),
  );
});

Deno.test("each call counts in its own ledger when an earlier ledger is used again", () => {
  const { book, ledger: first, begin } = createBook();
  const second = openLedger();
  const ids = [first, second, first].map((ledger) => {
    book.ledger = ledger;
    return begin().id;
  });
  for (const id of [...ids, ...ids]) book.receive(ok(id), 1);
  assertEquals([first.sent, first.ok, first.frames.duplicate], [2, 2, 2]);
  assertEquals([second.sent, second.ok, second.frames.duplicate], [1, 1, 1]);
});

Deno.test("replies whose id only resembles that of a call are orphans", () => {
  const { book, ledger, begin } = createBook();
  begin();
  const ids = ["t-", "t-0", "t-2", "t-01", "t-1.0", "t-1e0", "t--1", "t- 1", "T-1", "x-1", ""];
  for (const id of ids) {
    book.receive(ok(id), 1);
    book.receive({ kind: "progress", id, streamComplete: true }, 1);
  }
  assertEquals([ledger.frames.orphan, ledger.ok, book.outstanding], [22, 0, 1]);
});

Deno.test("expiry ends the calls sent up to the given time, oldest first", () => {
  const { book, begin, ended } = createBook();
  begin(10);
  begin(20);
  begin(21);
  book.expire(20, 100);
  assertEquals(ended.map(({ id, status }) => `${id} ${status}`), ["t-1 timeout", "t-2 timeout"]);
  assertEquals([book.outstanding, book.unanswered, book.oldest?.id], [1, 2, "t-3"]);
});

Deno.test("replies to calls lost with the connection are not expected", () => {
  const { book, ledger, begin } = createBook();
  begin();
  book.endAll("connectionLost", 1);
  assertEquals([book.outstanding, book.unanswered, ledger.connectionLost], [0, 0, 1]);
});

Deno.test("a success counts as cached if marked, or if it has no stream_complete where others had one", () => {
  const { book, ledger, observed, begin } = createBook();
  book.receive({ kind: "result", id: begin().id, fromCache: true }, 1);
  book.receive(ok(begin().id), 1);
  assertEquals(settleLedger(ledger, observed.streamComplete).cached, 1);
  const streamed = begin();
  book.receive({ kind: "progress", id: streamed.id, streamComplete: true }, 1);
  book.receive(ok(streamed.id), 1);
  assertEquals([settleLedger(ledger, observed.streamComplete).cached, ledger.ok], [2, 3]);
});

Deno.test("a progress frame other than stream_complete is no sign of streaming", () => {
  const { book, observed, begin } = createBook();
  const call = begin();
  book.receive({ kind: "progress", id: call.id, streamComplete: false }, 1);
  book.receive(ok(call.id), 1);
  assertEquals(observed.streamComplete, false);
});

Deno.test("unusual error codes are counted safely, and limited in number and length", () => {
  const { book, ledger, begin } = createBook();
  const fail = (code: string) =>
    book.receive({ kind: "toolError", id: begin().id, code, message: "" }, 1);
  ["__proto__", "constructor", "toString", "__proto__", "x".repeat(500)].forEach(fail);
  assertEquals(
    Object.entries(ledger.errorCodes),
    [["(__proto__)", 2], ["(constructor)", 1], ["toString", 1], ["x".repeat(64), 1]],
  );
  for (let index = 0; index < 100; index++) fail(`E${index}`);
  assertEquals([Object.keys(ledger.errorCodes).length, ledger.errorCodes["(other)"]], [65, 40]);
  assertEquals(Object.values(ledger.errorCodes).reduce((a, b) => a + b), ledger.toolError);
});

Deno.test("a ledger that does not add up names the broken equations, with both sides", () => {
  assertEquals(brokenEquations(ledgerWith({})), []);
  assertEquals(
    brokenEquations(ledgerWith({ sent: 3, ok: 2, cached: 3, frames: { received: 1, final: 1 } })),
    [
      "sent = ok + toolError + rateLimited + timeout + connectionLost + aborted: 3 against 2",
      "frames.final = ok + toolError + rateLimited: 1 against 2",
      "cached is within ok: 3 against 2",
    ],
  );
});

Deno.test("the first progress frame is timed, not counting stream_complete", () => {
  const { book, begin, ended } = createBook();
  const { id } = begin(10);
  const progress = (streamComplete: boolean): Frame => ({ kind: "progress", id, streamComplete });
  book.receive(progress(true), 20);
  book.receive(progress(false), 30);
  book.receive(progress(false), 40);
  book.receive(ok(id), 50);
  assertEquals(ended.map(({ firstProgressNs, endedNs }) => [firstProgressNs, endedNs]), [[30, 50]]);
});

Deno.test("a success is from a cache if marked, or if others had a stream_complete and it has none", () => {
  const { book, begin, ended, observed } = createBook();
  const answer = (fromCache: boolean, streamed: boolean) => {
    const { id } = begin();
    if (streamed) book.receive({ kind: "progress", id, streamComplete: true }, 1);
    book.receive({ kind: "result", id, fromCache }, 2);
    return isFromCache(ended.at(-1)!, observed);
  };
  assertEquals([answer(false, false), answer(true, false)], [false, true]);
  assertEquals([answer(false, true), answer(true, true)], [false, true]);
  assertEquals(answer(false, false), true);
});

Deno.test("a call's object is reused after its end was reported, with every field reset", () => {
  const { book, begin, ended } = createBook();
  const first = begin(10);
  const { id } = first;
  book.receive({ kind: "progress", id, streamComplete: true }, 11);
  book.receive({ kind: "progress", id, streamComplete: false }, 12);
  book.receive({ ...refusal, id }, 13);
  for (let nth = 2; nth <= 16; nth++) book.receive(ok(begin(14).id), 15);
  const again = begin(20);
  assert(again === first);
  assertEquals({ ...again, ledger: null, onEnd: null }, {
    id: "t-17",
    nth: 17,
    ledger: null,
    onEnd: null,
    tool: "",
    sentNs: 20,
    endedNs: 0,
    status: "outstanding",
    streamed: false,
    firstProgressNs: 0,
    fromCache: false,
    errorCode: "",
    errorMessage: "",
  });
  book.receive(ok(id), 30);
  assertEquals([book.outstanding, ended.length], [1, 16]);
});

Deno.test("calls sent from an end callback do not reuse the object of the call that ended", () => {
  const { book } = createBook();
  const seen: string[] = [];
  const { id } = book.begin(0, (call) => {
    for (let count = 0; count < 40; count++) book.begin(call.endedNs, () => {});
    seen.push(`${call.id} ${call.nth} ${call.status} ${call.endedNs}`);
  });
  book.receive(ok(id), 1);
  assertEquals([seen, book.outstanding], [["t-1 1 ok 1"], 40]);
  book.endAll("aborted", 3);
  assertEquals(book.outstanding, 0);
});

Deno.test("numbers alone leave the first ten ids to the protocol", () => {
  const ledger = openLedger();
  const observed: Observed = { streamComplete: false, rateLimit: null };
  const book = new CallBook("", { ledger, observed });
  const calls = [book.begin(0, () => {}), book.begin(0, () => {})];
  assertEquals(calls.map(({ id, nth }) => [id, nth]), [["11", 1], ["12", 2]]);
  for (const id of ["", "1", "10", "13", "-11", "11", "12"]) book.receive(ok(id), 1);
  assertEquals([ledger.ok, ledger.frames.orphan], [2, 5]);
});
