import { parseSettings, type Place } from "../../lib/cli/command_line.ts";
import { type Config, readConfig } from "../../lib/cli/config.ts";
import { OPTIONS } from "../../lib/cli/options.ts";

/** The configuration that a command line of bench means. */
export async function configOf(args: readonly string[], place: Place): Promise<Config> {
  const { settings } = parseSettings(args, place.env, { options: [...OPTIONS.values()] });
  return await readConfig(settings, place);
}
