import { createHash } from "node:crypto";

/** For how long a frame is not sent again. */
export const REPEAT_WINDOW_MS = 300_000;

/** Frames remembered for each connection; beyond that the oldest is forgotten. */
const MAX_FRAMES = 1000;

/**
 * The frames that a connection sent lately, as digests. Only frames that could repeat belong here:
 * errors and remembered replies. A computed reply carries its own times, so it cannot, and is spared
 * the digest: a fast connection would otherwise fill this with millions of them.
 */
export class RecentFrames {
  readonly #sentAtMs = new Map<string, number>();

  /** Notes that `frame` is sent now: `false` if it was already, within {@link REPEAT_WINDOW_MS}. */
  add(frame: string, nowMs: number): boolean {
    const digest = createHash("sha256").update(frame).digest("base64");
    const sentAtMs = this.#sentAtMs.get(digest);
    if (sentAtMs !== undefined && nowMs - sentAtMs < REPEAT_WINDOW_MS) return false;
    this.#sentAtMs.delete(digest);
    this.#sentAtMs.set(digest, nowMs);
    if (this.#sentAtMs.size > MAX_FRAMES) {
      const [oldest] = this.#sentAtMs.keys();
      this.#sentAtMs.delete(oldest);
    }
    return true;
  }
}
