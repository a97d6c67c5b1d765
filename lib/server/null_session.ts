/**
 * One connection of the null server, without its socket. Frames follow RFC 6455, section 5.
 *
 * @module
 */

const TEXT_FRAME = 0x81;
const OPCODE_BITS = 0x0f;
const LENGTH_BITS = 0x7f;
const TEXT = 1;
const CLOSE = 8;
const MASK_BYTES = 4;
const QUOTE = 0x22;
/** A call's request id begins after this quote of its text, as lib/protocols/exai.ts writes it. */
const ID_OPENS_AT_QUOTE = 7;

const ENCODER = new TextEncoder();
const HELLO_ACK = ENCODER.encode('{"op":"hello_ack","ok":true,"session_id":"null"}');
const BEFORE_ID = ENCODER.encode('{"op":"call_tool_res","request_id":"');
const OUTPUT = '{"type":"text","text":"nothing"}';
/** Keeps a reply within the 64 KiB of a two-byte frame length. */
const MOST_OUTPUTS = 1_900;
/** A close with 1000. */
const CLOSE_FRAME = Uint8Array.of(0x88, 2, 0x03, 0xe8);
const NOTHING = new Uint8Array(0);

/** Offsets of a frame's parts in the bytes received. */
interface FramePlace {
  opcode: number;
  mask: number;
  payload: number;
  end: number;
}

/** The server's side of a connection, after the upgrade. */
export class NullSession {
  readonly #afterId: Uint8Array;
  #received = new Uint8Array(65_536);
  #filled = 0;
  #replies = new Uint8Array(65_536);
  #written = 0;
  #greeted = false;
  #isOver = false;

  /**
   * @param outputs number of 32-byte outputs in each reply
   * @throws {RangeError} If `outputs` is not a whole number from 0 to 1,900.
   */
  constructor(outputs = 0) {
    if (!(Number.isInteger(outputs) && outputs >= 0 && outputs <= MOST_OUTPUTS)) {
      throw new RangeError(
        `Cannot reply as outputs must be a whole number from 0 to ${MOST_OUTPUTS}: outputs is ${outputs}`,
      );
    }
    const list = new Array(outputs).fill(OUTPUT).join(",");
    this.#afterId = ENCODER.encode(`","ok":true,"outputs":[${list}]}`);
  }

  /** Buffer for the client's next bytes: read into it, then pass their number to `answer`. */
  get room(): Uint8Array {
    if (this.#filled === this.#received.length) this.#received = grown(this.#received);
    return this.#received.subarray(this.#filled);
  }

  /** True once the client has closed: write the last answer, then end the connection. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** The bytes to send for the `count` bytes read into `room`, valid until the next call. */
  answer(count: number): Uint8Array {
    this.#filled += count;
    this.#written = 0;
    let at = 0;
    while (!this.#isOver) {
      const frame = this.#frameAt(at);
      if (frame === null || frame.end > this.#filled) break;
      this.#answerFrame(frame);
      at = frame.end;
    }
    if (at > 0) {
      this.#received.copyWithin(0, at, this.#filled);
      this.#filled -= at;
    }
    return this.#written === 0 ? NOTHING : this.#replies.subarray(0, this.#written);
  }

  /** `null`: the header is incomplete. */
  #frameAt(at: number): FramePlace | null {
    const bytes = this.#received;
    if (this.#filled - at < 2) return null;
    const short = bytes[at + 1]! & LENGTH_BITS;
    const lengthBytes = short < 126 ? 0 : short === 126 ? 2 : 8;
    const mask = at + 2 + lengthBytes;
    const payload = mask + MASK_BYTES;
    if (payload > this.#filled) return null;
    let length = lengthBytes === 0 ? short : 0;
    for (let index = at + 2; index < mask; index++) length = length * 256 + bytes[index]!;
    return { opcode: bytes[at]! & OPCODE_BITS, mask, payload, end: payload + length };
  }

  #answerFrame(frame: FramePlace): void {
    if (frame.opcode === CLOSE) {
      this.#put(CLOSE_FRAME);
      this.#isOver = true;
    } else if (frame.opcode === TEXT && !this.#greeted) {
      this.#greeted = true;
      this.#putHeader(HELLO_ACK.length);
      this.#put(HELLO_ACK);
    } else if (frame.opcode === TEXT) this.#answerCall(frame);
  }

  /** Unmasks the call up to the end of its id, without parsing the JSON. */
  #answerCall({ mask, payload, end }: FramePlace): void {
    const bytes = this.#received;
    let quotes = 0;
    let start = end;
    for (let index = payload; index < end; index++) {
      const byte = bytes[index]! ^ bytes[mask + ((index - payload) & 3)]!;
      bytes[index] = byte;
      if (byte !== QUOTE) continue;
      quotes++;
      if (quotes === ID_OPENS_AT_QUOTE) start = index + 1;
      else if (quotes > ID_OPENS_AT_QUOTE) return this.#putResult(bytes.subarray(start, index));
    }
  }

  #putResult(id: Uint8Array): void {
    this.#putHeader(BEFORE_ID.length + id.length + this.#afterId.length);
    this.#put(BEFORE_ID);
    this.#put(id);
    this.#put(this.#afterId);
  }

  #putHeader(length: number): void {
    this.#put(
      length < 126
        ? Uint8Array.of(TEXT_FRAME, length)
        : Uint8Array.of(TEXT_FRAME, 126, length >> 8, length & 0xff),
    );
  }

  #put(bytes: Uint8Array): void {
    while (this.#written + bytes.length > this.#replies.length) {
      this.#replies = grown(this.#replies);
    }
    this.#replies.set(bytes, this.#written);
    this.#written += bytes.length;
  }
}

function grown(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(bytes.length * 2);
  larger.set(bytes);
  return larger;
}
