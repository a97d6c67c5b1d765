import type { Limits } from "./options.ts";

/** Limits connections, per address and in total. */
export class ConnectionSlots {
  readonly #limits: Limits;
  readonly #byIp = new Map<string, number>();
  #total = 0;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** Connections that hold a slot. */
  get total(): number {
    return this.#total;
  }

  /** Takes a slot and returns `null`, or returns the close reason for a refused connection. */
  acquire(ip: string): string | null {
    const { maxConnections, maxConnectionsPerIp } = this.#limits;
    const fromIp = this.#byIp.get(ip) ?? 0;
    if (this.#total >= maxConnections) {
      return "Server overloaded - global connection limit reached";
    }
    if (fromIp >= maxConnectionsPerIp) {
      return `Too many connections from your IP (${fromIp}/${maxConnectionsPerIp})`;
    }
    this.#byIp.set(ip, fromIp + 1);
    this.#total++;
    return null;
  }

  /**
   * Releases a slot.
   *
   * @throws {Error} If the address holds none.
   */
  release(ip: string): void {
    const fromIp = this.#byIp.get(ip) ?? 0;
    if (fromIp === 0) throw new Error(`Cannot release a slot as ${ip} holds none`);
    if (fromIp === 1) this.#byIp.delete(ip);
    else this.#byIp.set(ip, fromIp - 1);
    this.#total--;
  }
}
