/** A pattern that chooses files and folders of a walk. */
export interface FileGlob {
  matches: (path: string) => boolean;
}

/**
 * Compiles a pattern over paths relative to the walked folder: `*` and `?` within one part, `**` as a whole part over
 * any number of parts, `[a-z]`, `[!a-z]`, `{a,b}`, `\` before a character that stands for itself; anything unclosed is
 * literal. A pattern without `/` is held against the name alone, in every folder: `*.md`, `drafts`.
 */
export function compileFileGlob(pattern: string): FileGlob {
  const trimmed = pattern.replace(/^\.\//, "").replace(/(.)\/$/, "$1");
  const whole = new RegExp(`^${translate(trimmed)}$`, "su");
  const byName = !trimmed.includes("/");
  return { matches: (path) => whole.test(byName ? path.slice(path.lastIndexOf("/") + 1) : path) };
}

function translate(pattern: string): string {
  let source = "";
  for (let i = 0; i < pattern.length;) {
    const rest = pattern.slice(i);
    const partBegins = i === 0 || pattern[i - 1] === "/";
    const choice = rest.startsWith("{") ? choiceAt(rest) : undefined;
    const characters = /^\[([!^]?)(\]?(?:\\.|[^\]\\])*)\]/su.exec(rest);
    if (partBegins && rest.startsWith("**/")) {
      source += "(?:[^/]+/)*";
      i += 3;
    } else if (partBegins && rest === "**") {
      source += ".+";
      i += 2;
    } else if (rest.startsWith("*")) {
      source += "[^/]*";
      i += 1;
    } else if (rest.startsWith("?")) {
      source += "[^/]";
      i += 1;
    } else if (choice !== undefined) {
      source += `(?:${choice.options.map(translate).join("|")})`;
      i += choice.length;
    } else if (characters !== null) {
      source += `(?!/)[${characters[1] === "" ? "" : "^"}${classOf(characters[2] ?? "")}]`;
      i += characters[0].length;
    } else {
      if (rest.startsWith("\\") && rest.length > 1) i += 1;
      const character = String.fromCodePoint(pattern.codePointAt(i) ?? 0);
      source += literal(character);
      i += character.length;
    }
  }
  return source;
}

function literal(character: string): string {
  return /[\\^$.*+?()[\]{}|/]/.test(character) ? `\\${character}` : character;
}

/** Members of a class; a range that runs backwards is its two ends and the dash. */
function classOf(members: string): string {
  return [...members.matchAll(/\\?([^])(?:-\\?([^]))?/gu)]
    .map(([, from = "", to]) => {
      if (to === undefined) return member(from);
      const [low = 0, high = 0] = [from.codePointAt(0), to.codePointAt(0)];
      return low <= high ? `${member(from)}-${member(to)}` : `${member(from)}\\-${member(to)}`;
    })
    .join("");
}

function member(character: string): string {
  return /[\\\]^[-]/.test(character) ? `\\${character}` : character;
}

/** Reads `{a,b}` at the start; without a comma or an end it is no choice. */
function choiceAt(text: string): { options: string[]; length: number } | undefined {
  const options: string[] = [];
  let depth = 0;
  let begin = 1;
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (character === "\\") i++;
    else if (character === "{") depth++;
    else if (character === "," && depth === 1) {
      options.push(text.slice(begin, i));
      begin = i + 1;
    } else if (character === "}" && --depth === 0) {
      return options.length === 0 ? undefined : { options: [...options, text.slice(begin, i)], length: i + 1 };
    }
  }
  return undefined;
}
