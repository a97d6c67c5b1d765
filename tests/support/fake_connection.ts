import type { Clock } from "../../lib/client/clock.ts";
import type { OpenLoopConnection } from "../../lib/load/open.ts";
import type { Call, CallStatus } from "../../lib/client/call.ts";
import { type OpenLedger, openLedger } from "../../lib/client/ledger.ts";

/** A connection without a socket, on a fake clock. */
export interface FakeConnection extends OpenLoopConnection {
  isOpen: boolean;
  /** When each call was sent. */
  readonly sentNs: number[];
  /** The ledger in use; only `sent` is counted. */
  ledger: OpenLedger;
}

/** A connection that ends its Nth call, from 1, as `reply` says. Default: ok after 1 ms. */
export function createFakeConnection(
  clock: Clock,
  reply: (nth: number) => { status: CallStatus; afterMs: number } = () => (
    { status: "ok", afterMs: 1 }
  ),
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
