/** Hands a text to the browser as a file to download. */
export function downloadText(name: string, type: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // The download begins with the click; the address may go once the browser has read it.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** A name that every file system takes, from a title. */
export function fileName(title: string, ending: string): string {
  const name = title
    .normalize("NFC")
    .replace(/[^\p{L}\p{M}\p{N}]+/gu, "-")
    .replace(/^-|-$/g, "")
    .slice(0, 60)
    .replace(/[\uD800-\uDBFF]$/, "");
  return `${name === "" ? "conversation" : name}.${ending}`;
}
