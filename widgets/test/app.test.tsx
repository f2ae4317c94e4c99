// @vitest-environment happy-dom
import { act, cleanup, fireEvent, render, screen, waitFor, within } from "@testing-library/preact";
import axe from "axe-core";
import { afterEach, describe, expect, it } from "vitest";
import { App } from "../src/App";
import type { Answer, ChartSpec, Snapshot } from "../src/snapshot";
import { sumOf, widths } from "../src/ScoreBar";
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

describe("identifiers", () => {
  it("offers those that the records have", () => {
    show(fresh);
    const options = within(screen.getByRole("combobox", { name: "Identified by" }))
      .getAllByRole("option")
      .map((option) => [(option as HTMLOptionElement).disabled, option.textContent]);
    expect(options).toContainEqual([false, "RampID"]);
    expect(options).toContainEqual([true, "Phone number (no column phone)"]);
  });

  it("tells what a subtype adds, and what a clean room has spent", async () => {
    show({
      ...fresh,
      data_type: "clean_room",
      subtype: "liveramp",
      budget: { minimum_count: 100, spent: 1.2, budget: 10 },
    });
    expect(screen.getByText(/crowd size/).textContent).toContain("At least 100 people a figure");
    expect(screen.getByText(/Figures are about at least 100 people/).textContent).toContain(
      "1.2 of the privacy budget of 10 is spent",
    );
    await check();
  });

  it("tells what a subtype refuses", () => {
    show({ ...fresh, subtype: "cookie" });
    expect(screen.getByText(/also refuses/).textContent).toBe(
      "Cookie or publisher's id also refuses: export rows, distribute.",
    );
  });
});

describe("sensitive variables", () => {
  const sensitive: Snapshot = {
    ...asked,
    suggestions: asked.suggestions.map((s, place) => ({
      ...s,
      sensitive: place === 0 ? "religion" : null,
    })),
    selected: [
      { code: "A", label: "Attends <b>church</b>", kind: "behavioral", sensitive: "religion" },
      { code: "B", label: "Votes", kind: "behavioral", sensitive: "politics" },
    ],
    allowed_sensitive: { B: "A study of turnout" },
  };

  it("are named, and allowed with a reason alone", async () => {
    const model = show(sensitive);
    const group = screen.getByRole("group", { name: "2 sensitive variables selected" });
    expect(group.textContent).toContain("Attends <b>church</b> (religion)");
    expect(group.textContent).toContain("Votes (politics), “A study of turnout”");
    expect(screen.getAllByText("Sensitive: religion")).toHaveLength(2);
    fireEvent.click(button("Allow on record"));
    expect(model.sent).toHaveLength(0);
    fireEvent.input(screen.getByRole("textbox", { name: "Reason to allow it" }), {
      target: { value: "Research with consent" },
    });
    await check();
    fireEvent.click(button("Allow on record"));
    expect(model.last()).toMatchObject({
      verb: "allow_sensitive",
      arguments: { codes: ["A"], reason: "Research with consent" },
    });
  });

  it("are not spoken of where there are none", () => {
    show(asked);
    expect(screen.queryByText(/sensitive variable/)).toBeNull();
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

  it("recalls what was said with Up, and gives the draft back with Down", () => {
    const said = (text: string) => ({ role: "user" as const, text, next_move: "" });
    const model = show({ ...asked, messages: [said("cyclists"), said("add skiing")] });
    const area = input() as HTMLTextAreaElement;
    fireEvent.input(area, { target: { value: "only" } });
    area.setSelectionRange(0, 0);
    fireEvent.keyDown(area, { key: "ArrowUp" });
    expect(area.value).toBe("add skiing");
    fireEvent.keyDown(area, { key: "ArrowUp" });
    fireEvent.keyDown(area, { key: "ArrowUp" });
    expect(area.value).toBe("cyclists");
    fireEvent.keyDown(area, { key: "ArrowDown" });
    fireEvent.keyDown(area, { key: "ArrowDown" });
    expect(area.value).toBe("only");
    fireEvent.keyDown(area, { key: "ArrowDown" });
    expect(area.value).toBe("only");
    expect(model.sent).toEqual([]);
  });

  it("leaves the arrows to a text that is being written", () => {
    show({ ...asked, messages: [{ role: "user", text: "cyclists", next_move: "" }] });
    const area = input() as HTMLTextAreaElement;
    fireEvent.input(area, { target: { value: "two\nlines" } });
    area.setSelectionRange(6, 6);
    fireEvent.keyDown(area, { key: "ArrowUp" });
    expect(area.value).toBe("two\nlines");
  });

  it("is stopped by Escape while it is answered, and emptied by it otherwise", () => {
    const model = show(fresh);
    const area = input() as HTMLTextAreaElement;
    fireEvent.input(area, { target: { value: "cyclists" } });
    fireEvent.keyDown(area, { key: "Enter" });
    fireEvent.keyDown(area, { key: "Escape" });
    expect(model.last().verb).toBe("cancel");
    const said = model.sent[0]!;
    emit(model, { id: said.id, error: { fact: "Stopped.", next_move: "" } });
    expect(area.value).toBe("cyclists");
    fireEvent.keyDown(area, { key: "Escape" });
    expect(area.value).toBe("");
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
    const filter = screen.getByRole("textbox", { name: "Find in the list" });
    fireEvent.input(filter, { target: { value: "valuestrack" } });
    expect(document.querySelectorAll(".anb-row")).toHaveLength(3);
    fireEvent.input(filter, { target: { value: "zebra" } });
    expect(screen.getByText("None of them matches “zebra”. Clear the words to see them all.")).toBeTruthy();
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

describe("variants of a measure", () => {
  const chooser = () =>
    screen.getByRole("combobox", { name: "Variant of Household income" }) as HTMLSelectElement;

  it("show what is chosen and offer the others", () => {
    const model = show(asked);
    // The row is called by what its variants share; what sets them apart stands in the chooser.
    expect(box("Household income").checked).toBe(true);
    expect([...chooser().options].map((o) => [o.text, o.selected])).toEqual([
      ["average, 2026 estimate", true],
      ["median, 2026 estimate", false],
      ["average, 2031 projection", false],
    ]);
    fireEvent.change(chooser(), { target: { value: "V10002" } });
    expect(model.last()).toMatchObject({
      verb: "swap",
      arguments: { code: "V00002", with: "V10002" },
    });
  });

  it("keep their row, its focus and its tick", () => {
    const model = show(asked);
    chooser().focus();
    const before = chooser();
    fireEvent.change(chooser(), { target: { value: "V10002" } });
    const swapped = (s: (typeof asked.suggestions)[0]) =>
      s.code === "V00002"
        ? { ...s, code: "V10002", label: "Household income, median", variant: "median" }
        : s;
    grant(model, {
      ...asked,
      suggestions: asked.suggestions.map(swapped),
      selected: asked.selected.map((s) => (s.code === "V00002" ? { ...s, code: "V10002" } : s)),
    });
    expect(chooser()).toBe(before);
    expect(document.activeElement).toBe(before);
    expect(chooser().value).toBe("V10002");
    expect(box("Household income").checked).toBe(true);
    expect(screen.getByText("12 of 13 variables selected")).toBeTruthy();
  });

  it("go back to what holds when the kernel refuses", () => {
    const model = show(asked);
    fireEvent.change(chooser(), { target: { value: "V10002" } });
    emit(model, { id: model.last().id, error: { fact: "V10002 is none of them.", next_move: "" } });
    expect(chooser().value).toBe("V00002");
    expect(screen.getByText("V10002 is none of them.")).toBeTruthy();
  });

  it("are not offered where there is only one", () => {
    show(asked);
    expect(screen.getAllByRole("combobox", { name: /^Variant of/ })).toHaveLength(1);
  });
});

describe("what was understood", () => {
  const intent = (name: string) => button(name).getAttribute("aria-pressed");

  it("is one line: concepts, then mended words, and a note", () => {
    const understood = {
      ...asked.understood!,
      mended: [{ written: "incme", read: "income" }],
      note: "Only the first 490 of 9,000 characters were searched.",
    };
    show({ ...asked, understood });
    const line = screen.getByText(/^Understood:/);
    expect(line.textContent).toBe(
      "Understood: environmentally conscious → people who care about the environment; " +
        "millennials → adults aged 25 to 44; incme → income",
    );
    expect(screen.getByText("Only the first 490 of 9,000 characters were searched.")).toBeTruthy();
  });

  it("shows intents as buttons, which override and ask again", () => {
    const model = show(asked);
    expect(["Demographic", "Behavioural", "Psychographic", "Lifestyle"].map(intent)).toEqual([
      "true",
      "false",
      "true",
      "false",
    ]);
    expect(button("Demographic").title).toBe("The question shows it: “millennials”");
    fireEvent.click(button("Behavioural"));
    expect(model.last()).toMatchObject({
      verb: "ask",
      arguments: {
        text: asked.query,
        limit: 15,
        kinds: [],
        intents: ["demographic", "psychographic", "behavioral"],
      },
    });
    expect(intent("Behavioural")).toBe("true");
    // Quick clicks add up; the last of them wins.
    fireEvent.click(button("Demographic"));
    expect(model.sent).toHaveLength(1);
    grant(model);
    expect(model.last().arguments["intents"]).toEqual(["psychographic", "behavioral"]);
  });

  it("goes back to what the question shows", () => {
    const model = show({ ...asked, intents: ["demographic", "psychographic", "lifestyle"] });
    fireEvent.click(button("Lifestyle"));
    expect(model.last().arguments["intents"]).toBeNull();
    grant(model);
    fireEvent.click(button("As the question shows"));
    expect(model.last().arguments["intents"]).toBeNull();
  });

  it("is nothing before the first question", () => {
    show(fresh);
    expect(screen.queryByText(/Understood/)).toBeNull();
    expect(screen.queryByText("Filters")).toBeNull();
  });
});

describe("filters", () => {
  const facet = (name: string) => within(screen.getByRole("group", { name }));
  const value = (name: string, of: string) =>
    facet(name).getByRole("checkbox", { name: of }) as HTMLInputElement;
  const open = () => {
    document.querySelector<HTMLDetailsElement>(".anb-filters details")!.open = true;
  };

  it("count what the list holds, and ask again with the same words", () => {
    const model = show(asked);
    open();
    expect(facet("Kind").getAllByRole("checkbox")).toHaveLength(4);
    expect(value("Kind", "Behavioural 4 in the list").checked).toBe(false);
    expect(value("Also usable as", "Clean room 9 in the list")).toBeTruthy();
    expect(facet("Also usable as").queryByRole("checkbox", { name: /First party/ })).toBeNull();
    fireEvent.click(value("Kind", "Behavioural 4 in the list"));
    fireEvent.click(value("Source", "Opine 4 in the list"));
    expect(model.sent).toHaveLength(1);
    expect(model.last()).toMatchObject({
      verb: "ask",
      arguments: { text: asked.query, kinds: ["behavioral"], sources: [] },
    });
    grant(model);
    expect(model.last()).toMatchObject({
      arguments: { kinds: ["behavioral"], sources: ["Opine"], intents: null },
    });
    expect(screen.getByText("Behavioural, Opine")).toBeTruthy();
  });

  it("keep in reach what an answer to the question once held", () => {
    const model = show(asked);
    open();
    // Of eight categories, Travel is in no answer: it is in the list of others.
    expect(facet("Category").getAllByRole("checkbox")).toHaveLength(7);
    const others = facet("Category").getByRole("combobox", { name: "Another category" });
    expect([...(others as HTMLSelectElement).options].map((o) => o.text)).toEqual([
      "Another of 8 …",
      "Travel",
    ]);
    fireEvent.change(others, { target: { value: "Travel" } });
    expect(model.last().arguments["categories"]).toEqual(["Travel"]);
    grant(model, {
      ...asked,
      suggestions: [],
      selected: [],
      filters: { ...asked.filters, categories: ["Travel"] },
    });
    expect(facet("Category").getAllByRole("checkbox")).toHaveLength(8);
    expect(value("Category", "Causes 0 in the list").checked).toBe(false);
    expect(value("Category", "Travel 0 in the list").checked).toBe(true);
  });

  it("are cleared in one click, also where nothing is left", () => {
    const filters = { kinds: ["lifestyle"], sources: ["Opine"], categories: [], availability: [] };
    const model = show({ ...asked, suggestions: [], selected: [], filters });
    expect(screen.getByText("No variable matches")).toBeTruthy();
    expect(screen.getByText(/is within Lifestyle, Opine\./)).toBeTruthy();
    fireEvent.click(button("Ask without filters"));
    expect(model.last().arguments).toMatchObject({ kinds: [], sources: [], text: asked.query });
    grant(model, asked);
    expect(screen.queryByRole("button", { name: "Clear filters" })).toBeNull();
  });

  it("fall back to what holds when the kernel refuses", () => {
    const model = show(asked);
    open();
    fireEvent.click(value("Source", "Opine 4 in the list"));
    emit(model, { id: model.last().id, error: { fact: "No variable has it.", next_move: "" } });
    expect(value("Source", "Opine 4 in the list").checked).toBe(false);
    expect(screen.getByText("No variable has it.")).toBeTruthy();
  });
});

describe("learning in the background", () => {
  const learning = { description: "", ready: false, fraction: 0.437, by_meaning: false };

  it("says how far it is, and keeps the list when it ends", () => {
    const understood = { ...asked.understood!, by_words: true };
    const model = show({ ...asked, understood, index: learning });
    const bar = screen.getByRole("progressbar", { name: "Learning meanings" });
    expect((bar as HTMLProgressElement).value).toBe(0.437);
    expect(screen.getByText(/Meanings are being learnt, 43%; answers go by words/)).toBeTruthy();
    emit(model, { index: { ...learning, fraction: 0.9 } });
    expect(screen.getByText(/learnt, 90%/)).toBeTruthy();
    expect(screen.queryByRole("button", { name: "Ask again with meanings" })).toBeNull();
    emit(model, { index: { ...learning, ready: true, fraction: 1, by_meaning: true } });
    expect(screen.queryByRole("progressbar")).toBeNull();
    expect(model.sent).toEqual([]);
    fireEvent.click(button("Ask again with meanings"));
    expect(model.last()).toMatchObject({
      verb: "ask",
      arguments: { text: asked.query, limit: 15, intents: null },
    });
    grant(model, asked);
    expect(screen.queryByRole("button", { name: "Ask again with meanings" })).toBeNull();
  });

  it("says so when it failed, and offers nothing", () => {
    const understood = { ...asked.understood!, by_words: true };
    const description = "13 variables by words only; meanings could not be learnt: no key";
    show({ ...asked, understood, index: { ...learning, description, ready: true, fraction: 1 } });
    expect(screen.getByText(/What is searched: 13 variables by words only; .*no key/)).toBeTruthy();
    expect(screen.queryByRole("button", { name: "Ask again with meanings" })).toBeNull();
  });

  it("offers nothing where meanings were there", () => {
    show(asked);
    expect(screen.queryByRole("button", { name: "Ask again with meanings" })).toBeNull();
  });
});

describe("a message that comes to nothing", () => {
  const input = () =>
    screen.getByRole("textbox", { name: "Describe the audience" }) as HTMLTextAreaElement;
  const say = (text: string) => {
    fireEvent.input(input(), { target: { value: text } });
    fireEvent.keyDown(input(), { key: "Enter" });
  };

  it("stays in its box when it is refused", () => {
    const model = show(fresh);
    say("🎉🎉");
    expect(input().value).toBe("");
    emit(model, { id: model.last().id, error: { fact: "No words.", next_move: "Say who." } });
    expect(input().value).toBe("🎉🎉");
    expect(screen.getByText("No words.")).toBeTruthy();
  });

  it("stays in its box when nothing is found", () => {
    const model = show(fresh);
    say("  zorblax  quib ");
    grant(model, { ...asked, query: "zorblax quib", suggestions: [], selected: [] });
    expect(input().value).toBe("  zorblax  quib ");
    expect(screen.getByText(/Nothing answers “zorblax quib”\. Say in other words/)).toBeTruthy();
  });

  it("gives way to what was typed meanwhile", () => {
    const model = show(fresh);
    say("one");
    fireEvent.input(input(), { target: { value: "two" } });
    emit(model, { id: model.last().id, error: { fact: "No.", next_move: "" } });
    expect(input().value).toBe("two");
  });

  it("leaves an empty box when it worked", () => {
    const model = show(fresh);
    say("families");
    grant(model, asked);
    expect(input().value).toBe("");
  });
});

describe("scores", () => {
  it("are as long as they are high, also where earlier picks take something away", () => {
    const parts = { words: 0.5, meaning: 0.3, spelling: 0.1, concepts: 0.1, use: -0.25 };
    const lengths = widths(0.75, parts);
    expect(lengths.map(([name]) => name)).toEqual(["meaning", "words", "concepts", "spelling"]);
    expect(lengths.reduce((sum, [, width]) => sum + width, 0)).toBeCloseTo(75, 9);
    expect(sumOf(0.75, parts)).toBe(
      "meaning 0.30 + words 0.50 + concepts 0.10 + spelling 0.10 − earlier picks 0.25 = 0.75",
    );
    expect(widths(0, { meaning: 0, words: 0 })).toEqual([]);
  });

  it("draw and name the part that earlier picks gave", () => {
    const one = { ...asked.suggestions[0]!, score: 0.9, parts: { words: 0.7, use: 0.2 } };
    show({ ...asked, suggestions: [one], selected: [] });
    const legend = within(screen.getByRole("list", { name: "Parts of a score" }));
    expect(legend.getAllByRole("listitem").map((e) => e.textContent)).toEqual([
      "Words",
      "Earlier picks",
    ]);
    const row = box(one.label).closest("li")!;
    expect(row.querySelector<HTMLElement>('[data-part="use"]')!.style.width).toBe("20%");
    expect(row.querySelector(".anb-score")!.getAttribute("title")).toBe(
      "words 0.70 + earlier picks 0.20 = 0.90",
    );
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

  it("keep a refused name in its box", () => {
    const model = show(exported);
    fireEvent.click(button("Rename Rural households"));
    const input = () =>
      screen.getByRole("textbox", { name: "Name of the segment" }) as HTMLInputElement;
    fireEvent.input(input(), { target: { value: "Donors above 55" } });
    fireEvent.submit(input().closest("form")!);
    emit(model, { id: model.last().id, error: { fact: "It is taken.", next_move: "Use another." } });
    expect(input().value).toBe("Donors above 55");
    expect(screen.getByText("It is taken.")).toBeTruthy();
    fireEvent.input(input(), { target: { value: "Farms" } });
    fireEvent.submit(input().closest("form")!);
    grant(model);
    expect(screen.queryByRole("textbox", { name: "Name of the segment" })).toBeNull();
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

describe("comparing", () => {
  const pair = exported.segmentation!.segments.slice(0, 2);
  const comparison = {
    segments: pair.map(({ id, name, size, share }) => ({ id, name, size, share })),
    rows: [
      { code: "INC", label: "Household income", level: null, texts: ["128,400", "88,100"], indexes: [141, 97] },
      { code: "HOME", label: "Home: rent", level: "rent", texts: ["80%", "0%"], indexes: [160, null] },
    ],
  };

  it("sends two segments, and shows what tells them apart", () => {
    const model = show(exported);
    fireEvent.click(screen.getByText("Compare two segments"));
    const another = screen.getByRole("combobox", { name: "Another segment" }) as HTMLSelectElement;
    fireEvent.change(another, { target: { value: "5" } });
    fireEvent.click(button("Compare"));
    expect(model.last()).toMatchObject({ verb: "compare", arguments: { segments: [1, 5] } });
    grant(model, { ...exported, comparison });
    const table = screen.getByRole("table", { name: /the strongest differences first/ });
    const rows = within(table).getAllByRole("row").map((row) => row.textContent);
    expect(rows[1]).toBe("Household income128,40088,10014197");
    expect(rows[2]).toBe("Home: rent80%0%160–");
  });

  it("needs two different ones", () => {
    const model = show({ ...exported, comparison });
    fireEvent.change(screen.getByRole("combobox", { name: "Another segment" }), {
      target: { value: String(pair[0]!.id) },
    });
    fireEvent.click(button("Compare"));
    expect(model.sent).toEqual([]);
  });
});

describe("an answer with options", () => {
  it("says an option that is clicked", () => {
    const options = ["17 segments, between 5 % and 6 % each", "cancel"];
    const model = show({
      ...asked,
      messages: [{ role: "error", text: "12 segments cannot be.", next_move: "", options }],
    });
    fireEvent.click(button(options[0]!));
    expect(model.last()).toMatchObject({ verb: "say", arguments: { text: options[0] } });
  });
});

describe("rows that were left out", () => {
  it("are counted by reason", () => {
    const dropped = [{ reason: "no id", count: 1200 }, { reason: "repeated id", count: 3 }];
    show({ ...exported, loaded: { ...exported.loaded!, dropped } });
    expect(screen.getByText("Left out: 1,200 (no id), 3 (repeated id).")).toBeTruthy();
  });
});

describe("redo", () => {
  it("is offered after an undo", () => {
    const model = show({ ...exported, redo: "the segments" });
    fireEvent.click(button("Redo the segments"));
    expect(model.last().verb).toBe("redo");
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

  it("put a segment that is clicked into the audience, or take it out", async () => {
    const model = show(exported, { map: { title: "Map" }, types: { title: "Types" } });
    await waitFor(() => expect(drawn).toHaveLength(2));
    const map = drawn.find((chart) => chart.spec["title"] === "Map")!;
    act(() => map.choose!(2));
    expect(model.last()).toMatchObject({ verb: "pick", arguments: { segments: [1, 5, 2] } });
    act(() => map.choose!(5));
    grant(model);
    expect(model.last()).toMatchObject({ verb: "pick", arguments: { segments: [1, 2] } });
  });

  it("that stayed the same are not drawn again", async () => {
    const model = show(exported, { sizes: { title: "Sizes" } });
    await waitFor(() => expect(drawn).toHaveLength(1));
    act(() => model.chart({ sizes: { title: "Sizes" }, map: { title: "Map" } }));
    await waitFor(() => expect(drawn).toHaveLength(2));
    expect(drawn[1]!.spec["title"]).toBe("Map");
  });
});

describe("copy as code", () => {
  it("shows Python and puts it on the clipboard, until the next change", async () => {
    const copied: string[] = [];
    Object.defineProperty(navigator, "clipboard", {
      configurable: true,
      value: { writeText: async (text: string) => void copied.push(text) },
    });
    const model = show(exported);
    fireEvent.click(button("Copy as code"));
    const { id, verb } = model.last();
    expect(verb).toBe("code");
    emit(model, { id, code: "from audience_nb import Session\n" });
    const code = screen.getByRole("region", { name: "Python that gives the same audience" });
    expect(code.textContent).toBe("from audience_nb import Session\n");
    await waitFor(() => expect(screen.getByText(/^Copied\./)).toBeTruthy());
    expect(copied).toEqual(["from audience_nb import Session\n"]);
    act(() => model.sync({ ...exported, revision: exported.revision + 1 }));
    expect(screen.queryByText("from audience_nb import Session")).toBeNull();
  });

  it("says so where the clipboard is refused", async () => {
    Object.defineProperty(navigator, "clipboard", { configurable: true, value: undefined });
    const model = show(exported);
    fireEvent.click(button("Copy as code"));
    emit(model, { id: model.last().id, code: "x = 1" });
    await waitFor(() => expect(screen.getByText(/select the code and copy it/)).toBeTruthy());
  });

  it("is not there before the first question", () => {
    show(fresh);
    expect(screen.queryByRole("button", { name: "Copy as code" })).toBeNull();
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
      suggestions: [
        { ...exported.suggestions[0]!, label: evil, why: evil, category: evil, parts: { [evil]: 1 } },
        {
          ...exported.suggestions[2]!,
          measure: evil,
          variants: [
            { code: "V00002", text: evil },
            { code: evil, text: evil },
          ],
          source: evil,
        },
      ],
      understood: {
        concepts: [{ name: evil, meaning: evil }],
        mended: [{ written: evil, read: evil }],
        intents: [{ kind: evil, because: evil }],
        note: evil,
        by_words: true,
      },
      intents: [evil],
      filters: { kinds: [evil], sources: [evil], categories: [evil], availability: [evil] },
      options: { kinds: [evil, "x"], sources: [evil], categories: [evil], availability: [evil] },
      query: evil,
      selected: [{ code: "X", label: evil, kind: evil, sensitive: evil }],
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
    expect(root.textContent!.split(evil).length - 1).toBeGreaterThanOrEqual(28);
    expect(window).not.toHaveProperty("hacked");
  });
});

describe("accessibility", () => {
  it.each([
    ["at first", fresh],
    ["with suggestions", asked],
    ["at the end", exported],
    [
      "while meanings are learnt",
      { ...asked, index: { description: "", ready: false, fraction: 0.4, by_meaning: false } },
    ],
    ["with nothing found", { ...asked, suggestions: [], selected: [], intents: ["lifestyle"] }],
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
    document.querySelector<HTMLDetailsElement>(".anb-filters details")!.open = true;
    fireEvent.click(button("Rename Rural households"));
    await check();
    fireEvent.click(button("Build segments"));
    await check();
  });
});
