import type { AnyModel } from "@anywidget/types";
import { useEffect, useLayoutEffect, useState } from "preact/hooks";
import { Link, type LinkState, type Wire } from "./link";
import type { Traits } from "./snapshot";

// Preact numbers from 0 in each view; two views in one notebook must not share ids.
const view = Math.random().toString(36).slice(2, 8);
let elements = 0;

/** An id that no other element of the page has. */
export function useUniqueId(): string {
  return useState(() => `anb-${view}-${(elements += 1)}`)[0];
}

export type Model = AnyModel<Traits>;

/** A trait of the kernel's, as it is now. */
export function useTrait<K extends keyof Traits & string>(model: Model, name: K): Traits[K] {
  const [value, setValue] = useState<Traits[K]>(() => model.get(name));
  useLayoutEffect(() => {
    const read = () => setValue(model.get(name));
    model.on(`change:${name}`, read);
    read(); // It may have changed between the first draw and the subscription.
    return () => model.off(`change:${name}`, read);
  }, [model, name]);
  return value;
}

/** The line to the kernel and its state. */
export function useLink(model: Model): [Link, LinkState] {
  const [link] = useState(() => new Link(model as Wire));
  const [state, setState] = useState(link.state);
  useLayoutEffect(() => {
    const end = link.subscribe(() => setState(link.state));
    setState(link.state);
    return () => {
      end();
      link.close();
    };
  }, [link]);
  return [link, state];
}

/** Whether what lies behind an element is dark, whatever host it stands in. */
export function useDark(root: { current: HTMLElement | null }): boolean {
  const [dark, setDark] = useState(false);
  useEffect(() => {
    const look = () => root.current && setDark(isDark(root.current));
    look();
    // Hosts mark a change of theme on the body (JupyterLab, VS Code) or by the media query.
    const observer = new MutationObserver(look);
    observer.observe(document.body, { attributes: true });
    const media = matchMedia("(prefers-color-scheme: dark)");
    media.addEventListener("change", look);
    return () => {
      observer.disconnect();
      media.removeEventListener("change", look);
    };
  }, [root]);
  return dark;
}

export function isDark(element: HTMLElement): boolean {
  const light = document.body.dataset["jpThemeLight"];
  if (light !== undefined) return light === "false";
  for (let e: HTMLElement | null = element.parentElement; e; e = e.parentElement) {
    const [r, g, b, alpha = "1"] = getComputedStyle(e).backgroundColor.match(/[\d.]+/g) ?? [];
    if (r && g && b && Number(alpha) > 0.5) {
      return 0.2126 * Number(r) + 0.7152 * Number(g) + 0.0722 * Number(b) < 110;
    }
  }
  return false;
}
