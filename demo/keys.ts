interface KeyOptions {
  signal: AbortSignal;
  /** “/” outside of text fields. */
  onSearch: () => void;
  onEscape: () => void;
}

function isTextField(target: EventTarget | null): boolean {
  if (target instanceof HTMLInputElement) return target.type !== "checkbox";
  return target instanceof HTMLTextAreaElement || (target instanceof HTMLElement && target.isContentEditable);
}

/** Listens for the page-wide keys; an open dialog keeps them to itself. */
export function watchKeys({ signal, onSearch, onEscape }: KeyOptions): void {
  window.addEventListener(
    "keydown",
    (event) => {
      if (event.defaultPrevented || event.isComposing || document.querySelector("dialog[open]") !== null) return;
      if (event.key === "Escape") onEscape();
      else if (event.key === "/" && !event.ctrlKey && !event.metaKey && !event.altKey && !isTextField(event.target)) {
        event.preventDefault();
        onSearch();
      }
    },
    { signal },
  );
}
