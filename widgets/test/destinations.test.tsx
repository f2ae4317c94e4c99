// @vitest-environment happy-dom
import { act, cleanup, fireEvent, render, screen, within } from "@testing-library/preact";
import axe from "axe-core";
import { afterEach, describe, expect, it } from "vitest";
import { App } from "../src/App";
import { written } from "../src/Destinations";
import type { Destination, Snapshot } from "../src/snapshot";
import { FakeModel, exported, host } from "./model";

afterEach(cleanup);

const fresh: Destination = {
  name: "meta",
  title: "Meta Custom Audiences",
  asks: [
    { name: "audience_id", label: "Audience id", required: true },
    { name: "endpoint", label: "Address of the server", required: false },
  ],
  takes_token: true,
  needs_token: true,
  stands: "not checked",
  options: {},
  findings: null,
  plan: null,
  delivery: null,
  refusal: null,
};
const file: Destination = { ...fresh, name: "file", title: "a file", asks: [], takes_token: false, needs_token: false };
const checked: Destination = {
  ...fresh,
  stands: "problems",
  options: { audience_id: "77" },
  findings: [
    { level: "error", code: "too few", message: "<b>90</b> rows are too few.", rows_affected: 90, fix: "Pick more." },
    { level: "info", code: "identifier", message: "email: 90 readable.", rows_affected: 0, fix: "" },
  ],
};
const planned: Destination = {
  ...checked,
  stands: "planned",
  findings: [],
  plan: {
    method: "POST",
    endpoint: "https://example.org/77/users",
    rows: 1234,
    rows_dropped: { "no consent": 10 },
    batches: { count: 2, largest: 1000 },
    first_payload: { data: [["8957cd…"]] },
    digest: "c6df",
    retention_days: 30,
    allowed: true,
  },
};

const show = (destinations: Destination[], more: Partial<Snapshot> = {}): FakeModel => {
  const model = new FakeModel({ ...exported, destinations, ...more });
  render(<App model={model.asModel()} host={host} />);
  for (const part of document.querySelectorAll<HTMLDetailsElement>(".anb-destinations details"))
    part.open = true;
  return model;
};
const place = () => within(screen.getByText(/^Meta Custom/).closest("li") as HTMLElement);
const button = (name: string) => place().getByRole("button", { name });
const field = (name: RegExp) => place().getByLabelText<HTMLInputElement>(name);

describe("destinations", () => {
  it("stand in the panel, each with its state", () => {
    show([file, planned]);
    expect(screen.getByText("A file")).toBeTruthy();
    expect(place().getByText("Planned")).toBeTruthy();
  });

  it("ask for what is needed before they check", () => {
    const model = show([fresh]);
    expect(place().getByText("Fill in first: Audience id.")).toBeTruthy();
    fireEvent.click(button("Plan"));
    expect(model.sent).toEqual([]);
    fireEvent.input(field(/^Audience id/), { target: { value: "77" } });
    fireEvent.click(button("Plan"));
    expect(model.sent.at(-1)).toMatchObject({
      verb: "dispatch",
      arguments: { destination: "meta", stage: "plan", options: { audience_id: "77" } },
    });
    expect(button("Planning…")).toBeTruthy();
  });

  it("tell findings as text, with what to do", () => {
    show([checked]);
    expect(place().getByText(/<b>90<\/b> rows are too few\./)).toBeTruthy();
    expect(place().getByText("Pick more.")).toBeTruthy();
    expect(place().getByText("90 rows")).toBeTruthy();
    expect(place().getByRole("status").textContent).toBe("1 error: nothing can be sent.");
    const groups = place().getAllByRole("heading").map((h) => [h.textContent, h.parentElement?.querySelectorAll("li").length]);
    expect(groups).toEqual([["Errors", 1], ["Notes", 1]]);
    expect(place().queryByLabelText(/token/)).toBeNull();
  });

  it("send only with a token and a tick, and forget the token", () => {
    const model = show([planned]);
    expect(place().getByText(/1,234 people would leave/)).toBeTruthy();
    expect(place().getByText(/10 no consent/)).toBeTruthy();
    expect(place().getByText(/8957cd…/)).toBeTruthy();
    const send = button("Send now");
    fireEvent.click(send);
    fireEvent.click(place().getByLabelText("Send 1,234 people to Meta Custom Audiences now"));
    fireEvent.click(send);
    expect(model.sent).toEqual([]);
    const token = field(/Access token/);
    expect(token.type).toBe("password");
    fireEvent.input(token, { target: { value: "s3cret" } });
    fireEvent.click(send);
    expect(model.sent.at(-1)).toMatchObject({
      verb: "dispatch",
      arguments: { destination: "meta", stage: "send", token: "s3cret", confirm: true },
    });
    expect(field(/Access token/).value).toBe("");
    expect(place().getByRole<HTMLInputElement>("checkbox").checked).toBe(false);
  });

  it("have to be checked anew when an option changes", () => {
    show([planned]);
    fireEvent.input(field(/^Audience id/), { target: { value: "78" } });
    expect(place().getByText(/Check again/)).toBeTruthy();
    expect(place().queryByText(/would leave/)).toBeNull();
    expect(place().queryByLabelText(/token/)).toBeNull();
  });

  it("say what was sent, and what a dry run would send", () => {
    const delivery = {
      rows_sent: 1200, rows_before: 34, rows_dropped: {}, dry_run: false, location: "", batches: 2,
    };
    show([{ ...planned, stands: "sent", delivery }]);
    expect(place().getByText("1,200 people sent.")).toBeTruthy();
    expect(place().getByText(/34 people had been sent before/)).toBeTruthy();
    cleanup();
    show([{ ...planned, stands: "tried", delivery: { ...delivery, dry_run: true } }]);
    expect(place().getByText(/Nothing left/)).toBeTruthy();
  });

  it("tell while they send, and how far a sending got that was refused", () => {
    const model = show([planned]);
    fireEvent.input(field(/Access token/), { target: { value: "s3cret" } });
    fireEvent.input(field(/Purpose/), { target: { value: " spring " } });
    fireEvent.click(place().getByRole("checkbox"));
    fireEvent.click(button("Send now"));
    expect(model.last().arguments).toMatchObject({ token: "s3cret", purpose: "spring" });
    expect(place().getByRole("progressbar", { name: "Meta Custom Audiences: Sending" })).toBeTruthy();
    expect(place().getByRole("status").textContent).toBe("Sending 1,234 people…");
    cleanup();
    const delivery = {
      rows_sent: 300, rows_before: 0, rows_dropped: {}, dry_run: false, location: "", batches: 2,
    };
    const refusal = { fact: "Meta answered 401.", next_move: "Give another token." };
    show([{ ...planned, stands: "refused", delivery, refusal }]);
    expect(place().getByText("Refused")).toBeTruthy();
    expect(place().getByText("Meta answered 401.")).toBeTruthy();
    expect(place().getByText(/Give another token/)).toBeTruthy();
    expect(place().getByRole("status").textContent).toBe("300 people had been taken when it broke off.");
    expect(place().getByText(/1,234 people would leave/)).toBeTruthy();
  });

  it("ask anew whether they shall leave when others would", () => {
    const model = show([planned]);
    fireEvent.input(field(/Access token/), { target: { value: "s3cret" } });
    fireEvent.click(place().getByRole("checkbox"));
    const plan = planned.plan && { ...planned.plan, rows: 99, digest: "0aa1" };
    act(() => model.sync({ ...exported, destinations: [{ ...planned, plan }] }));
    expect(place().getByRole<HTMLInputElement>("checkbox").checked).toBe(false);
    expect(place().getByText("Send 99 people to Meta Custom Audiences now")).toBeTruthy();
    expect(field(/Access token/).value).toBe("");
  });

  it("keep what was typed when the audience changes", () => {
    const model = show([{ ...fresh, options: {} }]);
    fireEvent.input(field(/^Audience id/), { target: { value: "77" } });
    act(() => model.sync({ ...exported, destinations: [planned] }));
    act(() => model.sync({ ...exported, destinations: [fresh] }));
    expect(place().getByText("Not checked")).toBeTruthy();
    expect(field(/^Audience id/).value).toBe("77");
    expect(place().queryByText(/have changed/)).toBeNull();
  });

  it("write rows of a payload on one line each, and texts as they are", () => {
    const payload = { n: [1, 2], data: [["8957cd…", "a\\"], ["1\n,  \"]", ""]] };
    const text = written(payload);
    expect(text).toContain('    ["8957cd…", "a\\\\"],\n    ["1\\n,  \\"]", ""]\n');
    expect(JSON.parse(text)).toEqual(payload);
    expect(written("a\nb")).toBe("a\nb");
  });

  it("need no token where a file is written", () => {
    const model = show([{ ...planned, name: "meta", title: "Meta Custom file", takes_token: false, needs_token: false }]);
    expect(place().queryByLabelText(/token/)).toBeNull();
    fireEvent.click(place().getByLabelText("Write 1,234 people to a file now"));
    fireEvent.click(button("Write now"));
    expect(model.last().arguments).toMatchObject({ stage: "send", token: "", confirm: true });
  });

  it("refuse where the data type does", () => {
    const data_types = exported.data_types.map((t) => ({ ...t, refuses: [...t.refuses, "distribute"] }));
    show([fresh], { data_types });
    expect(screen.getByText(/lets nothing be sent/)).toBeTruthy();
    expect(screen.queryByText("Meta Custom Audiences")).toBeNull();
    cleanup();
    const subtypes = exported.data_types[0]?.subtypes.map((s) => ({ ...s, refuses: ["distribute"] }));
    const [first, ...rest] = exported.data_types;
    if (!first || !subtypes) throw new Error("no data type");
    show([fresh], { data_types: [{ ...first, subtypes }, ...rest] });
    expect(screen.getByText(/lets nothing be sent/).textContent).toContain("identify people otherwise");
  });

  it("tell a failure where it happened", () => {
    const model = show([fresh]);
    fireEvent.input(field(/^Audience id/), { target: { value: "x" } });
    fireEvent.click(button("Check"));
    model.emit({ id: model.last().id, error: { fact: "It has no list x.", next_move: "Name another." } });
    return screen.findByText("It has no list x.").then((text) => {
      expect(text.closest("li")).toBe(screen.getByText(/^Meta Custom/).closest("li"));
    });
  });

  it("have no fault that axe finds", async () => {
    show([file, checked, { ...planned, name: "tiktok", title: "TikTok" }]);
    const { violations } = await axe.run(document.querySelector(".anb-destinations") as Element);
    expect(violations.map((v) => v.id)).toEqual([]);
  });
});
