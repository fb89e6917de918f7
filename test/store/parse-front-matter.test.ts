import { describe, expect, test } from "vitest";
import { parsed } from "../fixtures/parsed.ts";

describe("front matter", () => {
  test("YAML gives title, description, tags, language, trust and metadata", async () => {
    const document = await parsed(
      "a.md",
      '---\ntitle: "The: title"\ntags: [a, b, 3]\nkeywords: b, c\ndescription: >-\n  Two\n  lines.\nlang: de-AT\ntrust: 0.9\nnested: { x: [1, 2024-01-02] }\n---\n\nBody\n',
    );
    expect(document).toMatchObject({ title: "The: title", tags: ["a", "b", "3", "c"], lang: "de-AT", trust: 0.9 });
    expect(document.metadata).toMatchObject({ nested: { x: [1, "2024-01-02"] }, trust: 0.9 });
    expect(document.blocks).toEqual([
      {
        kind: "frontmatter",
        headingPath: [],
        span: { kind: "line", start: 2, end: 7 },
        text: "The: title\nTwo lines.",
      },
      { kind: "paragraph", headingPath: [], span: { kind: "line", start: 13, end: 13 }, text: "Body" },
    ]);
  });

  test("a title that a heading repeats is not a block", async () => {
    const { blocks, title } = await parsed("a.md", "---\ntitle: A\n---\n# A\n");
    expect(title).toBe("A");
    expect(blocks.map((block) => block.kind)).toEqual(["heading"]);
  });

  test("a long title is cut between characters, all of it and of a description is found", async () => {
    const long = `${"a".repeat(999)}😀 tailword`;
    for (const [path, text] of [
      ["a.md", `---\ntitle: ${long}\ndescription: ${long}\n---\n`],
      ["a.html", `<title>${long}</title><meta name=description content="${long}">`],
    ] as const) {
      const { title, blocks } = await parsed(path, text);
      expect(title).toBe("a".repeat(999));
      expect(blocks[0]!.text).toBe(`${long}\n${long}`);
    }
  });

  test("what no text can hold is replaced in titles and tags", async () => {
    const document = await parsed("a.md", '---\ntitle: "a\\0b"\ntags: ["c\\0d", "e\\uD800f"]\n---\n');
    expect(document).toMatchObject({ title: "a\ufffdb", tags: ["c\ufffdd", "e\ufffdf"] });
    expect(document.blocks[0]!.text).toBe("a\ufffdb");
  });

  test("a document with a title only has a block to be found by", async () => {
    const { blocks } = await parsed("a.mdx", "---\ntitle: Only this\n---\n");
    expect(blocks.map((block) => block.text)).toEqual(["Only this"]);
  });

  test.each([
    ["a: [1, 2", "Flow sequence", ""],
    ["a: b: c", "Nested mappings", "b: c"],
    ["a: 1\na: 2", "Map keys must be unique", 1],
    [`a: ${"x".repeat(70_000)}`, "longer than", undefined],
    [`a: ${"[".repeat(20_000)}`, "nested deeper", undefined],
    ["a: &a [*a]", "", undefined],
  ])("YAML that is broken (%#) is reported and found as the text it is", async (yaml, message, value) => {
    const document = await parsed("a.md", `---\n${yaml}\n---\n# T\n\nBody\n`);
    expect(document.title).toBe("T");
    const [block, ...blocks] = document.blocks;
    expect(block).toMatchObject({ kind: "frontmatter", text: yaml, span: { start: 2 } });
    expect(blocks.map(({ kind }) => kind)).toEqual(["heading", "paragraph"]);
    expect(document.metadata["_frontMatterError"]).toEqual(expect.stringContaining(message));
    if (value !== undefined && value !== "") expect(document.metadata["a"]).toEqual(value);
  });

  test("one slip in YAML costs neither the title nor the tags beside it", async () => {
    const yaml = 'title: Kilns: how hot\ndescription: "It melts\ntags: [clay, glaze]\ntrust: 0.5\ntags: [other]';
    const document = await parsed("a.md", `---\n${yaml}\n---\nBody\n`);
    expect(document).toMatchObject({ title: "Kilns: how hot", tags: ["clay", "glaze"], trust: 0.5 });
    expect(document.metadata).toMatchObject({ description: "It melts" });
    expect(document.blocks[0]).toEqual({
      kind: "frontmatter",
      headingPath: [],
      span: { kind: "line", start: 2, end: 6 },
      text: yaml,
      lines: [2, 3, 4, 5, 6],
    });
  });

  test.each([
    [
      "---\n\n# Introduction to porcelain\n\nThe intro.\n\n---\n\nMore",
      ["Introduction to porcelain", "The intro.", "More"],
    ],
    ["---\n\nNote: vanadium\n\n---\n", ["Note: vanadium"]],
    ["---\nonly words\n---\nBody\n", ["only words", "Body"]],
    ["+++\nhafnium text\n+++\n", ["+++\nhafnium text\n+++"]],
  ])("what stands between two marks and holds no keys is text (%#)", async (text, expected) => {
    const { blocks, metadata } = await parsed("a.md", text);
    expect(blocks.map((block) => block.text)).toEqual(expected);
    expect(metadata).toEqual({});
  });

  test("blank lines around keys take nothing from them", async () => {
    const { blocks, metadata } = await parsed("a.md", "---\n\nnote: vanadium\n\n---\n");
    expect(blocks).toEqual([]);
    expect(metadata).toEqual({ note: "vanadium" });
  });

  test("of more than metadata has room for what fits is kept, and what does not is named", async () => {
    const rows = `${"[".repeat(70)}1${"]".repeat(70)}`;
    const yaml = `title: T\nlong: ${"漢".repeat(20_000)}\ndeep: ${rows}\nshort: kept`;
    const document = await parsed("a.md", `---\n${yaml}\n---\nBody\n`);
    expect(document.metadata).toEqual({
      title: "T",
      short: "kept",
      _frontMatterError: "left out, too large or too deep: long, deep",
    });
    const toml = await parsed("a.md", `+++\ntitle = "T"\nlong = "${"x".repeat(40_000)}"\n+++\nBody\n`);
    expect(Object.keys(toml.metadata).sort()).toEqual(["_frontMatterError", "long", "title"]);
  });

  test("plain key and value lines mean what a YAML parser makes of them", async () => {
    const plain = "title: Ein Titel mit Leerzeichen\ni18nReady: true\ndraft: false\na_b: 'quoted # text'\nc: \"d: e\"";
    // A flow map makes the whole of it go through the YAML parser.
    const [fast, slow] = await Promise.all([
      parsed("a.md", `---\n${plain}\n---\n`),
      parsed("a.md", `---\n${plain}\nz: {}\n---\n`),
    ]);
    expect({ ...fast.metadata, z: {} }).toEqual(slow.metadata);
  });

  test.each(["a: b # c", "a: yes", "a: null", "a: 12", "a: ~", "a: 'it''s'", "a: |\n  b", "a:", "a: b\n  c", "yes: a"])(
    "%j is left to the YAML parser",
    async (yaml) => {
      const [alone, beside] = await Promise.all([
        parsed("a.md", `---\n${yaml}\n---\n`),
        parsed("a.md", `---\n${yaml}\nz: {}\n---\n`),
      ]);
      expect({ ...alone.metadata, z: {} }).toEqual(beside.metadata);
    },
  );

  test("TOML gives its simple keys and is kept as text", async () => {
    const document = await parsed(
      "a.md",
      '+++\ntitle = "T"\ntags = ["x", "y"]\ndate = 2024-01-01\n[params]\ntitle = "no"\n+++\nBody\n',
    );
    expect(document).toMatchObject({ title: "T", tags: ["x", "y"] });
    expect(document.metadata["_toml"]).toContain("[params]");
    expect(document.blocks.at(-1)).toMatchObject({ text: "Body", span: { start: 8 } });
  });

  test("a rule is no front matter, and front matter never closed is text", async () => {
    expect((await parsed("a.md", "text\n\n---\n\na: b\n\n---\n")).metadata).toEqual({});
    expect((await parsed("a.md", "---\ntitle: x\n")).blocks.map((block) => block.text)).toEqual(["title: x"]);
  });

  test("a key named like the prototype of all objects is only a key", async () => {
    const { metadata } = await parsed("a.md", "---\n__proto__: { polluted: yes }\ntitle: T\n---\n");
    expect(({} as Record<string, unknown>)["polluted"]).toBe(undefined);
    expect(metadata["title"]).toBe("T");
  });
});
