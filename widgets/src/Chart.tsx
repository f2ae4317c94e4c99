import type { Host } from "@anywidget/types";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { ChartSpec } from "./snapshot";
import type { VegaRuntime } from "./vega";

interface Props {
  host: Host;
  vega: string;
  spec: ChartSpec | undefined;
  /** Redraws when the theme does. */
  dark: boolean;
  /** Called with the id of what was clicked, where marks stand for something. */
  onChoose?: ((id: number) => void) | undefined;
}

/** The text of a Vega-Lite title, which may be a string, lines, or an object with them. */
export function titleOf(spec: ChartSpec): string {
  const title = spec["title"];
  const text = title && typeof title === "object" && "text" in title ? title.text : title;
  return Array.isArray(text) ? text.join(" ") : String(text ?? "Chart");
}

export function Chart({ host, vega, spec: given, dark, onChoose }: Props) {
  // All charts are synced as one: those that stayed the same are not drawn again.
  const written = JSON.stringify(given);
  const spec = useMemo(() => given, [written]);
  const place = useRef<HTMLDivElement>(null);
  const [failed, setFailed] = useState(false);
  // A drawn chart calls what holds now, not what held when it was drawn.
  const choose = useRef(onChoose);
  choose.current = onChoose;
  useEffect(() => {
    if (!spec) return;
    let gone = false;
    let remove = () => {};
    void (async () => {
      try {
        const { exports } = await host.getWidget<VegaRuntime>(vega);
        if (gone || !place.current) return;
        const taken = await exports.draw(place.current, spec, (id) => choose.current?.(id));
        if (gone) taken();
        else remove = taken;
        setFailed(false);
      } catch {
        if (!gone) setFailed(true);
      }
    })();
    return () => {
      gone = true;
      remove();
    };
  }, [host, vega, spec, dark]);
  if (!spec) return null;
  const title = titleOf(spec);
  const description = typeof spec["description"] === "string" ? spec["description"] : title;
  return (
    <figure class="anb-chart">
      <figcaption>{title}</figcaption>
      <div
        ref={place}
        class={`anb-chart-place${onChoose ? " anb-chart-choose" : ""}`}
        role="img" aria-label={description}
      />
      {failed && <p class="anb-note">This chart could not be drawn. The figures stand beside it.</p>}
    </figure>
  );
}
