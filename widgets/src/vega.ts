// A widget without a view whose initialize() gives the charting runtime: one copy for each kernel,
// however many charts are drawn.
import embed, { type EmbedOptions, type VisualizationSpec } from "vega-embed";
import { themed } from "./charttheme";

export interface VegaRuntime {
  /** Draw a Vega-Lite chart; the returned function takes it away again. A click on a mark whose
   * row has an `id` calls `choose` with it. */
  draw(
    el: HTMLElement,
    spec: Record<string, unknown>,
    choose?: (id: number) => void,
  ): Promise<() => void>;
}

const refuse = () => Promise.reject(new Error("Charts load nothing."));

const runtime: VegaRuntime = {
  async draw(el, spec, choose) {
    const options: EmbedOptions = {
      actions: false,
      renderer: "svg",
      // Expressions are interpreted, not compiled: no eval, so a strict content policy is fine.
      ast: true,
      // A chart holds its data; nothing in it may fetch or link.
      loader: { load: refuse, http: refuse, file: refuse, sanitize: refuse } as never,
      tooltip: { theme: "custom", disableDefaultStyle: true, id: "anb-tooltip" },
    };
    const result = await embed(el, themed(spec, el) as VisualizationSpec, options);
    const { view } = result;
    // The host element is role=img with a label; Vega's own ARIA inside it would be read twice.
    el.querySelector("svg")?.setAttribute("aria-hidden", "true");
    view.addEventListener("click", (_event, item) => {
      const row: unknown = item?.datum;
      if (row && typeof row === "object" && "id" in row && typeof row.id === "number") {
        choose?.(row.id);
      }
    });
    let width = el.clientWidth;
    const observer = new ResizeObserver(() => {
      if (el.clientWidth > 0 && el.clientWidth !== width) {
        width = el.clientWidth;
        view.width(width);
        void view.resize().runAsync();
      }
    });
    observer.observe(el);
    return () => {
      observer.disconnect();
      result.finalize();
    };
  },
};

export default { initialize: () => runtime };
