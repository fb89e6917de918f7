import { COMMON_OPTIONS } from "./command.ts";
import { jobError } from "./job-id.ts";
import { type Arguments, type OptionSpec, parseArguments } from "./options.ts";

/** Options of a command that are about this run of it, and no other. */
const OF_THIS_RUN = ["db", "json", "help", "quiet"];

/** What `lodestore ingest` keeps with its job, so that the same files can be handed in again. */
export function ingestOrigin(args: Arguments): Record<string, unknown> {
  return { command: "lodestore ingest", workingFolder: process.cwd(), arguments: args.typed(OF_THIS_RUN) };
}

/** Returns the arguments of the ingest of a job, in its working folder, where this process goes.
 *  @param now Arguments of this command: where it names an embedder or an engine, that counts.
 *  @throws CommandError UNSUPPORTED the job was made by a program, or its folder is gone */
export function argumentsOf(
  origin: unknown,
  folder: string,
  now: Arguments,
  options: readonly OptionSpec[],
): Arguments {
  const given = typeof origin === "object" && origin !== null ? (origin as Record<string, unknown>) : {};
  const { command, workingFolder, arguments: typed } = given;
  if (command !== "lodestore ingest" || typeof workingFolder !== "string" || !isTexts(typed)) {
    const message = "the ingest was begun by a program, and it alone knows which files it was about";
    throw jobError(now.command, "UNSUPPORTED", message, "A program goes on with store.jobs.resume(id, { source })");
  }
  try {
    process.chdir(workingFolder);
  } catch (cause) {
    const message = `the ingest was begun in ${workingFolder}, which cannot be entered`;
    throw jobError(now.command, "UNSUPPORTED", message, "Take the files in again: lodestore ingest", cause);
  }
  const specs = [...options, ...COMMON_OPTIONS];
  const here = ["embedder", "vectors"].flatMap((name) => {
    const value = now.text(name);
    return value === undefined ? [] : [{ name, value }];
  });
  const kept = parseArguments("ingest", specs, typed).typed(here.map(({ name }) => name));
  return parseArguments("ingest", specs, [
    `--db=${folder}`,
    ...here.map(({ name, value }) => `--${name}=${value}`),
    ...kept,
  ]);
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((one) => typeof one === "string");
}
