import { readFile } from "node:fs/promises";
import { expect, inject, test } from "vitest";
import { answerWith, type ChatServer, startChatServer, streamed } from "../support/chat-server.ts";
import { BrowserProfile } from "./browser-profile.ts";
import { DemoPage } from "./demo-page.ts";

const url = inject("demoUrl");
const MIGRATION = "What happens to a migration that has landed?";

/** The chat of the demo, as a person uses it. */
class DemoChat {
  readonly demo: DemoPage;

  constructor(demo: DemoPage) {
    this.demo = demo;
  }

  static async open(profile: BrowserProfile): Promise<DemoChat> {
    const demo = await DemoPage.open(await (await profile.start()).newPage(), url);
    await demo.loadSample();
    await demo.get("view-chat").click();
    await demo.get("greeting").waitFor();
    return new DemoChat(demo);
  }

  async ask(question: string): Promise<void> {
    await this.demo.get("question-input").fill(question);
    await this.demo.get("ask").click();
  }

  /** Waits until there are this many answers, and none is being made. */
  async answered(count: number): Promise<void> {
    await this.demo
      .get("answer")
      .nth(count - 1)
      .waitFor();
    await this.idle();
  }

  async idle(): Promise<void> {
    await this.demo.page.locator('[data-testid="log"][aria-busy="false"]').waitFor();
  }

  async connect(server: ChatServer, key = ""): Promise<void> {
    const { demo } = this;
    await demo.get("chat-settings").click();
    await demo.get("chat-url").fill(`${server.url}/chat/completions`);
    await demo.get("chat-model").fill("tiny");
    await demo.get("chat-key").fill(key);
    await demo.get("chat-connect").click();
    await demo.get("chat-sheet").waitFor({ state: "hidden" });
  }
}

test("without a model a question is answered by passages that open at their lines, and a reload keeps it all", async () => {
  await using profile = await BrowserProfile.create();
  const chat = await DemoChat.open(profile);
  const { demo } = chat;
  const { page } = demo;
  expect(await demo.get("chat-answerer").innerText()).toContain("nothing is sent");
  await chat.ask(MIGRATION);
  await chat.answered(1);
  const answer = await demo.get("answer").innerText();
  expect(answer).toContain("Passages that answer this; no model is connected:");
  expect(answer).toContain("A migration that has landed is never edited");
  expect(page.url()).toMatch(/view=chat&chat=[0-9a-f]{32}$/u);

  const place = await demo.get("source-place").first().innerText();
  const [, start = "", end = start] = /:(\d+)(?:–(\d+))?$/u.exec(place) ?? [];
  await demo.get("marker").first().click();
  const cited = page.locator(".line.cited");
  await cited.first().waitFor();
  expect(await cited.first().getAttribute("data-line")).toBe(start);
  expect(await cited.last().getAttribute("data-line")).toBe(end);
  expect(await cited.locator("mark").count()).toBeGreaterThan(0);

  await page.reload();
  await demo.opened();
  await cited.first().waitFor();
  await chat.answered(1);
  expect(await demo.get("answer").innerText()).toBe(answer);
  await page.goBack();
  await demo.get("viewer").waitFor({ state: "hidden" });
  expect(await demo.get("question").innerText()).toContain(MIGRATION);
  await demo.get("view-search").click();
  await demo.get("search").waitFor();
  await page.goBack();
  await chat.answered(1);

  await chat.ask("xylophone zeppelin");
  await chat.answered(2);
  expect(await demo.get("answer").nth(1).innerText()).toContain("Nothing in your documents answers this.");
  expect(await demo.get("answer").nth(1).getAttribute("data-kind")).toBe("nothing");
  const turns = await page.evaluate(async () => {
    const [session] = (await window.store!.chat.listSessions()).items;
    return (await window.store!.chat.listTurns(session!.id)).items;
  });
  expect(turns.map(({ role }) => role)).toEqual(["user", "assistant", "user", "assistant"]);
  expect(turns[0]?.citations.length).toBeGreaterThan(0);
  expect(turns[1]?.citations[0]?.workspacePath).toContain("lodestore/");
});

test("a model's answer streams, cites, and is asked with the passages and the turns before", async () => {
  await using server = await startChatServer();
  await using profile = await BrowserProfile.create();
  const chat = await DemoChat.open(profile);
  const { demo } = chat;
  const { page } = demo;
  await chat.connect(server, "secret");
  expect(await demo.get("chat-answerer").innerText()).toContain(`sent to ${new URL(server.url).host}`);

  let end = (): void => {};
  server.next.push((response) => {
    streamed(["It is never ", "edited [1]", ". <img src=x onerror=alert(1)> "], false)(response);
    end = () => void response.end(`data: {"choices":[{"delta":{"content":"**So** [99]"},"finish_reason":"stop"}]}\n\n`);
  });
  await chat.ask(MIGRATION);
  await demo.get("running").locator('[data-testid="marker"]').waitFor();
  expect(await demo.get("log").getAttribute("aria-busy")).toBe("true");
  expect(await demo.get("ask").isVisible()).toBe(false);
  end();
  await chat.answered(1);
  expect(await demo.get("answer").innerText()).toContain("edited 1. <img src=x onerror=alert(1)> So [99]");
  expect(await demo.get("answer").locator("img").count()).toBe(0);
  expect(await demo.get("verdict").innerText()).toBe("Not grounded: it cites passages that are not there (99)");
  expect(await demo.get("source").filter({ visible: true }).count()).toBe(1);
  await demo.get("marker").click();
  await page.locator(".line.cited").first().waitFor();
  await page.keyboard.press("Escape");

  server.next.push(streamed(["Nobody knows."]));
  await chat.ask("And who edits the migration?");
  await chat.answered(2);
  expect(await demo.get("verdict").nth(1).innerText()).toBe("Not grounded: it cites none of the passages");
  const [first, second] = server.seen;
  expect(first?.headers.authorization).toBe("Bearer secret");
  expect(first?.body.messages.at(-1)?.content).toContain(`Question: ${MIGRATION}`);
  expect(first?.body.messages.at(-1)?.content).toContain("A migration that has landed is never edited");
  expect(second?.body.messages.map(({ role }) => role)).toEqual(["system", "user", "assistant", "user"]);
  expect(second?.body.messages[2]?.content).not.toContain("[1]");

  // The key is this tab's alone.
  expect(await page.evaluate(() => JSON.stringify(localStorage))).not.toContain("secret");
  await page.reload();
  await demo.opened();
  await chat.answered(2);
  expect(await demo.get("chat-answerer").innerText()).toContain("tiny answers");
  await demo.get("chat-settings").click();
  await demo.get("chat-disconnect").click();
  expect(await demo.get("chat-answerer").innerText()).toContain("No model connected");
});

test("an answer that fails leaves question and passages to try again with; a stopped one keeps what was said", async () => {
  await using server = await startChatServer();
  await using profile = await BrowserProfile.create();
  const chat = await DemoChat.open(profile);
  const { demo } = chat;
  await chat.connect(server);

  server.next.push(answerWith(500, '{"error":{"message":"out of memory"}}'));
  await chat.ask(MIGRATION);
  await demo.get("unanswered").filter({ hasText: "error 500. It says: out of memory" }).waitFor();
  expect(await demo.get("sources").innerText()).toMatch(/\d passages looked at/u);
  await demo.page.reload();
  await demo.opened();
  await demo.get("unanswered").filter({ hasText: "no answer to this yet" }).waitFor();

  server.next.push(answerWith(429, "", { "retry-after": "30" }));
  await demo.get("try-again").click();
  await demo.get("unanswered").filter({ hasText: "try again in 30 s" }).waitFor();

  server.next.push(streamed(["Half an ", "answer [1]"], false));
  await demo.get("try-again").click();
  await demo.get("running").locator('[data-testid="marker"]').waitFor();
  await demo.get("stop").click();
  await chat.answered(1);
  expect(await demo.get("answer").innerText()).toContain("Half an answer 1");
  expect(await demo.get("verdict").innerText()).toContain("Stopped by you");
  expect(await demo.get("question").count()).toBe(1);

  server.next.push(streamed([], false));
  await chat.ask("Nothing comes");
  await demo.get("running").filter({ hasText: "Waiting for the model" }).waitFor();
  await demo.get("stop").click();
  await demo.get("unanswered").filter({ hasText: "Stopped before there was an answer." }).waitFor();
  await server[Symbol.asyncDispose]();
  await demo.get("try-again").click();
  await demo.get("unanswered").filter({ hasText: "cannot be reached" }).waitFor();
});

test("a conversation is asked, renamed, found, downloaded and deleted; others go on while one is looked at", async () => {
  await using server = await startChatServer();
  await using profile = await BrowserProfile.create();
  const chat = await DemoChat.open(profile);
  const { demo } = chat;
  const { page } = demo;
  await chat.ask(MIGRATION);
  await chat.answered(1);
  await demo.get("rename-session").click();
  await demo.get("text-dialog-input").fill("Migrations");
  await demo.get("text-dialog-action").click();
  await demo.get("session").filter({ hasText: "Migrations" }).waitFor();
  expect(await demo.get("chat-title").innerText()).toBe("Migrations");

  await chat.connect(server);
  let end = (): void => {};
  server.next.push((response) => {
    streamed(["A snapshot ", "is taken [1]"], false)(response);
    end = () => void response.end("data: [DONE]\n\n");
  });
  await demo.get("new-session").click();
  await demo.get("greeting").waitFor();
  await chat.ask("When is a snapshot taken?");
  await demo.get("running").locator('[data-testid="marker"]').waitFor();
  expect(await demo.get("session").allInnerTexts()).toHaveLength(2);
  expect((await demo.get("session").allInnerTexts())[0]).toContain("When is a snapshot taken?");
  await demo.get("session").filter({ hasText: "Migrations" }).getByRole("link").click();
  await chat.answered(1);
  expect(await demo.get("ask").isVisible()).toBe(true);
  end();
  await demo.get("session").filter({ hasText: "snapshot" }).filter({ hasText: "2 turns" }).waitFor();
  expect(await demo.get("answer").count()).toBe(1);

  await demo.get("session-search").fill("never edited");
  await demo.get("turn-hit").first().waitFor();
  expect(await demo.get("turn-hit").first().innerText()).toMatch(/Migrations\s+Answer/u);
  await demo.get("turn-hit").first().getByRole("link").click();
  await chat.answered(1);
  const [file] = await Promise.all([page.waitForEvent("download"), demo.get("export-markdown").click()]);
  expect(file.suggestedFilename()).toBe("Migrations.md");
  expect(await readFile(await file.path(), "utf8")).toContain(MIGRATION);
  const [json] = await Promise.all([page.waitForEvent("download"), demo.get("export-json").click()]);
  expect(JSON.parse(await readFile(await json.path(), "utf8"))).toMatchObject({ format: "lodestore-chat" });

  await demo.get("session-search").fill("");
  const address = page.url();
  await demo.get("delete-session").click();
  await demo.get("confirm-action").click();
  await demo.get("greeting").waitFor();
  expect(await demo.get("session").count()).toBe(1);
  await page.goto(address);
  await demo.get("log").filter({ hasText: "This conversation is not in the store any more." }).waitFor();
});

test("asking, reading a source and going back need the keyboard only", async () => {
  await using profile = await BrowserProfile.create();
  const demo = await DemoPage.open(await (await profile.start()).newPage(), url);
  await demo.loadSample();
  const { keyboard } = demo.page;
  const chat = new DemoChat(demo);
  const isFocused = (testId: string): Promise<boolean> =>
    demo
      .get(testId)
      .first()
      .evaluate((node) => node === document.activeElement);
  const tabTo = async (testId: string): Promise<void> => {
    for (let presses = 0; presses < 60 && !(await isFocused(testId)); presses++) await keyboard.press("Tab");
    if (!(await isFocused(testId))) throw new Error(`The Tab key does not reach ${testId}.`);
    const outline = await demo.page.evaluate(() => {
      const node = document.activeElement!;
      return [getComputedStyle(node).outlineStyle, getComputedStyle(node, "::after").outlineStyle];
    });
    expect(outline).toContain("solid");
  };

  await demo.get("theme").focus();
  await tabTo("view-chat");
  await keyboard.press("Enter");
  await demo.get("greeting").waitFor();
  expect(await demo.get("view-chat").getAttribute("aria-current")).toBe("page");
  await keyboard.press("/");
  expect(await isFocused("question-input")).toBe(true);
  await keyboard.type(MIGRATION);
  await keyboard.press("Enter");
  await chat.answered(1);
  expect(await isFocused("question-input")).toBe(true);
  await demo.get("chat-title").focus();
  await tabTo("log");
  await tabTo("marker");
  await keyboard.press("Enter");
  await demo.page.locator(".line.cited").first().waitFor();
  expect(await isFocused("viewer-title")).toBe(true);
  await keyboard.press("Escape");
  await demo.get("viewer").waitFor({ state: "hidden" });
  expect(await isFocused("marker")).toBe(true);
  await tabTo("source-link");
  expect(await demo.get("log").getAttribute("role")).toBe("log");
  expect(await demo.get("log").getAttribute("aria-live")).toBe("polite");
});

test("at phone width the chat keeps within the page, in every state", async () => {
  await using profile = await BrowserProfile.create({ viewport: { width: 390, height: 844 }, hasTouch: true });
  const chat = await DemoChat.open(profile);
  const { demo } = chat;
  const outside = (): Promise<string[]> =>
    demo.page.evaluate(() =>
      [...document.body.querySelectorAll<HTMLElement>("*")]
        .filter((node) => node.checkVisibility({ visibilityProperty: true }))
        .filter((node) => !node.closest(".visually-hidden") && node.getBoundingClientRect().right > innerWidth + 0.5)
        .map((node) => `${node.tagName}.${node.className}`),
    );
  const isInPlace = (): Promise<boolean> =>
    demo.page.evaluate(() => document.querySelector<HTMLElement>(".app")!.scrollTop === 0 && scrollY === 0);
  expect(await outside()).toEqual([]);
  for (let count = 1; count <= 3; count++) {
    await chat.ask(MIGRATION);
    await chat.answered(count);
  }
  expect(await outside()).toEqual([]);
  expect(await isInPlace()).toBe(true);
  expect(
    await demo
      .get("question")
      .last()
      .evaluate((node) => node.getBoundingClientRect().top),
  ).toBeGreaterThan(0);
  await demo.get("show-sessions").click();
  await demo.get("session").first().waitFor();
  expect(await outside()).toEqual([]);
  await demo.get("hide-sessions").click();
  await demo.get("chat-settings").click();
  expect(await outside()).toEqual([]);
  await demo.page.keyboard.press("Escape");
  await demo.get("marker").first().click();
  await demo.page.locator(".line.cited").first().waitFor();
  expect(await outside()).toEqual([]);
  expect(await demo.get("question-input").isVisible()).toBe(false);
});
