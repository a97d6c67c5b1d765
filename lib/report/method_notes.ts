/**
 * How each kind of number is made, in a few words: the essentials of docs/method.md for a reader who has
 * the report alone.
 *
 * @module
 */

/** A short note on one kind of number. */
export interface MethodNote {
  subject: string;
  text: string;
}

/** The essentials, from what is counted to what it cannot tell. */
export const METHOD_NOTES: readonly MethodNote[] = [
  {
    subject: "What counts",
    text: "Only a reply that is a success for that very call counts in latency and throughput. " +
      "Errors, refusals, silence, lost connections, late and stray frames are counted apart, in the " +
      "ledger, whose sums are checked at the end of every scenario.",
  },
  {
    subject: "Latency",
    text:
      "From just before a call's frame is handed to the socket until its final frame has been " +
      "decoded. In an open loop it counts from the time at which the call was meant to be sent, so " +
      "that a stall is seen by every call that was due in it.",
  },
  {
    subject: "Throughput",
    text:
      "Served calls of a round over the time from its first call to its last reply; the value is " +
      "the median of the rounds.",
  },
  {
    subject: "Percentiles",
    text:
      "Pooled over all rounds, from an HDR histogram that is at most 0.1 % off. A percentile is " +
      "given only with 10 samples or more beyond it: P95 from 200, P99 from 1,000. A dash means not " +
      "measured, or too few samples.",
  },
  {
    subject: "95 % intervals",
    text:
      "A seeded bootstrap of the values of the rounds, from 5 rounds on. They cover what varies " +
      "between the rounds of one run, and say nothing about differences between runs, which are often " +
      "larger.",
  },
  {
    subject: "Validity",
    text:
      "A number is marked where the client may have bounded it: its thread used 90 % of a core or " +
      "more, it reached 90 % of what it does against a server that does nothing, paced calls were sent " +
      "late, or replies came from a cache.",
  },
  {
    subject: "Unit tests",
    text:
      "The bundled server's own dispatch of the tool status, called in-process without a socket, " +
      "unless --unit-baseline gave another figure.",
  },
  {
    subject: "Comparison with a baseline",
    text:
      "The exact Mann-Whitney test over rounds, adjusted by Holm's method. A change counts if its " +
      "adjusted p is under 0.05 and its interval lies wholly outside the noise band.",
  },
  {
    subject: "What it cannot tell",
    text:
      "Loopback is no network. Times of different machines, or of a machine with other work to do, " +
      "cannot be compared; ratios within one run can.",
  },
];
