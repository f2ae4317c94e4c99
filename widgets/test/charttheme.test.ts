// @vitest-environment happy-dom
import { expect, it } from "vitest";
import { titleOf } from "../src/Chart";
import { themed } from "../src/charttheme";

it("gives charts the ink of the view, and leaves the data alone", () => {
  const el = document.createElement("div");
  el.style.setProperty("--anb-ink", "#123456");
  el.style.setProperty("--anb-line", "#abcdef");
  document.body.append(el);
  const data = { values: [{ label: "<b>&{1+1}" }] };
  const spec = { title: "Sizes", data, config: { view: { continuousWidth: 300 } } };
  const result = themed(spec, el) as { config: Record<string, Record<string, unknown>> };
  expect(result).not.toHaveProperty("title");
  expect(result).toHaveProperty("data", data);
  expect(result.config["view"]).toEqual({ continuousWidth: 300, stroke: "transparent" });
  expect(result.config["axis"]).toMatchObject({ gridColor: "#abcdef" });
  expect(result.config["legend"]).toMatchObject({ labelColor: "#123456" });
  expect(spec.title).toBe("Sizes");
});

it("reads every form of a Vega-Lite title", () => {
  expect(titleOf({ title: "Sizes" })).toBe("Sizes");
  expect(titleOf({ title: { text: ["Sizes", "of segments"] } })).toBe("Sizes of segments");
  expect(titleOf({})).toBe("Chart");
});
