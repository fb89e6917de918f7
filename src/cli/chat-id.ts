import type { Store } from "../node.ts";
import { StorageError } from "../node.ts";
import { CommandError, usageError } from "./command-error.ts";
import { EXIT } from "./exit-code.ts";
import { openStoreToRead } from "./open-store.ts";
import type { Arguments } from "./options.ts";
import type { Terminal } from "./terminal.ts";
import { useStore } from "./use-store.ts";

/** Reads something of the conversation whose id is the one argument.
 *  @throws CommandError (usage), NOT_FOUND */
export async function useChatSession<T>(
  args: Arguments,
  terminal: Terminal,
  work: (store: Store, id: string) => Promise<T>,
): Promise<T> {
  const [id = "", ...rest] = args.positionals;
  if (id === "" || rest.length > 0) {
    const got = id === "" ? "no id of a conversation is given" : `takes one id, got ${args.positionals.length}`;
    throw usageError(args.command, got, "Their ids: lodestore chat list");
  }
  return useStore(
    terminal,
    () => openStoreToRead(args, terminal),
    async (store) => {
      try {
        return await work(store, id);
      } catch (error) {
        if (!(error instanceof StorageError) || error.code !== "NOT_FOUND" || error.capability !== "chat") throw error;
        throw new CommandError(`the store has no conversation "${id}"`, {
          code: "NOT_FOUND",
          operation: args.command,
          exitCode: EXIT.wrong,
          hint: "All conversations: lodestore chat list",
        });
      }
    },
  );
}
