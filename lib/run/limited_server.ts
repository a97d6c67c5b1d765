import { type EmbeddedServer, startEmbeddedServer } from "../server/embedded.ts";
import { defaultServerOptions } from "../server/options.ts";

/** Starts another bundled server with its rate limits on, for scenarios that measure them. */
export function startLimitedServer(
  { token, seed }: { token: string | null; seed: number },
): Promise<EmbeddedServer> {
  return startEmbeddedServer(
    defaultServerOptions({ token: token ?? crypto.randomUUID(), limits: "default", seed }),
  );
}
