import { button } from "./element.ts";
import { icon } from "./icons.ts";

type Theme = "system" | "light" | "dark";

const NEXT: Readonly<Record<Theme, Theme>> = { system: "light", light: "dark", dark: "system" };
const NAMES: Readonly<Record<Theme, string>> = { system: "as the system", light: "light", dark: "dark" };
const KEY = "lodestore-demo-theme";

function storedTheme(): Theme {
  try {
    const stored = localStorage.getItem(KEY);
    return stored === "light" || stored === "dark" ? stored : "system";
  } catch {
    // Storage is refused in some privacy modes; the theme then lasts as long as the page.
    return "system";
  }
}

function apply(theme: Theme): void {
  if (theme === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = theme;
}

/** Applies the theme chosen before and returns the button that goes round system, light and dark. */
export function createThemeButton(): HTMLButtonElement {
  let theme = storedTheme();
  apply(theme);
  const node = button({ class: "quiet square", "data-testid": "theme" }, icon("theme"));
  const label = (): void => {
    node.setAttribute("aria-label", `Theme: ${NAMES[theme]}. Change to ${NAMES[NEXT[theme]]}`);
    node.title = `Theme: ${NAMES[theme]}`;
  };
  label();
  node.addEventListener("click", () => {
    theme = NEXT[theme];
    apply(theme);
    label();
    try {
      localStorage.setItem(KEY, theme);
    } catch {
      // See storedTheme.
    }
  });
  return node;
}
