import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

export const TINY_MODEL = "tiny-bert";
export const TINY_DIMENSIONS = 6;
const SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];
const WORDS = ["quick", "brown", "fox", "lazy", "dog", "passage", "query", ":", "!", "?"];
export const VOCABULARY = [...SPECIAL, ...WORDS];

/** The vector of one token, by its place in the vocabulary. */
export function tokenVector(id: number): number[] {
  return Array.from({ length: TINY_DIMENSIONS }, (_, at) => (((id + 1) * (at + 3) * 37) % 23) / 23 - 0.4);
}

/** Writes a model that `@huggingface/transformers` loads: one Gather that looks tokens up, and a tokenizer of whole words.
 *  @returns the folder that holds the model's folder. */
export async function writeTinyModel(folder: string): Promise<string> {
  const model = join(folder, TINY_MODEL);
  await mkdir(join(model, "onnx"), { recursive: true });
  await writeFile(join(model, "onnx", "model.onnx"), onnxModel());
  await writeFile(join(model, "config.json"), JSON.stringify(CONFIG));
  await writeFile(join(model, "tokenizer.json"), JSON.stringify(TOKENIZER));
  await writeFile(join(model, "tokenizer_config.json"), JSON.stringify(TOKENIZER_CONFIG));
  return folder;
}

const CONFIG = {
  architectures: ["BertModel"],
  model_type: "bert",
  hidden_size: TINY_DIMENSIONS,
  vocab_size: VOCABULARY.length,
};
const TOKENIZER_CONFIG = { tokenizer_class: "BertTokenizer", model_max_length: 64, pad_token: "[PAD]" };
const special = (id: string): object => ({ SpecialToken: { id, type_id: 0 } });
const TOKENIZER = {
  version: "1.0",
  truncation: null,
  padding: null,
  added_tokens: SPECIAL.map((content, id) => ({
    id,
    content,
    special: true,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
  })),
  normalizer: {
    type: "BertNormalizer",
    clean_text: true,
    handle_chinese_chars: true,
    strip_accents: null,
    lowercase: true,
  },
  pre_tokenizer: { type: "BertPreTokenizer" },
  post_processor: {
    type: "TemplateProcessing",
    single: [special("[CLS]"), { Sequence: { id: "A", type_id: 0 } }, special("[SEP]")],
    pair: [
      special("[CLS]"),
      { Sequence: { id: "A", type_id: 0 } },
      special("[SEP]"),
      { Sequence: { id: "B", type_id: 1 } },
    ],
    special_tokens: Object.fromEntries(
      ["[CLS]", "[SEP]"].map((token) => [token, { id: token, ids: [VOCABULARY.indexOf(token)], tokens: [token] }]),
    ),
  },
  decoder: null,
  model: {
    // The package knows no WordLevel; whole words are WordPiece without pieces.
    type: "WordPiece",
    continuing_subword_prefix: "##",
    max_input_chars_per_word: 100,
    vocab: Object.fromEntries(VOCABULARY.map((token, id) => [token, id])),
    unk_token: "[UNK]",
  },
};

/** An ONNX file by hand. Field numbers are those of onnx.proto.
 *  @see https://github.com/onnx/onnx/blob/main/onnx/onnx.proto */
function onnxModel(): Uint8Array {
  const [FLOAT, INT64] = [1, 7];
  const weights = Float32Array.from(VOCABULARY.flatMap((_, id) => tokenVector(id)));
  const dimension = (name: string | number): Uint8Array =>
    bytes(1, typeof name === "number" ? integer(1, name) : text(2, name));
  const value = (name: string, type: number, shape: (string | number)[]): Uint8Array =>
    concat(text(1, name), bytes(2, bytes(1, concat(integer(1, type), bytes(2, concat(...shape.map(dimension)))))));
  const gather = concat(text(1, "weights"), text(1, "input_ids"), text(2, "last_hidden_state"), text(4, "Gather"));
  const initializer = concat(
    integer(1, VOCABULARY.length),
    integer(1, TINY_DIMENSIONS),
    integer(2, FLOAT),
    text(8, "weights"),
    bytes(9, new Uint8Array(weights.buffer)),
  );
  const graph = concat(
    bytes(1, gather),
    text(2, TINY_MODEL),
    bytes(5, initializer),
    bytes(11, value("input_ids", INT64, ["batch", "sequence"])),
    bytes(11, value("attention_mask", INT64, ["batch", "sequence"])),
    bytes(12, value("last_hidden_state", FLOAT, ["batch", "sequence", TINY_DIMENSIONS])),
  );
  return concat(integer(1, 8), bytes(7, graph), bytes(8, integer(2, 13)));
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...varint(value >>> 7)];
}
const integer = (field: number, value: number): Uint8Array =>
  Uint8Array.from([...varint(field << 3), ...varint(value)]);
const text = (field: number, value: string): Uint8Array => bytes(field, new TextEncoder().encode(value));
function bytes(field: number, value: Uint8Array): Uint8Array {
  return concat(Uint8Array.from([...varint((field << 3) | 2), ...varint(value.length)]), value);
}
function concat(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => Array.from(part)));
}
