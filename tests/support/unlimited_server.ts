import { defaultServerOptions, type ServerOptionOverrides } from "../../lib/server/options.ts";
import { type RunningServer, startServer } from "../../lib/server/serve.ts";

/** Starts the server on this thread with the defaults of `serve`, but without limits. */
export function startUnlimited(overrides: ServerOptionOverrides = {}): Promise<RunningServer> {
  return startServer(defaultServerOptions({ limits: "off", ...overrides }));
}
