// A stand-in for the kernel's end of the wire, and snapshots of a session at three moments.
import type { Host } from "@anywidget/types";
import type { Model } from "../src/hooks";
import type { Answer, ChartSpec, Snapshot } from "../src/snapshot";
import recorded from "./snapshot.json";

export const exported = recorded as Snapshot;

export const fresh: Snapshot = {
  ...exported,
  revision: 0,
  steps: exported.steps.map((step, place) => ({ ...step, state: place ? "waiting" : "current" })),
  messages: [],
  query: null,
  understood: null,
  index: null,
  suggestions: [],
  selected: [],
  loaded: null,
  segmentation: null,
  audience: null,
  export: null,
  undo: null,
};

export const asked: Snapshot = {
  ...exported,
  segmentation: null,
  audience: null,
  export: null,
  undo: "the question",
};

export interface Sent {
  id: string;
  verb: string;
  arguments: Record<string, unknown>;
}

type Listener = (message?: unknown) => void;

export class FakeModel {
  readonly sent: Sent[] = [];
  private readonly listeners = new Map<string, Set<Listener>>();
  private readonly traits: Record<string, unknown>;

  constructor(snapshot: Snapshot, charts: Record<string, ChartSpec> = {}) {
    this.traits = { snapshot, charts, _vega: "anywidget:vega" };
  }

  get(name: string): unknown {
    return this.traits[name];
  }

  send(content: unknown): void {
    this.sent.push(content as Sent);
  }

  on(event: string, listener: Listener): void {
    this.listeners.set(event, (this.listeners.get(event) ?? new Set()).add(listener));
  }

  off(event?: string | null, listener?: Listener | null): void {
    if (event && listener) this.listeners.get(event)?.delete(listener);
  }

  /** The kernel says something. */
  emit(answer: Answer): void {
    for (const listener of this.listeners.get("msg:custom") ?? []) listener(answer);
  }

  /** The kernel syncs a snapshot. */
  sync(snapshot: Snapshot): void {
    this.traits["snapshot"] = snapshot;
    for (const listener of this.listeners.get("change:snapshot") ?? []) listener();
  }

  /** The kernel syncs other charts. */
  chart(charts: Record<string, ChartSpec>): void {
    this.traits["charts"] = charts;
    for (const listener of this.listeners.get("change:charts") ?? []) listener();
  }

  /** The last message sent, which the kernel then grants. */
  grant(snapshot?: Snapshot): Sent {
    const last = this.last();
    if (snapshot) this.sync(snapshot);
    this.emit({ id: last.id, ok: true });
    return last;
  }

  last(): Sent {
    const last = this.sent.at(-1);
    if (!last) throw new Error("Nothing was sent.");
    return last;
  }

  asModel(): Model {
    return this as unknown as Model;
  }
}

export const drawn: {
  spec: ChartSpec;
  el: HTMLElement;
  choose: ((id: number) => void) | undefined;
}[] = [];

/** A host whose Vega runtime only notes what it was asked to draw. */
export const host = {
  getWidget: async () => ({
    exports: {
      draw: async (el: HTMLElement, spec: ChartSpec, choose?: (id: number) => void) => {
        drawn.push({ spec, el, choose });
        return () => {};
      },
    },
  }),
} as unknown as Host;
