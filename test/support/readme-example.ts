import { readFileSync } from "node:fs";

/** Returns the first code fence after a heading of the README.
 *  @throws Error when there is none */
export function readmeExample(heading: string): string {
  const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
  const section = readme.split(/^## /mu).find((part) => part.startsWith(`${heading}\n`));
  const code = section === undefined ? undefined : /```\w+\n([\s\S]*?)```/u.exec(section)?.[1];
  if (code === undefined) throw new Error(`the README has no example under "${heading}"`);
  return code;
}
