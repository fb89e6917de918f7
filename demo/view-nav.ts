import { element } from "./element.ts";
import { type IconName, icon } from "./icons.ts";
import { formatHash, type View, VIEWS, type ViewState } from "./url-state.ts";

export interface ViewNav {
  readonly element: HTMLElement;
  /** Marks the view that is shown. */
  show(state: ViewState): void;
}

/** What the links look like. One more view is a name in `VIEWS`, a line here and a panel in the app. */
const LINKS: Readonly<Record<View, { label: string; image: IconName }>> = {
  search: { label: "Search", image: "search" },
  chat: { label: "Chat", image: "chat" },
  jobs: { label: "Jobs", image: "tasks" },
  evaluation: { label: "Evaluation", image: "chart" },
};

/** Links to the views of the page: above the panels, and at the foot of a phone. */
export function createViewNav(onGo: (view: View) => void): ViewNav {
  const links = VIEWS.map((view) => {
    const { label, image } = LINKS[view];
    const link = element("a", { "data-testid": `view-${view}` }, icon(image), element("span", {}, label));
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      onGo(view);
    });
    return { view, label, link };
  });
  return {
    element: element("nav", { class: "views", "aria-label": "Views" }, ...links.map(({ link }) => link)),
    show(state) {
      for (const { view, label, link } of links) {
        link.href = formatHash({ ...state, view, open: null });
        if (view === state.view) {
          link.setAttribute("aria-current", "page");
          document.title = view === "search" ? "Lodestore" : `${label} – Lodestore`;
        } else link.removeAttribute("aria-current");
      }
    },
  };
}
