import { writeSync } from "node:fs";
import { openTestStore } from "./open-test-store.ts";

/** A process that appends to two conversations, several turns at a time, until it is killed. It says on standard output what is durable:
 *  session and number of each turn, a line each. */
const { store } = await openTestStore(process.argv[2] ?? "");
const sessions = [(await store.chat.createSession({ title: "a" })).id, (await store.chat.createSession()).id];
for (let round = 0; ; round++) {
  await Promise.all(
    Array.from({ length: 5 }, async (_, n) => {
      const text = `round ${round} turn ${n}`;
      const { sessionId, index } = await store.chat.appendTurn(sessions[n % 2] ?? "", { role: "user", text });
      writeSync(1, `${sessionId} ${index} ${text}\n`);
    }),
  );
}
