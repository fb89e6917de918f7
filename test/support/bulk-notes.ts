/** Notes whose words hardly repeat, so that nothing makes them small: about `words` × 7 bytes each. */
export function bulkNotes(count: number, words = 400): { path: string; content: string }[] {
  let seed = 7;
  const word = (): string => (seed = (seed * 48_271) % 2_147_483_647).toString(36);
  return Array.from({ length: count }, (_, index) => ({
    path: `n${String(index).padStart(4, "0")}.md`,
    content: `# Note ${index}\n\nkiln number${index} ${Array.from({ length: words }, word).join(" ")}\n`,
  }));
}
