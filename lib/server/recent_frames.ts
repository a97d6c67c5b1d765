import { createHash } from "node:crypto";

/** Time for which an identical frame is not sent again. */
export const REPEAT_WINDOW_MS = 300_000;

/** Frames remembered for each connection. */
const MAX_FRAMES = 1000;

/**
 * Digests of the frames that a connection sent recently. Only add frames that could repeat: errors
 * and remembered replies. A computed reply contains its own times, so it cannot repeat.
 */
export class RecentFrames {
  readonly #sentAtMs = new Map<string, number>();

  /** Adds a frame to send now. Returns false if it was sent within {@link REPEAT_WINDOW_MS}. */
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
