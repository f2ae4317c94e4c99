// Charts take ink, lines and letters from the view they stand in, so that they follow its theme.

export function themed(spec: Record<string, unknown>, el: HTMLElement): Record<string, unknown> {
  const style = getComputedStyle(el);
  const read = (name: string, otherwise: string) =>
    style.getPropertyValue(name).trim() || otherwise;
  const ink = read("--anb-ink", style.color || "#222");
  const soft = read("--anb-ink-soft", ink);
  const line = read("--anb-line", "#8888");
  const font = style.fontFamily || "sans-serif";
  const given = (spec["config"] ?? {}) as Record<string, Record<string, unknown>>;
  const axis = {
    ...given["axis"],
    labelColor: soft,
    titleColor: soft,
    gridColor: line,
    domainColor: line,
    tickColor: line,
    labelFont: font,
    titleFont: font,
    labelFontSize: 11,
    titleFontSize: 11,
    titleFontWeight: 400,
  };
  const legend = {
    ...given["legend"],
    labelColor: ink,
    titleColor: soft,
    labelFont: font,
    titleFont: font,
    labelFontSize: 11,
    titleFontSize: 11,
    titleFontWeight: 400,
  };
  const config = {
    ...given,
    background: "transparent",
    // Flush with the caption on the left; room for half a label on the right.
    padding: { left: 0, right: 10, top: 2, bottom: 2 },
    axis,
    legend,
    view: { ...given["view"], stroke: "transparent" },
    text: { ...given["text"], font, fill: ink },
  };
  // The title stands as a caption above the chart, where it wraps and can be selected.
  const { title: _caption, ...rest } = spec;
  return { ...rest, background: "transparent", config };
}
