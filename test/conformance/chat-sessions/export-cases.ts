import { expect, test } from "vitest";
import type { ChatCitation, ChatSessions } from "../../../src/contracts/chat.ts";

const CITATION: ChatCitation = {
  chunkId: "c",
  documentId: "d",
  title: "Kiln guide",
  workspacePath: "guides/kiln.md",
  headingPath: ["Kiln guide", "Cones & *heat*"],
  span: { kind: "line", start: 9, end: 12 },
};

/** Handing a session out as text. */
export function chatExportCases(chat: () => ChatSessions): void {
  async function conversation(): Promise<string> {
    const { id } = await chat().createSession({ title: "Kilns\n# 窯", metadata: { topic: "heat" } });
    await chat().appendTurn(id, { role: "user", text: "How hot?" });
    await chat().appendTurn(id, {
      role: "assistant",
      text: "Cone 6 melts at **1222** degrees.",
      model: "kiln_1",
      citations: [CITATION, { ...CITATION, title: "", headingPath: [] }],
      metadata: { tokens: 12 },
    });
    return id;
  }

  test("writes JSON that holds the session and its turns as they are listed", async () => {
    const id = await conversation();
    const text = await chat().exportSession(id, "json");
    expect(text.endsWith("}\n")).toBe(true);
    expect(JSON.parse(text)).toEqual({
      format: "lodestore-chat",
      formatVersion: 1,
      session: await chat().getSession(id),
      turns: (await chat().listTurns(id)).items,
    });
  });

  test("writes Markdown for people, with what is cited as footnotes", async () => {
    const id = await conversation();
    const session = await chat().getSession(id);
    const [asked, answered] = (await chat().listTurns(id)).items;
    const time = (millis: number | undefined): string =>
      `*${new Date(millis ?? 0).toISOString().slice(0, 19).replace("T", " ")} UTC*`;
    expect(await chat().exportSession(id, "markdown")).toBe(`# Kilns \\# 窯

${time(session?.createdAt)}

## User

${time(asked?.createdAt)}

How hot?

## Assistant (kiln\\_1)

${time(answered?.createdAt)}

Cone 6 melts at **1222** degrees.

[^2-1]: Kiln guide › Cones & \\*heat\\* › \`guides/kiln.md:9-12\`
[^2-2]: \`guides/kiln.md:9-12\`
`);
  });

  test("writes every turn of a long session, and one without any", async () => {
    const { id } = await chat().createSession();
    const markdown = await chat().exportSession(id, "markdown");
    expect(markdown).toMatch(/^# Conversation\n\n\*.* UTC\*\n$/);
    await Promise.all(
      Array.from({ length: 1100 }, (_, n) => chat().appendTurn(id, { role: "user", text: `turn ${n}` })),
    );
    const { turns } = JSON.parse(await chat().exportSession(id, "json")) as { turns: { text: string }[] };
    expect(turns.map(({ text }) => text)).toEqual(Array.from({ length: 1100 }, (_, n) => `turn ${n}`));
  });

  test("refuses a session that is not there", async () => {
    for (const format of ["json", "markdown"] as const) {
      const refused = { code: "NOT_FOUND", capability: "chat", operation: "exportSession" };
      await expect(chat().exportSession("unknown", format)).rejects.toMatchObject(refused);
    }
  });

  test("refuses a session that is too large for one text", async () => {
    const { id } = await chat().createSession();
    const text = "x".repeat(1024 * 1024);
    for (let n = 0; n < 64; n++) await chat().appendTurn(id, { role: "tool", text });
    await expect(chat().exportSession(id, "json")).rejects.toMatchObject({ code: "UNSUPPORTED", capability: "chat" });
  });
}
