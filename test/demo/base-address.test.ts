import { expect, test } from "vitest";
import { baseAddress } from "../../demo/chat/endpoint-choice.ts";

test("what people paste becomes the address that the path is put behind", () => {
  expect(baseAddress(" http://127.0.0.1:11434/v1/ ")).toBe("http://127.0.0.1:11434/v1");
  expect(baseAddress("https://models.example/v1/chat/completions")).toBe("https://models.example/v1");
  expect(baseAddress("http://localhost:8080")).toBe("http://localhost:8080");
});

test("an address that the page may not ask, or that holds a secret, is refused", () => {
  for (const address of [
    "models.example",
    "",
    "ftp://models.example",
    "http://models.example/v1",
    "javascript:alert(1)",
  ]) {
    expect(() => baseAddress(address)).toThrow(Error);
  }
  expect(() => baseAddress("https://me:secret@models.example")).toThrow("own field");
  expect(() => baseAddress("https://models.example/v1?key=1")).toThrow("“?”");
});
