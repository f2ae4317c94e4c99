// The line to the kernel: requests and answers, one verb at a time, no stale answer, no silence.
import type { Answer, Found, Problem, Progress, Verb } from "./snapshot";

/** The part of an anywidget model that the line needs. */
export interface Wire {
  send(content: unknown): void;
  on(event: "msg:custom", callback: (message: Answer) => void): void;
  off(event?: "msg:custom" | null, callback?: ((message: Answer) => void) | null): void;
}

export interface LinkState {
  /** The verb under way, if any; further clicks are ignored until it is answered. */
  pending: Verb | null;
  progress: Progress | null;
  problem: (Problem & { verb: Verb | null }) | null;
  found: Found[];
  finding: boolean;
  /** What was just ticked, until the kernel's own list says so. */
  ticked: string[] | null;
  picked: number[] | null;
}

interface Request {
  id: string;
  verb: Verb;
}

export const SILENCE_MS = 20_000;
export const TYPING_MS = 150;
const SILENT: Problem = {
  fact: "The kernel does not answer.",
  next_move:
    "If a cell is running, wait for it to end. Otherwise restart the kernel and run this cell again.",
};

// Ticks change a list that the next message may replace at once; other verbs must not run twice.
const LISTS = { select: "codes", pick: "segments" } as const;
type ListVerb = keyof typeof LISTS;

export class Link {
  state: LinkState = {
    pending: null,
    progress: null,
    problem: null,
    found: [],
    finding: false,
    ticked: null,
    picked: null,
  };

  private readonly prefix = Math.random().toString(36).slice(2, 8);
  private counter = 0;
  private request: Request | null = null;
  private lastFind = "";
  private readonly lists: Record<ListVerb, { inFlight: string | null; waiting: unknown[] | null }> = {
    select: { inFlight: null, waiting: null },
    pick: { inFlight: null, waiting: null },
  };
  private silence: ReturnType<typeof setTimeout> | undefined;
  private typing: ReturnType<typeof setTimeout> | undefined;
  private readonly watchers = new Set<() => void>();
  private readonly listener = (message: Answer) => this.receive(message);

  constructor(private readonly wire: Wire) {
    wire.on("msg:custom", this.listener);
  }

  close(): void {
    this.wire.off("msg:custom", this.listener);
    clearTimeout(this.silence);
    clearTimeout(this.typing);
    this.watchers.clear();
  }

  subscribe(watcher: () => void): () => void {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  }

  /** Send a verb, unless one is under way. Tells whether it was sent. */
  perform(verb: Verb, args: Record<string, unknown> = {}): boolean {
    if (this.request) {
      // Drawn again, a radio button that was clicked meanwhile shows what holds.
      this.set({});
      return false;
    }
    this.request = { id: this.nextId(), verb };
    this.set({ pending: verb, progress: null, problem: null });
    this.watchSilence();
    this.send(this.request.id, verb, args);
    return true;
  }

  /** Ask the kernel to stop the verb under way. */
  cancel(): void {
    if (this.request) this.send(this.nextId(), "cancel", {});
  }

  /** Tick exactly these variables. Quick ticks are never lost: the last list wins. */
  select(codes: string[]): void {
    this.set({ ticked: codes });
    this.sendList("select", codes);
  }

  /** Put exactly these segments in the audience. */
  pick(segments: number[]): void {
    this.set({ picked: segments });
    this.sendList("pick", segments);
  }

  /** Look variables up as someone types. */
  find(text: string, limit = 8): void {
    clearTimeout(this.typing);
    // Whatever is still on its way answers an older question.
    this.lastFind = "";
    if (!text.trim()) {
      this.set({ found: [], finding: false });
      return;
    }
    this.set({ finding: true });
    this.typing = setTimeout(() => {
      this.lastFind = this.nextId();
      this.watchSilence();
      this.send(this.lastFind, "find", { text: text.slice(0, 200), limit });
    }, TYPING_MS);
  }

  dismiss(): void {
    this.set({ problem: null });
  }

  receive(message: Answer): void {
    if (message === null || typeof message !== "object") return;
    // Anything heard, even a late answer, shows that the kernel lives.
    clearTimeout(this.silence);
    if (this.state.problem?.fact === SILENT.fact) this.set({ problem: null });
    this.take(message);
    if (this.waiting()) this.watchSilence();
  }

  private take(message: Answer): void {
    const { id } = message;
    if (message.progress) {
      this.set({ progress: message.progress });
      return;
    }
    if (id === undefined) return;
    if (id === this.lastFind) {
      if (message.found) this.set({ found: message.found, finding: false });
      else if (message.error) this.set({ found: [], finding: false });
      return;
    }
    for (const verb of ["select", "pick"] as const) {
      if (id === this.lists[verb].inFlight) {
        this.answerList(verb, message);
        return;
      }
    }
    if (id !== this.request?.id) return;
    const { verb } = this.request;
    this.request = null;
    this.set({
      pending: null,
      progress: null,
      problem: message.error ? { ...message.error, verb } : null,
    });
  }

  private sendList(verb: ListVerb, values: unknown[]): void {
    const list = this.lists[verb];
    if (list.inFlight) {
      list.waiting = values;
      return;
    }
    list.inFlight = this.nextId();
    if (this.state.problem) this.set({ problem: null });
    this.watchSilence();
    this.send(list.inFlight, verb, { [LISTS[verb]]: values });
  }

  private answerList(verb: ListVerb, message: Answer): void {
    const list = this.lists[verb];
    const { waiting } = list;
    list.inFlight = null;
    list.waiting = null;
    if (message.error) {
      this.set({
        ...(verb === "select" ? { ticked: null } : { picked: null }),
        problem: { ...message.error, verb },
      });
    } else if (waiting) {
      this.sendList(verb, waiting);
    } else {
      // The snapshot that came before this answer holds the list.
      this.set(verb === "select" ? { ticked: null } : { picked: null });
    }
  }

  private waiting(): boolean {
    return Boolean(
      this.request || this.lists.select.inFlight || this.lists.pick.inFlight || this.state.finding,
    );
  }

  private send(id: string, verb: Verb, args: Record<string, unknown>): void {
    try {
      this.wire.send({ id, verb, arguments: args });
    } catch {
      // The line is cut, as after a restart of the kernel: no need to wait for an answer.
      this.giveUp();
    }
  }

  private watchSilence(): void {
    clearTimeout(this.silence);
    this.silence = setTimeout(() => this.giveUp(), SILENCE_MS);
  }

  private giveUp(): void {
    clearTimeout(this.silence);
    this.request = null;
    this.lastFind = "";
    for (const verb of ["select", "pick"] as const) {
      this.lists[verb] = { inFlight: null, waiting: null };
    }
    this.set({
      pending: null,
      progress: null,
      finding: false,
      ticked: null,
      picked: null,
      problem: { ...SILENT, verb: null },
    });
  }

  private nextId(): string {
    this.counter += 1;
    return `${this.prefix}-${this.counter}`;
  }

  private set(changes: Partial<LinkState>): void {
    this.state = { ...this.state, ...changes };
    for (const watcher of this.watchers) watcher();
  }
}
