// @vitest-environment happy-dom
import { act, cleanup, fireEvent, render, screen, waitFor, within } from "@testing-library/preact";
import axe from "axe-core";
import { afterEach, describe, expect, it } from "vitest";
import { App } from "../src/App";
import type { Answer, ChartSpec, Snapshot } from "../src/snapshot";
import { FakeModel, asked, drawn, exported, fresh, host } from "./model";

afterEach(() => {
  cleanup();
  drawn.length = 0;
});

const show = (snapshot: Snapshot, charts: Record<string, ChartSpec> = {}): FakeModel => {
  const model = new FakeModel(snapshot, charts);
  render(<App model={model.asModel()} host={host} />);
  return model;
};
const emit = (model: FakeModel, answer: Answer) => act(() => model.emit(answer));
const grant = (model: FakeModel, snapshot?: Snapshot) => act(() => void model.grant(snapshot));
const button = (name: string | RegExp) => screen.getByRole("button", { name }) as HTMLButtonElement;
const box = (name: string | RegExp) =>
  screen.getByRole("checkbox", { name }) as HTMLInputElement;

const check = async () => {
  const { violations } = await axe.run(document.body, {
    // happy-dom computes no colours; the browser tests look at contrast.
    rules: { "color-contrast": { enabled: false }, region: { enabled: false } },
  });
  expect(violations.map((v) => [v.id, v.nodes[0]?.html])).toEqual([]);
};

describe("steps", () => {
  it("says in words where one stands", () => {
    show(asked);
    const steps = within(screen.getByRole("list", { name: "Steps" })).getAllByRole("listitem");
    expect(steps.map((step) => step.textContent)).toEqual([
      "DescribeDone",
      "Choose variablesDone",
      "SegmentDone",
      "ExportNow",
    ]);
    expect(steps.map((step) => step.getAttribute("aria-current"))).toEqual([null, null, null, "step"]);
  });
});

describe("data types", () => {
  it("tells what each allows and refuses, and sends the choice", () => {
    const model = show(fresh);
    const cleanRoom = screen.getByRole("radio", { name: "Clean room data" });
    const described = document.getElementById(cleanRoom.getAttribute("aria-describedby") ?? "");
    expect(described?.textContent).toContain("Allows segment");
    expect(described?.textContent).toContain("Refuses view rows, chart people, export rows");
    fireEvent.click(cleanRoom);
    expect(model.last()).toMatchObject({ verb: "choose", arguments: { data_type: "clean_room" } });
  });

  it("sends the subtype with its data type", () => {
    const model = show(fresh);
    fireEvent.change(screen.getByRole("combobox", { name: "Identified by" }), {
      target: { value: "uid2" },
    });
    expect(model.last()).toMatchObject({
      verb: "choose",
      arguments: { data_type: "first_party", subtype: "uid2" },
    });
  });
});

describe("a choice that the kernel does not take", () => {
  it("shows what holds", () => {
    const model = show(fresh);
    const radio = (name: string) => screen.getByRole("radio", { name }) as HTMLInputElement;
    fireEvent.click(radio("Clean room data"));
    fireEvent.click(radio("Third party data"));
    expect(model.sent).toHaveLength(1);
    emit(model, {
      id: model.last().id,
      error: { fact: "The data has no column 'rampid'.", next_move: "Choose another subtype." },
    });
    expect(screen.getByText("The data has no column 'rampid'.")).toBeTruthy();
    expect(radio("First party data").checked).toBe(true);
  });
});

describe("conversation", () => {
  const input = () => screen.getByRole("textbox", { name: "Describe the audience" });

  it("sends on Enter, not on Shift+Enter, and not twice", () => {
    const model = show(fresh);
    fireEvent.input(input(), { target: { value: "eco-minded families" } });
    fireEvent.keyDown(input(), { key: "Enter", shiftKey: true });
    expect(model.sent).toEqual([]);
    fireEvent.keyDown(input(), { key: "Enter" });
    fireEvent.keyDown(input(), { key: "Enter" });
    expect(model.sent).toHaveLength(1);
    expect(model.last()).toMatchObject({ verb: "say", arguments: { text: "eco-minded families" } });
    expect((input() as HTMLTextAreaElement).value).toBe("");
    grant(model, asked);
    expect(screen.getByRole("log").textContent).toContain("12 of 48,333 variables fit");
  });

  it("says nothing when there is nothing to say", () => {
    const model = show(fresh);
    fireEvent.input(input(), { target: { value: "  \n " } });
    fireEvent.keyDown(input(), { key: "Enter" });
    expect(model.sent).toEqual([]);
  });

  it("offers an example that can be sent as it is", () => {
    const model = show(fresh);
    fireEvent.click(button("retired homeowners who give to charity"));
    expect(model.last().arguments).toEqual({ text: "retired homeowners who give to charity" });
  });

  it("keeps keys from the notebook around it", () => {
    show(fresh);
    let heard = 0;
    const listen = () => (heard += 1);
    document.addEventListener("keydown", listen);
    fireEvent.keyDown(input(), { key: "d" });
    document.removeEventListener("keydown", listen);
    expect(heard).toBe(0);
    expect(input().closest("[data-lm-suppress-shortcuts]")).not.toBeNull();
  });
});

describe("variables", () => {
  const first = exported.suggestions[0]!;

  it("are grouped by kind, with scores and with reasons on demand", () => {
    show(asked);
    const groups = screen.getAllByRole("group").filter((g) => g.classList.contains("anb-group"));
    expect(groups.map((g) => within(g).getByRole("heading").textContent)).toEqual([
      "Behavioural",
      "Psychographic",
      "Demographic",
      "Lifestyle",
    ]);
    const row = box(first.label).closest("li")!;
    expect(row.textContent).toContain("0.91");
    const widths = [...row.querySelectorAll<HTMLElement>(".anb-score-part")].map((p) => [
      p.dataset["part"],
      p.style.width,
    ]);
    expect(widths).toEqual([
      ["meaning", "52%"],
      ["words", "27%"],
      ["concepts", "8%"],
      ["spelling", "4%"],
    ]);
    const why = within(row).getByRole("button", { name: `Why ${first.label}` });
    const reason = row.querySelector<HTMLElement>(".anb-reason")!;
    expect(reason.hidden).toBe(true);
    fireEvent.click(why);
    expect(why.getAttribute("aria-expanded")).toBe("true");
    expect(reason.hidden).toBe(false);
    expect(reason.textContent).toContain(first.why);
    expect(reason.textContent).toContain("meaning 0.52 + words 0.27 + concepts 0.08 + spelling 0.04 = 0.91");
  });

  it("sends the whole list at every tick, at once shown as ticked", () => {
    const model = show(asked);
    const all = asked.selected.map((s) => s.code);
    expect(screen.getByText("12 of 13 variables selected")).toBeTruthy();
    fireEvent.click(box(first.label));
    expect(model.last()).toMatchObject({
      verb: "select",
      arguments: { codes: all.filter((code) => code !== first.code) },
    });
    expect(box(first.label).checked).toBe(false);
    expect(screen.getByText("11 of 13 variables selected")).toBeTruthy();
  });

  it("are selected and deselected by group", () => {
    const model = show(asked);
    fireEvent.click(button("Select all in Demographic"));
    expect(model.last().arguments["codes"]).toHaveLength(13);
    fireEvent.click(button("Deselect all in Behavioural"));
    grant(model);
    const codes = model.last().arguments["codes"] as string[];
    expect(codes).toHaveLength(8);
    expect(codes).not.toContain(first.code);
  });

  it("can be filtered by label, category and source", () => {
    show(asked);
    const filter = screen.getByRole("textbox", { name: "Filter the list" });
    fireEvent.input(filter, { target: { value: "valuestrack" } });
    expect(screen.getAllByRole("checkbox")).toHaveLength(3);
    fireEvent.input(filter, { target: { value: "zebra" } });
    expect(screen.getByText("None of them matches “zebra”. Clear the filter to see them all.")).toBeTruthy();
  });

  it("that were added by hand stay in sight when they are unticked", () => {
    const model = show(asked);
    fireEvent.click(box("Has a library card"));
    grant(model, { ...asked, selected: asked.selected.filter((s) => s.code !== "X1") });
    expect(box("Has a library card").checked).toBe(false);
  });

  it("of the whole catalogue are found by typing and added with the keyboard", async () => {
    const model = show(asked);
    const find = screen.getByRole("combobox", { name: "Add a variable" }) as HTMLInputElement;
    fireEvent.input(find, { target: { value: "cycl" } });
    await waitFor(() => expect(model.sent).toHaveLength(1));
    expect(model.last()).toMatchObject({ verb: "find", arguments: { text: "cycl", limit: 8 } });
    const found = [
      { ...first, code: "C1", label: "Cycling, number of days" },
      { ...first, code: "C2", label: "Owns a bicycle" },
    ];
    emit(model, { id: model.last().id, found });
    expect(find.getAttribute("aria-expanded")).toBe("true");
    fireEvent.keyDown(find, { key: "ArrowDown" });
    fireEvent.keyDown(find, { key: "ArrowDown" });
    const list = screen.getByRole("listbox", { name: "Variables found" });
    const active = within(list).getByRole("option", { selected: true });
    expect(active.textContent).toContain("Owns a bicycle");
    expect(find.getAttribute("aria-activedescendant")).toBe(active.id);
    fireEvent.keyDown(find, { key: "Enter" });
    expect(model.last()).toMatchObject({
      verb: "select",
      arguments: { codes: [...asked.selected.map((s) => s.code), "C2"] },
    });
    expect(find.value).toBe("");
    expect(box("Owns a bicycle").checked).toBe(true);
  });
});

describe("building", () => {
  const number = (name: string) => screen.getByRole("spinbutton", { name }) as HTMLInputElement;

  it("sends shares as fractions and an empty number as automatic", () => {
    const model = show(asked);
    fireEvent.input(number("Smallest share, %"), { target: { value: "7" } });
    fireEvent.click(button("Build segments"));
    expect(model.last()).toMatchObject({
      verb: "build",
      arguments: { n_segments: "auto", min_share: 0.07, max_share: 0.1 },
    });
    fireEvent.click(button("Building…"));
    expect(model.sent).toHaveLength(1);
  });

  it("says how many are possible, and what is wrong with the limits", () => {
    const model = show(asked);
    expect(screen.getByText(/^10 to 20 segments are possible/)).toBeTruthy();
    fireEvent.input(number("Number of segments"), { target: { value: "12" } });
    fireEvent.input(number("Largest share, %"), { target: { value: "4" } });
    expect(screen.getByText(/the smallest no larger than the largest/)).toBeTruthy();
    fireEvent.click(button("Build segments"));
    expect(model.sent).toEqual([]);
    fireEvent.input(number("Largest share, %"), { target: { value: "9" } });
    fireEvent.click(button("Build segments"));
    expect(model.last().arguments).toEqual({ n_segments: 12, min_share: 0.05, max_share: 0.09 });
  });

  it("waits for a variable", () => {
    const model = show({ ...asked, selected: [] });
    expect(button("Build segments").getAttribute("aria-disabled")).toBe("true");
    fireEvent.click(button("Build segments"));
    expect(model.sent).toEqual([]);
  });

  it("shows the stage and can be cancelled", () => {
    const model = show(asked);
    fireEvent.click(button("Build segments"));
    emit(model, { progress: { stage: "forming segments", fraction: 0.4 } });
    expect((screen.getByRole("progressbar") as HTMLProgressElement).value).toBe(0.4);
    expect(screen.getByText("Forming segments")).toBeTruthy();
    fireEvent.click(button("Cancel"));
    expect(model.last().verb).toBe("cancel");
  });

  it("takes up limits that the conversation sets", () => {
    const model = show(asked);
    act(() =>
      model.sync({ ...asked, size_rule: { n_segments: 8, min_share: 0.07, max_share: 0.15 } }),
    );
    expect([number("Number of segments").value, number("Smallest share, %").value]).toEqual(["8", "7"]);
  });

  it("tells a failure where it happened, with the work intact", () => {
    const model = show(asked);
    fireEvent.click(button("Build segments"));
    emit(model, {
      id: model.last().id,
      error: { fact: "12 segments hold 600 of 1,000.", next_move: "Raise max_share." },
    });
    const alert = screen.getAllByRole("alert").filter((a) => a.textContent)[0]!;
    expect(alert.textContent).toContain("12 segments hold 600 of 1,000. Raise max_share.");
    expect(alert.closest(".anb-panel")?.querySelector("h3")?.textContent).toBe("Segment");
    expect(screen.getByText("12 of 13 variables selected")).toBeTruthy();
    fireEvent.click(within(alert).getByRole("button", { name: "Dismiss" }));
    expect(screen.queryByText(/hold 600/)).toBeNull();
  });
});

describe("segments", () => {
  it("show their size and what sets them apart", () => {
    show(exported);
    const card = screen.getByRole("article", { name: "Younger urban recyclers" });
    expect(card.textContent).toContain("100 records · 10%");
    const [traits, lifestyles] = within(card).getAllByRole("table");
    expect(within(traits!).getAllByRole("row")[1]!.textContent).toBe(
      "Household income 128,400 against 91,200141",
    );
    expect(within(lifestyles!).getAllByRole("row")[1]!.textContent).toBe("Downtown Optimists21%262");
    expect(screen.getByRole("article", { name: "Middle income, middle age" }).textContent).toContain(
      "Close to the base in every variable.",
    );
  });

  it("are picked into the audience", () => {
    const model = show(exported);
    expect(screen.getByText(/in 2 of 12 segments, 18.8% of the base/)).toBeTruthy();
    fireEvent.click(box("In the audience: Affluent hybrid owners"));
    expect(model.last()).toMatchObject({ verb: "pick", arguments: { segments: [1, 5, 2] } });
    expect(screen.getByText(/in 3 of 12 segments, 28.6% of the base/)).toBeTruthy();
  });

  it("are renamed with the keyboard, and keep their name on Escape", () => {
    const model = show(exported);
    fireEvent.click(button("Rename Rural households"));
    const input = screen.getByRole("textbox", { name: "Name of the segment" });
    fireEvent.input(input, { target: { value: "Farms" } });
    fireEvent.keyDown(input, { key: "Escape" });
    expect(model.sent).toEqual([]);
    fireEvent.click(button("Rename Rural households"));
    const again = screen.getByRole("textbox", { name: "Name of the segment" });
    fireEvent.input(again, { target: { value: " Farms " } });
    fireEvent.submit(again.closest("form")!);
    expect(model.last()).toMatchObject({ verb: "rename", arguments: { segment: 11, name: "Farms" } });
  });
});

describe("export", () => {
  it("sends a name, and shows where the file went", () => {
    const model = show(exported);
    expect(screen.getByText("exports/environmentally-conscious-millennials.csv")).toBeTruthy();
    expect(screen.getByText(/188 rows, 15 columns/)).toBeTruthy();
    expect(screen.getByText("4 of 188 people have not agreed to advertising.")).toBeTruthy();
    fireEvent.input(screen.getByRole("textbox", { name: "File name" }), { target: { value: " mine " } });
    fireEvent.click(button("Export CSV"));
    expect(model.last()).toMatchObject({ verb: "export", arguments: { name: "mine" } });
  });

  it("names no file when none was typed", () => {
    const model = show(exported);
    fireEvent.click(button("Export CSV"));
    expect(model.last().arguments).toEqual({});
  });

  it("is refused for a clean room, and says why", () => {
    const model = show({ ...exported, data_type: "clean_room", subtype: "rampid" });
    fireEvent.click(button("Export CSV"));
    expect(model.sent).toEqual([]);
    expect(screen.getByText(/Clean room data lets no rows out/)).toBeTruthy();
  });
});

describe("undo", () => {
  it("says what it takes back", () => {
    const model = show(exported);
    fireEvent.click(button("Undo the choice of segments"));
    expect(model.last().verb).toBe("undo");
  });

  it("does nothing when there is nothing", () => {
    const model = show(fresh);
    fireEvent.click(button("Nothing to undo"));
    expect(model.sent).toEqual([]);
  });
});

describe("two views in one page", () => {
  it("share no id and no landmark", async () => {
    show(exported);
    show(exported);
    const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
    expect(ids.length).toBeGreaterThan(100);
    expect(new Set(ids).size).toBe(ids.length);
    await check();
  });
});

describe("charts", () => {
  it("are drawn by the shared runtime, with a description", async () => {
    show(exported, { sizes: { title: "Segment sizes", description: "Share of 12 segments." } });
    await waitFor(() => expect(drawn).toHaveLength(1));
    expect(screen.getByRole("img", { name: "Share of 12 segments." })).toBe(drawn[0]!.el);
    expect(screen.getByText("Segment sizes")).toBeTruthy();
  });
});

describe("hostile text", () => {
  const evil = `<img src=x onerror="window.hacked = true"><script>window.hacked = true</script>{{1+1}}`;

  it("is shown as text wherever it comes from", () => {
    const segmentation = exported.segmentation!;
    const segment = segmentation.segments[0]!;
    const data = { ...exported.data, name: `t ${evil}` };
    show({
      ...exported,
      data,
      messages: [{ role: "user", text: evil, next_move: evil }],
      suggestions: [{ ...exported.suggestions[0]!, label: evil, why: evil, category: evil }],
      selected: [{ code: "X", label: evil, kind: evil }],
      segmentation: {
        ...segmentation,
        chosen_by: evil,
        notes: [evil],
        segments: [
          {
            ...segment,
            name: evil,
            traits: [{ label: evil, text: evil, index: 3 }],
            lifestyles: [{ ...segment.lifestyles[0]!, name: evil }],
          },
        ],
      },
      export: { path: evil, rows: 1, columns: 1, notes: [evil] },
      undo: evil,
    });
    const root = document.querySelector(".anb")!;
    expect(root.querySelectorAll("img, script")).toHaveLength(0);
    expect(root.textContent!.split(evil).length - 1).toBeGreaterThanOrEqual(12);
    expect(window).not.toHaveProperty("hacked");
  });
});

describe("accessibility", () => {
  it.each([
    ["at first", fresh],
    ["with suggestions", asked],
    ["at the end", exported],
  ])("has no violation %s", async (_when, snapshot) => {
    show(snapshot, { sizes: { title: "Sizes" } });
    await check();
  });

  it("has no violation with a failure, a verb under way and an open list", async () => {
    const model = show(exported);
    fireEvent.click(button("Build segments"));
    emit(model, { id: model.last().id, error: { fact: "No.", next_move: "Do this." } });
    fireEvent.input(screen.getByRole("combobox", { name: "Add a variable" }), {
      target: { value: "inc" },
    });
    await waitFor(() => expect(model.last().verb).toBe("find"));
    emit(model, { id: model.last().id, found: exported.suggestions });
    fireEvent.click(button("Rename Rural households"));
    await check();
    fireEvent.click(button("Build segments"));
    await check();
  });
});
