import { describe, expect, test } from "vitest";
import { fold, indexTerms, inflectedStems, pairs, runs, stem } from "../../src/store/search/terms.ts";

describe("index terms", () => {
  test("leave the words of spaced scripts where they are, and take diacritics off", () => {
    expect(indexTerms("Getting started with content")).toBe("Getting started with content");
    expect(indexTerms("Début d'été, naïve")).toBe("Debut d'ete, naive");
    expect(indexTerms("नमस्ते दुनिया")).toBe("नमस्ते दुनिया");
  });

  test("cut Chinese into pairs and the last character", () => {
    expect(indexTerms("数据库").trim()).toBe("数据 据库 库");
  });

  test("cut Japanese, Korean and Thai alike", () => {
    expect(indexTerms("東京タワー").trim()).toBe("東京 京タ タワ ワー ー");
    expect(indexTerms("한국어").trim()).toBe("한국 국어 어");
    expect(indexTerms("กรุง").split(/\s+/u).filter(Boolean).length).toBeGreaterThan(1);
  });

  test("keep a single character", () => {
    expect(indexTerms("中").trim()).toBe("中");
  });

  test("part a word where its script changes", () => {
    expect(indexTerms("iPhone手机").trim().split(/\s+/u)).toEqual(["iPhone", "手机", "机"]);
  });

  test("bring full-width and half-width forms together", () => {
    expect(indexTerms("ＡＢＣ ｶﾀｶﾅ").trim().split(/\s+/u)).toEqual(["ABC", "カタ", "タカ", "カナ", "ナ"]);
  });

  test("never part a character from its marks", () => {
    for (const pair of pairs("กำลังกิน")) expect(pair).toMatch(/^\P{M}\p{M}*\P{M}\p{M}*$/u);
  });
});

describe("stems", () => {
  test("are made of English words only", () => {
    expect(stem("collections")).toBe("collect");
    expect(stem("überall")).toBe("überall");
    expect(stem("x86")).toBe("x86");
  });

  test("are listed for inflected words, once per occurrence", () => {
    expect(inflectedStems("flow flows flowing Flows 数据")).toBe("flow flow flow");
  });
});

test("folding takes case and diacritics off, as unicode61 does", () => {
  expect(fold("Été")).toBe("ete");
  expect(fold("ＡＢＣ")).toBe("abc");
  expect(fold("한국")).toBe("한국");
  expect(["Straße", "ısırgan", "Łódź", "Øresund", "Œuvre"].map(fold)).toEqual([
    "strasse",
    "isirgan",
    "lodz",
    "oresund",
    "oeuvre",
  ]);
  expect(indexTerms("Straße ısırgan")).toBe("Strasse isirgan");
});

test("runs give offsets into the text they were found in", () => {
  const text = "😀 Hello 数据库, wörld";
  expect(runs(text).map((run) => text.slice(run.start, run.end))).toEqual(["Hello", "数据库", "wörld"]);
});
