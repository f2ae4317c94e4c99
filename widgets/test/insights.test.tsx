// @vitest-environment happy-dom
import { cleanup, fireEvent, render, screen, within } from "@testing-library/preact";
import axe from "axe-core";
import { afterEach, describe, expect, it } from "vitest";
import { App } from "../src/App";
import type { Insights, Snapshot } from "../src/snapshot";
import { FakeModel, exported, host } from "./model";

afterEach(cleanup);

const none: Insights = {
  overlap: null,
  lookalike: null,
  size: null,
  performance: null,
  held_out: null,
  change: null,
  rows: true,
  outcomes: ["churn", "<b>plan</b>"],
  flagged: [],
};
const shares = Array.from({ length: 10 }, (_, i) => ({
  share: (i + 1) / 100,
  people: 10 * (i + 1),
  captured: 0.02 * (i + 1),
  lift: 2,
}));
const all: Insights = {
  ...none,
  overlap: { names: ["Older", "Drivers"], jaccard: [[1, 0.25], [0.25, 1]], both: [[40, 20], [20, 60]] },
  lookalike: { segments: [1, 3], seed: null, n_seed: 120, auc: 0.81, method: "logistic", left_out: 1, shares },
  size: { base: 250000, size: 12500, low: 11000, high: 14100, confidence: 0.95, share: 0.05 },
  performance: {
    outcome: "churn",
    rate: true,
    rows: [
      { segment: 1, name: "Movers", count: 90, mean: 0.5, lift: 200, difference: 0.25, low: 0.1, high: 0.4, significant: true },
      { segment: 2, name: "Settled", count: 80, mean: 0.2, lift: null, difference: null, low: null, high: null, significant: false },
    ],
  },
  held_out: 100,
  change: {
    new: 30, changed: 5, gone: 1, moved: 2, verdict: "refit", reasons: ["Age has shifted (PSI 0.62)."], drift: [],
  },
  flagged: [
    { segment: 4, name: "High-income people", level: "error", rule: "financial status", source: "https://example.org/rule", what: "'high income': Meta flags it.", alternative: "Wine lovers" },
    { segment: 5, name: "In debt", level: "error", rule: "financial status", source: "https://example.org/rule", what: "'in debt': Meta flags it.", alternative: "Name what they buy or visit." },
  ],
};

const show = (insights: Insights | null): FakeModel => {
  const snapshot: Snapshot = { ...exported, insights };
  const model = new FakeModel(snapshot);
  render(<App model={model.asModel()} host={host} />);
  const panel = screen.queryByText("Insights")?.closest("details");
  if (panel) panel.open = true;
  return model;
};
const button = (name: string | RegExp) => screen.getByRole("button", { name });

describe("insights", () => {
  it("are not spoken of before there are segments", () => {
    show(null);
    expect(screen.queryByText("Insights")).toBeNull();
  });

  it("are asked for by verb", () => {
    let model = show(none);
    fireEvent.click(button("Count overlaps"));
    expect(model.last()).toMatchObject({ verb: "overlap", arguments: {} });
    cleanup();
    model = show(none);
    fireEvent.click(button("Find lookalikes"));
    expect(model.last()).toMatchObject({ verb: "lookalike", arguments: {} });
    cleanup();
    model = show(none);
    fireEvent.change(screen.getByRole("combobox", { name: "People like" }), { target: { value: "churn" } });
    fireEvent.click(button("Find lookalikes"));
    expect(model.last()).toMatchObject({ verb: "lookalike", arguments: { seed: "churn" } });
    cleanup();
    model = show(none);
    fireEvent.click(button("Predict"));
    expect(model.sent).toHaveLength(0);
    fireEvent.input(screen.getByRole("textbox", { name: "People in the whole base" }), {
      target: { value: "250,000" },
    });
    fireEvent.click(button("Predict"));
    expect(model.last()).toMatchObject({ verb: "predict_size", arguments: { base: 250000 } });
    cleanup();
    model = show(none);
    fireEvent.click(button("Compare segments"));
    expect(model.sent).toHaveLength(0);
    fireEvent.change(screen.getByRole("combobox", { name: "Outcome" }), { target: { value: "<b>plan</b>" } });
    fireEvent.click(button("Compare segments"));
    expect(model.last()).toMatchObject({ verb: "performance", arguments: { outcome: "<b>plan</b>" } });
    cleanup();
    model = show(none);
    fireEvent.click(button("Hold out"));
    expect(model.last()).toMatchObject({ verb: "hold_out", arguments: { share: 0.1 } });
  });

  it("show figures beside their meaning", async () => {
    show(all);
    const heat = screen.getByRole("table", { name: /Jaccard index/ });
    const cells = within(heat).getAllByRole("cell").map((cell) => cell.textContent);
    expect(cells.filter(Boolean)).toEqual(["0.25", "0.25"]);
    expect(screen.getByText(/Like segments 1, 3/).textContent).toContain("81%");
    const slider = screen.getByRole("slider", { name: /Size of the lookalike/ });
    expect(screen.getByText("50 people").parentElement?.textContent).toContain("10% of the seed");
    fireEvent.input(slider, { target: { value: "10" } });
    expect(screen.getByText("100 people").parentElement?.textContent).toContain("20% of the seed");
    expect(button("Export these 100 as CSV")).toBeTruthy();
    expect(screen.getByText("12,500 people").parentElement?.textContent).toContain(
      "95% sure between 11,000 and 14,100",
    );
    const rows = within(screen.getByRole("table", { name: /churn by segment/ })).getAllByRole("row");
    expect(rows[1]?.textContent).toBe("1 Movers9050%20010% to 40%more than chance");
    expect(rows[2]?.textContent).toBe("2 Settled8020%––may be chance");
    expect(screen.getByText("Form the segments anew.")).toBeTruthy();
    const { violations } = await axe.run(document.body, {
      rules: { "color-contrast": { enabled: false }, region: { enabled: false } },
    });
    expect(violations.map((v) => [v.id, v.nodes[0]?.html])).toEqual([]);
  });

  it("say how to read lifestyles beside them", () => {
    const segmentation = exported.segmentation;
    if (!segmentation) throw new Error("no segments");
    const [first, ...rest] = segmentation.segments;
    if (!first) throw new Error("no segment");
    const reading = "In segment 1, 25.0 % of records are <i>Settled</i>.";
    const segments = [{ ...first, reading }, ...rest];
    render(
      <App
        model={new FakeModel({ ...exported, segmentation: { ...segmentation, segments } }).asModel()}
        host={host}
      />,
    );
    expect(screen.getByText(reading).closest("article")).toBeTruthy();
  });

  it("export the lookalike of the size that is set", () => {
    const model = show(all);
    fireEvent.input(screen.getByRole("slider", { name: /Size of the lookalike/ }), {
      target: { value: "3" },
    });
    fireEvent.click(button("Export these 30 as CSV"));
    expect(model.last()).toMatchObject({ verb: "export_lookalike", arguments: { share: 0.03 } });
  });

  it("offer another name where there is one", () => {
    const model = show(all);
    expect(screen.queryByRole("button", { name: /Name what they buy/ })).toBeNull();
    fireEvent.click(button("Rename to “Wine lovers”"));
    expect(model.last()).toMatchObject({
      verb: "rename",
      arguments: { segment: 4, name: "Wine lovers" },
    });
  });

  it("let a language model word names, where there is one", () => {
    show(all);
    expect(screen.queryByRole("button", { name: "Word them anew" })).toBeNull();
    cleanup();
    const model = new FakeModel({ ...exported, insights: all, language_model: "openai m" });
    render(<App model={model.asModel()} host={host} />);
    for (const panel of document.querySelectorAll("details")) panel.open = true;
    fireEvent.click(button("Word them anew"));
    expect(model.last()).toMatchObject({ verb: "reword", arguments: {} });
  });

  it("score nobody where nobody may be seen", () => {
    show({ ...all, rows: false, lookalike: null, held_out: null });
    expect(screen.queryByRole("button", { name: "Find lookalikes" })).toBeNull();
    expect(screen.queryByRole("button", { name: "Hold out" })).toBeNull();
    expect(button("Count overlaps")).toBeTruthy();
  });
});
