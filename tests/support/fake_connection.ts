import type { Clock } from "../../lib/client/clock.ts";
import type { OpenLoopConnection } from "../../lib/load/open.ts";
import type { Call, CallStatus } from "../../lib/client/call.ts";
import { type OpenLedger, openLedger } from "../../lib/client/ledger.ts";

/** What becomes of a call, and after how long. */
export interface FakeReply {
  status: CallStatus;
  afterMs: number;
}

/** A connection without a socket, on a fake clock. */
export interface FakeConnection extends OpenLoopConnection {
  isOpen: boolean;
  /** When each call was sent, in nanoseconds. */
  readonly sentNs: number[];
  /** The ledger in use, in which calls are counted as sent. */
  ledger: OpenLedger;
}

/** A connection that answers its Nth call, from 1, as it is told. */
export function createFakeConnection(
  clock: Clock,
  reply: (nth: number) => FakeReply = () => ({ status: "ok", afterMs: 1 }),
): FakeConnection {
  const sentNs: number[] = [];
  return {
    isOpen: true,
    sentNs,
    ledger: openLedger(),
    useLedger(ledger) {
      this.ledger = ledger;
    },
    send(_message, onEnd) {
      const { ledger } = this;
      ledger.sent++;
      const nth = sentNs.push(clock.nowNs());
      const { status, afterMs } = reply(nth);
      const call: Call = {
        id: `fake-${nth}`,
        nth,
        ledger,
        onEnd,
        tool: "",
        sentNs: clock.nowNs(),
        endedNs: 0,
        status: "outstanding",
        streamed: false,
        firstProgressNs: 0,
        fromCache: false,
        errorCode: "",
        errorMessage: "",
      };
      clock.after(afterMs, () => {
        call.status = status;
        call.endedNs = clock.nowNs();
        onEnd(call);
      });
    },
  };
}
