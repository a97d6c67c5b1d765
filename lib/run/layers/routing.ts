import type { Clock } from "../../client/clock.ts";
import type { Protocol, RoutingProbe } from "../../protocols/protocol.ts";
import { SocketExchange } from "../../client/socket_exchange.ts";
import { newIdPrefix } from "../../client/id_prefix.ts";
import { shakeHands } from "../../client/handshake.ts";
import { describeRateLimit } from "../rate_limit.ts";
import { type ScenarioContext, TargetUnusableError } from "../scenario.ts";
import { Watchdog } from "./watchdog.ts";

/** What a frame says to a probe; `null` if it has nothing to do with it. */
type Answer = { kind: "answered" } | { kind: "unknown" } | { kind: "refused"; message: string };

/**
 * Asks a server for what needs no tool, on a session of its own. Probes are no calls, and their frames are
 * in no ledger: they are counted here.
 */
export class RoutingSession implements AsyncDisposable {
  readonly #protocol: Protocol;
  readonly #exchange: SocketExchange;
  readonly #watchdog: Watchdog;
  readonly #prefix: string;
  readonly #clock: Clock;
  #probe: RoutingProbe | null = null;
  #asked = 0;
  #answered = 0;
  #ids = 0;
  #failure: string | null = null;

  private constructor(context: ScenarioContext, exchange: SocketExchange, prefix: string) {
    const { clock, signal, target: { options: { protocol, timeoutMs } } } = context;
    this.#clock = clock;
    this.#protocol = protocol;
    this.#exchange = exchange;
    this.#prefix = prefix;
    const giveUp = () => void exchange.close();
    this.#watchdog = new Watchdog({ clock, timeoutMs, signal, giveUp });
  }

  /**
   * Opens a session and finds a probe that the server answers: `probe` is `null` if there is none.
   *
   * @throws {ConnectError} if no session opens
   * @throws {TargetUnusableError} if a rate limiter refuses already the first
   */
  static async open(context: ScenarioContext): Promise<RoutingSession> {
    const { target } = context;
    const { protocol } = target.options;
    const credentials = target.newCredentials();
    const socket = await target.dial();
    try {
      await shakeHands(socket, { ...target.options, credentials });
    } catch (error) {
      await socket.close();
      throw error;
    }
    const exchange = new SocketExchange(socket, (text) => replyTo(protocol, text));
    const session = new RoutingSession(context, exchange, newIdPrefix(protocol.ids));
    try {
      await session.#find();
      return session;
    } catch (error) {
      await session[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The name of what is asked; `null`: the server answers nothing without a tool. */
  get probe(): string | null {
    return this.#probe?.name ?? null;
  }

  /** How many probes were sent and answered since one was found, and what ended them early. */
  get counts(): { asked: number; answered: number; failure: string | null } {
    return { asked: this.#asked, answered: this.#answered, failure: this.#failure };
  }

  /** Asks once; whether it was answered. After one that was not, nothing is asked any more. */
  async ask(): Promise<boolean> {
    if (this.#probe === null || this.#failure !== null) return false;
    this.#asked++;
    const answer = await this.#put(this.#probe);
    if (answer?.kind === "answered") {
      this.#answered++;
      return true;
    }
    this.#failure = answer?.kind === "refused"
      ? `refused for load: ${answer.message}`
      : answer === null
      ? "no answer in time, or the connection was lost"
      : "answered with an error";
    return false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#watchdog[Symbol.dispose]();
    await this.#exchange.close();
  }

  async #find(): Promise<void> {
    for (const probe of this.#protocol.routingProbes) {
      const answer = await this.#put(probe);
      if (answer === null) return;
      if (answer.kind === "refused") {
        const { message } = answer;
        throw new TargetUnusableError(describeRateLimit({ atCall: this.#asked + 1, message }));
      }
      if (answer.kind === "answered") {
        this.#probe = probe;
        return;
      }
    }
  }

  async #put(probe: RoutingProbe): Promise<Answer | null> {
    const id = this.#prefix + ++this.#ids;
    this.#watchdog.begin(this.#clock.nowNs());
    const answer = await this.#exchange.ask(
      probe.encode(id),
      (text) => judge(text, { probe, id, protocol: this.#protocol }),
    );
    this.#watchdog.end();
    return answer;
  }
}

function judge(
  text: string,
  { probe, id, protocol }: { probe: RoutingProbe; id: string; protocol: Protocol },
): Answer | null {
  if (probe.isAnswer(text, id)) return { kind: "answered" };
  const frame = protocol.classify(text);
  if (frame.kind === "rateLimited") return { kind: "refused", message: frame.message };
  return frame.kind === "toolError" ? { kind: "unknown" } : null;
}

/** A server's own requests want an answer here too. */
function replyTo(protocol: Protocol, text: string): string | null {
  const frame = protocol.classify(text);
  return frame.kind === "notification" ? frame.answer : null;
}
