/** Media types by the ending of a path. Whatever is text to a reader but has no parser of its own is `text/plain`. */
const BY_ENDING = new Map<string, string>();

function register(mediaType: string, endings: string): void {
  for (const ending of endings.split(" ")) BY_ENDING.set(ending, mediaType);
}

register("text/markdown", "md markdown mdown mkd mkdn mdx mdc qmd rmd");
register("text/html", "html htm xhtml xht shtml");
register(
  "text/plain",
  "txt text log rst adoc asciidoc org tex textile wiki rtx nfo me srt vtt sub po pot " +
    "json json5 jsonc jsonl ndjson geojson webmanifest map csv tsv psv xml xsd xsl xslt svg rss atom opml plist " +
    "yaml yml toml ini cfg conf config properties env editorconfig gitignore gitattributes dockerignore npmrc lock " +
    "js mjs cjs jsx ts mts cts tsx vue svelte astro css scss sass less styl pcss " +
    "py pyi pyx ipynb rb rake gemspec php phtml pl pm t lua r jl m mm swift kt kts java scala sc groovy gradle clj cljs cljc " +
    "edn ex exs erl hrl hs lhs elm ml mli fs fsi fsx fsproj vb vbs cs csproj sln c h cc cpp cxx hh hpp hxx ino rs go mod sum zig nim " +
    "d dart v vhd vhdl sv asm s wat sol move cairo proto thrift graphql gql prisma sql psql ddl dml " +
    "sh bash zsh fish ksh bat cmd ps1 psm1 psd1 awk sed mk mak cmake make dockerfile tf tfvars hcl nix bzl bazel " +
    "diff patch eml mbox ics vcf bib ris tcl el lisp lsp scm rkt f f90 f95 for pas pp ada adb ads cob cbl vim njk ejs hbs " +
    "mustache liquid pug jade haml twig tmpl tpl erb j2 jinja",
);

const BY_NAME = new Set([
  "readme",
  "license",
  "licence",
  "copying",
  "authors",
  "contributors",
  "changelog",
  "changes",
  "news",
  "notice",
  "todo",
  "makefile",
  "dockerfile",
  "containerfile",
  "gemfile",
  "rakefile",
  "procfile",
  "vagrantfile",
  "jenkinsfile",
  "codeowners",
  "justfile",
  "brewfile",
]);

/** The media type of a path whose ending nobody knows: ingest then looks whether its bytes are text. */
export const UNKNOWN_MEDIA_TYPE = "application/octet-stream";

/** Guesses the media type of a file from the ending of its path. */
export function mediaTypeOf(path: string): string {
  const name = path.slice(path.lastIndexOf("/") + 1).toLowerCase();
  const dot = name.lastIndexOf(".");
  const known = dot === -1 ? undefined : BY_ENDING.get(name.slice(dot + 1));
  if (known !== undefined) return known;
  return BY_NAME.has(dot > 0 ? name.slice(0, dot) : name) ? "text/plain" : UNKNOWN_MEDIA_TYPE;
}
