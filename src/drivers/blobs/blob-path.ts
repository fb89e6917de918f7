/** Characters of a key that one name of a file system takes: with marks and endings it stays below 255 bytes. */
const PIECE = 100;

/** Folders and file that hold a blob. Keys that differ only in case stay apart where file systems hold them for equal, a key may
 *  be the beginning of another, and no name is reserved anywhere: a segment `Foo` becomes `=!foo` as a file and `+!foo` as a
 *  folder, a last dot becomes `!0`, and a long segment goes on in a folder `~…`. */
export function blobPath(key: string): { folders: string[]; file: string } {
  const segments = key.split("/").map(encode);
  const folders: string[] = [];
  let file = "";
  for (const [index, segment] of segments.entries()) {
    const pieces = piecesOf(segment);
    const end = pieces.pop() as string;
    folders.push(...pieces.map((piece) => `~${piece}`));
    if (index === segments.length - 1) file = `=${end}`;
    else folders.push(`+${end}`);
  }
  return { folders, file };
}

/** The key whose blob lies at this path, or `undefined` where no key leads there. */
export function blobKey(folders: readonly string[], file: string): string | undefined {
  let key = "";
  for (const folder of folders) {
    if (folder.startsWith("~")) key += folder.slice(1);
    else if (folder.startsWith("+")) key += `${folder.slice(1)}/`;
    else return undefined;
  }
  if (!file.startsWith("=")) return undefined;
  const decoded = decode(key + file.slice(1));
  const back = decoded === undefined || decoded === "" ? undefined : blobPath(decoded);
  return back?.file === file && back.folders.join("/") === folders.join("/") ? decoded : undefined;
}

function encode(segment: string): string {
  return segment.replaceAll(/[A-Z]/g, (letter) => `!${letter.toLowerCase()}`).replace(/\.$/u, "!0");
}

function decode(encoded: string): string | undefined {
  if (/![^a-z0]|!$/u.test(encoded)) return undefined;
  return encoded.replaceAll(/!([a-z0])/g, (_, letter: string) => (letter === "0" ? "." : letter.toUpperCase()));
}

/** Cuts a name into pieces, never between a mark and its letter. */
function piecesOf(segment: string): string[] {
  const pieces: string[] = [];
  let rest = segment;
  while (rest.length > PIECE) {
    const end = rest[PIECE - 1] === "!" ? PIECE - 1 : PIECE;
    pieces.push(rest.slice(0, end));
    rest = rest.slice(end);
  }
  return [...pieces, rest];
}
