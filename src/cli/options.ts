import { parseArgs } from "node:util";
import { usageError } from "./command-error.ts";
import { suggest } from "./suggest.ts";

/** One option of a command. */
export interface OptionSpec {
  name: string;
  /** One letter. */
  short?: string;
  /** What its value is called in the help: `<dir>`. Without it the option is a switch. */
  value?: string;
  /** Whether it may be given more than once. */
  many?: boolean;
  help: string;
}

/** Reads the arguments of a command.
 *  @throws CommandError (usage) unknown option, value missing or too many; the message suggests what was meant */
export function parseArguments(command: string, specs: readonly OptionSpec[], args: readonly string[]): Arguments {
  const parsed = parseArgs({
    args: [...args],
    strict: false,
    allowPositionals: true,
    tokens: true,
    options: Object.fromEntries(
      specs.map(({ name, short, value }) => [
        name,
        {
          type: value === undefined ? ("boolean" as const) : ("string" as const),
          ...(short === undefined ? {} : { short }),
        },
      ]),
    ),
  });
  const values = new Map<string, string[]>();
  for (const token of parsed.tokens) {
    if (token.kind !== "option") continue;
    const spec = specs.find(({ name }) => name === token.name);
    if (spec === undefined) throw unknownOption(command, token.rawName, specs);
    const given = values.get(spec.name) ?? [];
    given.push(valueOf(command, spec, token));
    values.set(spec.name, given);
  }
  return new Arguments(command, specs, values, parsed.positionals);
}

interface OptionToken {
  rawName: string;
  value?: string | undefined;
  inlineValue?: boolean | undefined;
}

function valueOf(command: string, spec: OptionSpec, { rawName, value, inlineValue }: OptionToken): string {
  if (spec.value === undefined) {
    if (value !== undefined) throw usageError(command, `${rawName} takes no value, got "${value}"`);
    return "";
  }
  if (value === undefined || value === "")
    throw usageError(command, `${rawName} needs a value: ${rawName} ${spec.value}`);
  if (inlineValue !== true && value.startsWith("-")) {
    const inline = rawName.startsWith("--") ? `${rawName}=${value}` : `${rawName}${value}`;
    throw usageError(
      command,
      `${rawName} needs a value: ${rawName} ${spec.value}`,
      `If the value is ${value}: ${inline}`,
    );
  }
  return value;
}

function unknownOption(command: string, rawName: string, specs: readonly OptionSpec[]): Error {
  const name = rawName.replace(/^-+/, "");
  const long = suggest(
    name,
    specs.map((spec) => spec.name),
  );
  const asText = command.endsWith("search")
    ? `Words that begin with "-" go after "--": lodestore ${command} -- kiln -glaze`
    : undefined;
  const meant = long === undefined ? asText : `Did you mean --${long}?`;
  return usageError(command, `unknown option ${rawName}`, meant ?? `Its options: lodestore ${command} --help`);
}

/** The arguments of a command, read and checked against its options. */
export class Arguments {
  readonly command: string;
  readonly positionals: readonly string[];
  readonly #specs: readonly OptionSpec[];
  readonly #values: ReadonlyMap<string, readonly string[]>;

  constructor(
    command: string,
    specs: readonly OptionSpec[],
    values: ReadonlyMap<string, readonly string[]>,
    positionals: readonly string[],
  ) {
    this.command = command;
    this.positionals = positionals;
    this.#specs = specs;
    this.#values = values;
  }

  /** Whether a switch is given. */
  has(name: string): boolean {
    return this.#given(name).length > 0;
  }

  /** Returns what was typed, as it can be read again, without some of the options. */
  typed(without: readonly string[]): string[] {
    const options = [...this.#values].flatMap(([name, given]) => {
      if (without.includes(name)) return [];
      const takesValue = this.#specs.some((spec) => spec.name === name && spec.value !== undefined);
      return given.map((value) => (takesValue ? `--${name}=${value}` : `--${name}`));
    });
    return [...options, "--", ...this.positionals];
  }

  /** Returns the values of an option that may be given more than once; `undefined` where it is not given. */
  list(name: string): readonly string[] | undefined {
    const given = this.#given(name);
    return given.length === 0 ? undefined : given;
  }

  text(name: string): string | undefined {
    const given = this.#given(name);
    if (given.length > 1)
      throw usageError(this.command, `--${name} is given ${given.length} times; it takes one value`);
    return given[0];
  }

  /** Returns a number from `min` to `max`. */
  number(name: string, min: number, max: number): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = Number(text);
    if (text.trim() === "" || !(value >= min && value <= max))
      throw this.#wrong(name, text, `a number from ${min} to ${max}`);
    return value;
  }

  /** Returns an integer from `min` to `max`. */
  integer(name: string, min: number, max: number): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = Number(text);
    if (!/^-?\d+$/.test(text) || value < min || value > max)
      throw this.#wrong(name, text, `an integer from ${min} to ${max}`);
    return value;
  }

  oneOf<Choice extends string>(name: string, choices: readonly Choice[]): Choice | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const choice = choices.find((candidate) => candidate === text);
    if (choice === undefined) throw this.#wrong(name, text, choices.join(", "));
    return choice;
  }

  #given(name: string): readonly string[] {
    if (!this.#specs.some((spec) => spec.name === name)) throw new TypeError(`${this.command} has no option ${name}`);
    return this.#values.get(name) ?? [];
  }

  #wrong(name: string, got: string, takes: string): Error {
    return usageError(this.command, `${name.length === 1 ? "-" : "--"}${name} got "${got}"; it takes ${takes}`);
  }
}
