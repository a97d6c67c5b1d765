import type { Connection } from "../../lib/client/connection.ts";
import { type Case, ONE_CLIENT, type Rig, type ScenarioContext } from "../../lib/run/scenario.ts";
import { loopRig } from "./rigs.ts";

/** The most of each slice, as so many replies are read that no other measurement needs. */
const SAMPLE = { messages: 25, durationNs: 10e6 };

/** A sample of whole calls, for what the server says of its own time. */
export const SAMPLED_CALLS: Case = { ...ONE_CLIENT, layer: "serverTimes" };

/**
 * Makes a few calls, counted as all are, and splits the time of each: `serverReported` is what the last frame of
 * its reply says of the server's own time, `networkAndQueue` the rest of what the client saw.
 */
export function serverTimesRig(context: ScenarioContext, connection: Connection): Rig {
  const { protocol } = context.target.options;
  const replies: { seenNs: number; text: string }[] = [];
  let last = "";
  const rig = loopRig(context, connection, {
    onCall({ status, sentNs, endedNs }, isMeasured) {
      if (isMeasured && status === "ok") replies.push({ seenNs: endedNs - sentNs, text: last });
    },
  });
  return {
    async measure(length) {
      connection.onFrame((text) => last = text);
      const messages = length.messages && Math.min(length.messages, SAMPLE.messages);
      const slice = await rig.measure({ ...length, messages, durationNs: SAMPLE.durationNs });
      connection.onFrame(null);
      // After the window, as reading them takes time.
      for (const { seenNs, text } of replies.splice(0)) {
        const reportedNs = protocol.readServerNs(text);
        if (reportedNs !== null) record(context, { seenNs, reportedNs });
      }
      return slice;
    },
  };
}

function record(
  context: ScenarioContext,
  { seenNs, reportedNs }: { seenNs: number; reportedNs: number },
): void {
  context.distribution("serverReported").record(reportedNs);
  context.distribution("networkAndQueue").record(Math.max(0, seenNs - reportedNs));
  if (reportedNs <= seenNs) return;
  context.invalidate({
    kind: "serverTimes",
    message: "there are replies that report more time than the client saw pass",
  });
}
