import { expect, test } from "vitest";
import { packPassages } from "../../demo/chat/pack-passages.ts";
import { promptFor } from "../../demo/chat/prompt.ts";
import { passage } from "./passages.ts";

const { context } = packPassages([passage("Copper melts at 1085 degrees.")], 100);

test("the question comes last, after its numbered passages with their places", () => {
  const [system, question] = promptFor("When does copper melt?", context.text, [], { historyTokens: 100 });
  expect(system?.role).toBe("system");
  expect(system?.content).toContain("cite");
  expect(question).toEqual({
    role: "user",
    content:
      "Passages:\n\n[1] Firing › Copper (kiln/firing.md:3-5)\nCopper melts at 1085 degrees.\n\nQuestion: When does copper melt?",
  });
});

test("earlier turns come in pairs, newest kept, without the numbers of other passages", () => {
  const turns = [
    { role: "user", text: "Zero?" },
    { role: "user", text: "One?" },
    { role: "assistant", text: "It is one [1], or [2, 3]." },
    { role: "user", text: "Without an answer" },
    { role: "user", text: "Two?" },
    { role: "assistant", text: "Two." },
  ] as const;
  const history = (historyTokens: number): string[] =>
    promptFor("Three?", context.text, turns, { historyTokens })
      .slice(1, -1)
      .map(({ role, content }) => `${role}: ${content}`);
  expect(history(100)).toEqual(["user: One?", "assistant: It is one, or.", "user: Two?", "assistant: Two."]);
  expect(history(3)).toEqual(["user: Two?", "assistant: Two."]);
  expect(history(1)).toEqual([]);
});
