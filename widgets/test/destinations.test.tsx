// @vitest-environment happy-dom
import { cleanup, fireEvent, render, screen, within } from "@testing-library/preact";
import axe from "axe-core";
import { afterEach, describe, expect, it } from "vitest";
import { App } from "../src/App";
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
  needs_token: true,
  stands: "not checked",
  options: {},
  findings: null,
  plan: null,
  delivery: null,
};
const file: Destination = { ...fresh, name: "file", title: "a file", asks: [], needs_token: false };
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
  for (const part of document.querySelectorAll<HTMLDetailsElement>(".anb-destinations, .anb-destinations details"))
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
    expect(place().queryByLabelText(/token/)).toBeNull();
  });

  it("send only with a token and a tick, and forget the token", () => {
    const model = show([planned]);
    expect(place().getByText(/1,234 rows would leave/)).toBeTruthy();
    expect(place().getByText(/10 no consent/)).toBeTruthy();
    expect(place().getByText(/8957cd…/)).toBeTruthy();
    const send = button("Send");
    fireEvent.click(send);
    fireEvent.click(place().getByRole("checkbox"));
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
    expect(place().getByText("1,200 rows sent.")).toBeTruthy();
    expect(place().getByText(/34 rows were there before/)).toBeTruthy();
    cleanup();
    show([{ ...planned, stands: "tried", delivery: { ...delivery, dry_run: true } }]);
    expect(place().getByText(/Nothing left/)).toBeTruthy();
  });

  it("refuse where the data type does", () => {
    const data_types = exported.data_types.map((t) => ({ ...t, refuses: [...t.refuses, "distribute"] }));
    show([fresh], { data_types });
    expect(screen.getByText(/lets nothing be sent/)).toBeTruthy();
    expect(screen.queryByText("Meta Custom Audiences")).toBeNull();
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
