/**
 * Texts on a byte stream, each behind its length in four bytes, the highest first. As little framing as
 * there can be: what WebSocket's own costs is to be seen against it.
 *
 * @module
 */

const PREFIX_BYTES = 4;
const ENCODER = new TextEncoder();

/** The bytes of texts, one behind the other. */
export function prefixed(...texts: string[]): Uint8Array<ArrayBuffer> {
  const bodies = texts.map((text) => ENCODER.encode(text));
  const total = bodies.reduce((sum, { length }) => sum + PREFIX_BYTES + length, 0);
  const bytes = new Uint8Array(total);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const body of bodies) {
    view.setUint32(at, body.length);
    bytes.set(body, at + PREFIX_BYTES);
    at += PREFIX_BYTES + body.length;
  }
  return bytes;
}

/** Takes whole bodies out of what has come so far. */
export class PrefixReader {
  #bytes = new Uint8Array(65_536);
  #filled = 0;

  /** Where the next bytes go: read into it, then tell `take` how many. */
  get room(): Uint8Array {
    if (this.#filled === this.#bytes.length) {
      const larger = new Uint8Array(this.#bytes.length * 2);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    return this.#bytes.subarray(this.#filled);
  }

  /** The bodies that are whole with the `count` bytes just read into `room`, as copies. */
  take(count: number): Uint8Array<ArrayBuffer>[] {
    this.#filled += count;
    const view = new DataView(this.#bytes.buffer);
    const bodies: Uint8Array<ArrayBuffer>[] = [];
    let at = 0;
    while (this.#filled - at >= PREFIX_BYTES) {
      const start = at + PREFIX_BYTES;
      const end = start + view.getUint32(at);
      if (end > this.#filled) break;
      bodies.push(this.#bytes.slice(start, end));
      at = end;
    }
    this.#bytes.copyWithin(0, at, this.#filled);
    this.#filled -= at;
    return bodies;
  }
}

/** Writes all of it. */
export async function writeAll(
  connection: Pick<Deno.TcpConn, "write">,
  bytes: Uint8Array,
): Promise<void> {
  for (let written = 0; written < bytes.length;) {
    written += await connection.write(bytes.subarray(written));
  }
}
