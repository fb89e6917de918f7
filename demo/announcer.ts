import { element } from "./element.ts";

/** A polite live region. What is said within the pause replaces what was said before, so typing stays quiet. */
export interface Announcer {
  readonly element: HTMLElement;
  /** Speaks after `pauseMs` without another call; 700 by default. */
  say(text: string, pauseMs?: number): void;
}

export function createAnnouncer(): Announcer {
  const region = element("div", {
    class: "visually-hidden",
    role: "status",
    "aria-live": "polite",
    "data-testid": "announcer",
  });
  let timer: ReturnType<typeof setTimeout> | undefined;
  return {
    element: region,
    say(text, pauseMs = 700) {
      clearTimeout(timer);
      timer = setTimeout(() => {
        region.textContent = text;
      }, pauseMs);
    },
  };
}
