// The line to the kernel: requests and answers, one verb at a time, no stale answer, no silence.
import type { Answer, Filters, Found, IndexState, Problem, Progress, Snapshot, Verb } from "./snapshot";

/** The part of an anywidget model that the line needs. */
export interface Wire {
  send(content: unknown): void;
  on(event: "msg:custom", callback: (message: Answer) => void): void;
  off(event?: "msg:custom" | null, callback?: ((message: Answer) => void) | null): void;
}

/** A question with everything that goes with its words. */
export interface Question extends Filters {
  text: string;
  limit: number;
  intents: string[] | null;
}

/** The question that a snapshot answers; null before the first. */
export function questionOf(snapshot: Snapshot): Question | null {
  if (snapshot.query === null) return null;
  const { query: text, limit, intents, filters } = snapshot;
  return { text, limit, intents, ...filters };
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
  /** The question that was just changed, until its answer is there. */
  asking: Question | null;
  /** Python that gives the same audience, once asked for. */
  code: string | null;
  /** How far the index is, if it was told since the last snapshot. */
  index: IndexState | null;
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
    "If a cell is running, wait for it to end. Otherwise run this cell again; a builder made with " +
    "path=… goes on by AudienceBuilder.resume(path).",
};

// What the next message may replace at once, and where it is shown until the kernel has taken it;
// other verbs must not run twice.
const SETTINGS = { select: "ticked", pick: "picked", ask: "asking" } as const;
type Setting = keyof typeof SETTINGS;
const SETTING_VERBS = Object.keys(SETTINGS) as Setting[];

interface Sending {
  inFlight: string | null;
  waiting: Record<string, unknown> | null;
}

export class Link {
  state: LinkState = {
    pending: null,
    progress: null,
    problem: null,
    found: [],
    finding: false,
    ticked: null,
    picked: null,
    asking: null,
    code: null,
    index: null,
  };

  private readonly prefix = Math.random().toString(36).slice(2, 8);
  private counter = 0;
  private request: Request | null = null;
  private lastFind = "";
  private lastCode = "";
  private readonly settings: Record<Setting, Sending> = {
    select: { inFlight: null, waiting: null },
    pick: { inFlight: null, waiting: null },
    ask: { inFlight: null, waiting: null },
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
    // What was just ticked or picked goes first: the kernel takes messages in their order.
    for (const setting of SETTING_VERBS) {
      const sending = this.settings[setting];
      const { waiting } = sending;
      if (!waiting) continue;
      sending.inFlight = this.nextId();
      sending.waiting = null;
      this.send(sending.inFlight, setting, waiting);
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
    this.sendSetting("select", { codes });
  }

  /** Put exactly these segments in the audience. */
  pick(segments: number[]): void {
    this.set({ picked: segments });
    this.sendSetting("pick", { segments });
  }

  /** Ask again with other filters or intents. Of several quick changes the last wins. */
  ask(question: Question): void {
    this.set({ asking: question });
    this.sendSetting("ask", { ...question });
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

  /** Ask for Python that gives the same audience. */
  code(): void {
    this.lastCode = this.nextId();
    this.watchSilence();
    this.send(this.lastCode, "code", {});
  }

  /** Put the code away: it holds for the moment it was asked for. */
  forgetCode(): void {
    this.lastCode = "";
    this.set({ code: null });
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
    if (message.index) this.set({ index: message.index });
    if (id === undefined) return;
    if (id === this.lastFind) {
      if (message.found) this.set({ found: message.found, finding: false });
      else if (message.error) this.set({ found: [], finding: false });
      return;
    }
    if (id === this.lastCode) {
      this.lastCode = "";
      if (message.code !== undefined) this.set({ code: message.code });
      else if (message.error) this.set({ problem: { ...message.error, verb: "code" } });
      return;
    }
    for (const verb of SETTING_VERBS) {
      if (id === this.settings[verb].inFlight) {
        this.answerSetting(verb, message);
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

  private sendSetting(verb: Setting, args: Record<string, unknown>): void {
    const sending = this.settings[verb];
    if (sending.inFlight) {
      sending.waiting = args;
      return;
    }
    sending.inFlight = this.nextId();
    if (this.state.problem) this.set({ problem: null });
    this.watchSilence();
    this.send(sending.inFlight, verb, args);
  }

  private answerSetting(verb: Setting, message: Answer): void {
    const sending = this.settings[verb];
    const { waiting } = sending;
    sending.inFlight = null;
    sending.waiting = null;
    if (message.error) {
      this.set({ [SETTINGS[verb]]: null, problem: { ...message.error, verb } });
    } else if (waiting) {
      this.sendSetting(verb, waiting);
    } else {
      // The snapshot that came before this answer holds it.
      this.set({ [SETTINGS[verb]]: null });
    }
  }

  private waiting(): boolean {
    return Boolean(
      this.request ||
        this.state.finding ||
        this.lastCode ||
        SETTING_VERBS.some((verb) => this.settings[verb].inFlight),
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
    this.lastCode = "";
    for (const verb of SETTING_VERBS) this.settings[verb] = { inFlight: null, waiting: null };
    this.set({
      pending: null,
      progress: null,
      finding: false,
      ticked: null,
      picked: null,
      asking: null,
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
