import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Link, SILENCE_MS, TYPING_MS, type Wire, questionOf } from "../src/link";
import type { Found } from "../src/snapshot";
import { FakeModel, asked, fresh } from "./model";

const start = (): [FakeModel, Link] => {
  const model = new FakeModel(fresh);
  return [model, new Link(model as unknown as Wire)];
};
const variable = (code: string) => ({ code, label: code }) as Found;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("verbs", () => {
  it("sends one at a time and ignores clicks meanwhile", () => {
    const [model, link] = start();
    expect(link.perform("build", { min_share: 0.05 })).toBe(true);
    expect(link.perform("build", { min_share: 0.05 })).toBe(false);
    expect(link.perform("export")).toBe(false);
    expect(model.sent.map(({ verb, arguments: args }) => [verb, args])).toEqual([
      ["build", { min_share: 0.05 }],
    ]);
    model.grant();
    expect(link.state.pending).toBeNull();
    expect(link.perform("export")).toBe(true);
  });

  it("keeps the fact and the next move of an error, and the verb that failed", () => {
    const [model, link] = start();
    link.perform("build");
    const problem = { fact: "12 segments of at most 50 hold 600 of 1,000.", next_move: "Raise it." };
    model.emit({ id: model.last().id, error: problem });
    expect(link.state.problem).toEqual({ ...problem, verb: "build" });
    expect(link.state.pending).toBeNull();
    link.perform("build");
    expect(link.state.problem).toBeNull();
  });

  it("ignores answers to others, such as a second view of the same widget", () => {
    const [model, link] = start();
    link.perform("say", { text: "families" });
    model.emit({ id: "another-1", ok: true });
    model.emit({ id: "another-2", error: { fact: "No.", next_move: "" } });
    expect(link.state.pending).toBe("say");
    expect(link.state.problem).toBeNull();
  });

  it("asks the kernel to stop, and stays pending until it has", () => {
    const [model, link] = start();
    link.cancel();
    expect(model.sent).toEqual([]);
    link.perform("build");
    link.cancel();
    expect(model.sent.map((m) => m.verb)).toEqual(["build", "cancel"]);
    expect(link.state.pending).toBe("build");
  });
});

describe("ticks", () => {
  it("go before a verb that follows them at once", () => {
    const [model, link] = start();
    link.pick([1]);
    link.pick([1, 3]);
    const first = model.last().id;
    link.perform("export", {});
    expect(model.sent.map(({ verb, arguments: args }) => [verb, args])).toEqual([
      ["pick", { segments: [1] }],
      ["pick", { segments: [1, 3] }],
      ["export", {}],
    ]);
    // The answer to a list that was replaced changes nothing.
    model.emit({ id: first, ok: true });
    expect(link.state.picked).toEqual([1, 3]);
    model.emit({ id: model.sent[1]!.id, ok: true });
    expect(link.state.picked).toBeNull();
    expect(link.state.pending).toBe("export");
  });

  it("loses none of several quick ones: the last list wins", () => {
    const [model, link] = start();
    link.select(["a"]);
    link.select(["a", "b"]);
    link.select(["a", "b", "c"]);
    expect(model.sent.map((m) => m.arguments)).toEqual([{ codes: ["a"] }]);
    expect(link.state.ticked).toEqual(["a", "b", "c"]);
    model.grant();
    expect(model.sent.map((m) => m.arguments)).toEqual([{ codes: ["a"] }, { codes: ["a", "b", "c"] }]);
    expect(link.state.ticked).toEqual(["a", "b", "c"]);
    model.grant();
    expect(model.sent).toHaveLength(2);
    expect(link.state.ticked).toBeNull();
  });

  it("falls back to the kernel's list when the kernel refuses", () => {
    const [model, link] = start();
    link.pick([1, 99]);
    model.emit({ id: model.last().id, error: { fact: "There is no segment 99.", next_move: "" } });
    expect(link.state.picked).toBeNull();
    expect(link.state.problem?.verb).toBe("pick");
  });

  it("may be sent while a verb is under way", () => {
    const [model, link] = start();
    link.perform("build");
    link.select(["a"]);
    expect(model.sent.map((m) => m.verb)).toEqual(["build", "select"]);
  });
});

describe("questions", () => {
  const question = (sources: string[]) => ({ ...questionOf(asked)!, sources });

  it("are what the snapshot answers, with everything that goes with the words", () => {
    expect(questionOf(fresh)).toBeNull();
    expect(questionOf({ ...asked, intents: ["lifestyle"] })).toEqual({
      text: asked.query,
      limit: 15,
      intents: ["lifestyle"],
      kinds: [],
      sources: [],
      categories: [],
      availability: [],
    });
  });

  it("are asked one at a time, and the last of quick changes wins", () => {
    const [model, link] = start();
    for (const sources of [["a"], ["a", "b"], ["b"]]) link.ask(question(sources));
    expect(model.sent.map((m) => m.arguments["sources"])).toEqual([["a"]]);
    expect(link.state.asking?.sources).toEqual(["b"]);
    model.grant();
    expect(model.sent.map((m) => m.arguments["sources"])).toEqual([["a"], ["b"]]);
    model.grant();
    expect(link.state.asking).toBeNull();
  });

  it("are dropped when the kernel refuses or is silent", () => {
    const [model, link] = start();
    link.ask(question(["a"]));
    model.emit({ id: model.last().id, error: { fact: "No.", next_move: "" } });
    expect([link.state.asking, link.state.problem?.verb]).toEqual([null, "ask"]);
    link.ask(question(["a"]));
    vi.advanceTimersByTime(SILENCE_MS);
    expect(link.state.asking).toBeNull();
  });
});

describe("typing", () => {
  it("asks once for a word, not for each letter", () => {
    const [model, link] = start();
    for (const text of ["i", "in", "inc", "inco", "incom", "income"]) link.find(text);
    expect(model.sent).toEqual([]);
    vi.advanceTimersByTime(TYPING_MS);
    expect(model.sent.map((m) => m.arguments)).toEqual([{ text: "income", limit: 8 }]);
  });

  it("drops answers to what was asked before", () => {
    const [model, link] = start();
    link.find("in");
    vi.advanceTimersByTime(TYPING_MS);
    const older = model.last().id;
    link.find("income");
    model.emit({ id: older, found: [variable("old")] });
    expect(link.state.found).toEqual([]);
    vi.advanceTimersByTime(TYPING_MS);
    model.emit({ id: older, found: [variable("old")] });
    expect(link.state.found).toEqual([]);
    model.emit({ id: model.last().id, found: [variable("new")] });
    expect(link.state.found.map((f) => f.code)).toEqual(["new"]);
    expect(link.state.finding).toBe(false);
  });

  it("empties the list with the words, and sends at most 200 characters", () => {
    const [model, link] = start();
    link.find("x".repeat(10_000));
    vi.advanceTimersByTime(TYPING_MS);
    expect(String(model.last().arguments["text"])).toHaveLength(200);
    model.emit({ id: model.last().id, found: [variable("x")] });
    link.find(" ");
    expect(link.state.found).toEqual([]);
    vi.advanceTimersByTime(1000);
    expect(model.sent).toHaveLength(1);
  });
});

describe("a silent kernel", () => {
  it("is said to be silent after 20 s, and lets one try again", () => {
    const [, link] = start();
    link.perform("say", { text: "families" });
    vi.advanceTimersByTime(SILENCE_MS - 1);
    expect(link.state.problem).toBeNull();
    vi.advanceTimersByTime(1);
    expect(link.state.problem?.fact).toBe("The kernel does not answer.");
    expect(link.state.problem?.next_move).toContain("AudienceBuilder.resume(path)");
    expect(link.state.pending).toBeNull();
    expect(link.perform("say", { text: "families" })).toBe(true);
  });

  it("is alive as long as progress arrives", () => {
    const [model, link] = start();
    link.perform("build");
    for (let s = 0; s < 5; s += 1) {
      vi.advanceTimersByTime(15_000);
      model.emit({ progress: { stage: "forming segments", fraction: s / 5 } });
    }
    expect(link.state.pending).toBe("build");
    expect(link.state.progress).toEqual({ stage: "forming segments", fraction: 0.8 });
    vi.advanceTimersByTime(SILENCE_MS);
    expect(link.state.problem?.fact).toBe("The kernel does not answer.");
  });

  it("is not waited for when the line is cut", () => {
    const [model, link] = start();
    model.send = () => {
      throw new Error("The comm is disposed.");
    };
    link.perform("build");
    expect(link.state.problem?.fact).toBe("The kernel does not answer.");
    expect(link.state.pending).toBeNull();
    link.select(["a"]);
    expect(link.state.ticked).toBeNull();
  });

  it("is forgiven when it answers late", () => {
    const [model, link] = start();
    link.select(["a"]);
    vi.advanceTimersByTime(SILENCE_MS);
    expect(link.state.problem).not.toBeNull();
    expect(link.state.ticked).toBeNull();
    model.emit({ id: model.last().id, ok: true });
    expect(link.state.problem).toBeNull();
  });

  it("is not waited for when nothing was asked", () => {
    const [model, link] = start();
    link.perform("undo");
    model.grant();
    vi.advanceTimersByTime(10 * SILENCE_MS);
    expect(link.state.problem).toBeNull();
  });
});
