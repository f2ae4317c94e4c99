// What the kernel shows the view: the JSON that Session.perform returns, and the wire around it.

export type StepState = "done" | "current" | "waiting";

export interface Step {
  name: "describe" | "choose" | "segment" | "export";
  title: string;
  state: StepState;
}

export interface Subtype {
  code: string;
  title: string;
  identifier: string;
  /** Operations that it refuses beyond its data type. */
  refuses: string[];
  note: string;
  /** Whether the records have the identifier. */
  at_hand: boolean;
}

export interface DataType {
  code: string;
  title: string;
  description: string;
  allows: string[];
  refuses: string[];
  subtypes: Subtype[];
}

export interface Message {
  role: "user" | "assistant" | "error";
  text: string;
  next_move: string;
  /** What can be answered; each can be said as it is. */
  options?: string[];
}

/** Two segments, and what tells them apart, strongest first. */
export interface Comparison {
  segments: { id: number; name: string; size: number; share: number }[];
  rows: {
    code: string;
    label: string;
    level: string | null;
    texts: string[];
    indexes: (number | null)[];
  }[];
}

/** A variable as a search gives it. */
export interface Found {
  code: string;
  label: string;
  kind: string;
  category: string;
  source: string;
  unit: string;
  availability: string[];
  score: number;
  parts: Record<string, number>;
  why: string;
  /** Category of a sensitive variable. */
  sensitive: string | null;
}

/** One of several bands, years or units of a measure, named by what sets it apart. */
export interface Variant {
  code: string;
  text: string;
}

export interface Suggestion extends Found {
  selected: boolean;
  /** What its variants have in common. */
  measure: string;
  /** What sets the chosen one apart; "" where there is only one. */
  variant: string;
  variants: Variant[];
}

export interface Understood {
  concepts: { name: string; meaning: string }[];
  mended: { written: string; read: string }[];
  intents: { kind: string; because: string }[];
  note: string;
  /** Whether meanings were still being learnt when this was answered. */
  by_words: boolean;
}

export interface Filters {
  kinds: string[];
  sources: string[];
  categories: string[];
  availability: string[];
}

export interface IndexState {
  description: string;
  ready: boolean;
  /** Of the meanings, how much is learnt. */
  fraction: number;
  /** Whether answers go by meaning: not while it is learnt, nor where that failed. */
  by_meaning: boolean;
}

export interface Selected {
  code: string;
  label: string;
  kind: string;
  /** Category of a sensitive variable. */
  sensitive: string | null;
}

export interface Trait {
  label: string;
  text: string;
  index: number | null;
}

export interface Lifestyle {
  code: string;
  name: string;
  share: number;
  base_share: number;
  index: number;
}

export interface Segment {
  id: number;
  name: string;
  description: string;
  size: number;
  share: number;
  picked: boolean;
  traits: Trait[];
  lifestyles: Lifestyle[];
  diversity: number | null;
  /** How to read the lifestyles, in words. */
  reading?: string;
}

export interface Segmentation {
  n_records: number;
  n_segments: number;
  cost: number;
  bounds: { smallest: number; largest: number; min_share: number; max_share: number };
  chosen_by: string;
  notes?: string[];
  segments: Segment[];
}

export interface LookalikeFound {
  segments: number[];
  seed: string | null;
  n_seed: number;
  auc: number;
  method: string;
  left_out: number;
  shares: { share: number; people: number; captured: number | null; lift: number | null }[];
}

export interface PerformanceFound {
  outcome: string;
  /** Whether the outcome is a rate: yes and no. */
  rate: boolean;
  rows: {
    segment: number;
    name: string;
    count: number;
    mean: number | null;
    lift: number | null;
    difference: number | null;
    low: number | null;
    high: number | null;
    significant: boolean;
  }[];
}

/** What was found out about the segments: the last of each verb. */
export interface Insights {
  /** Squares of names by names; null where nothing may be shown. */
  overlap: { names: string[]; jaccard: (number | null)[][]; both: (number | null)[][] } | null;
  lookalike: LookalikeFound | null;
  size: {
    base: number;
    size: number;
    low: number;
    high: number;
    confidence: number;
    share: number;
  } | null;
  performance: PerformanceFound | null;
  held_out: number | null;
  change: {
    new: number;
    changed: number;
    gone: number;
    moved: number;
    verdict: "keep" | "watch" | "refit";
    reasons: string[];
    drift: { label: string; psi: number | null; finding: string }[];
  } | null;
  /** Whether single people may be scored or named. */
  rows: boolean;
  /** Columns that may be an outcome. */
  outcomes: string[];
  flagged: {
    segment: number;
    name: string;
    level: string;
    rule: string;
    source: string;
    what: string;
    alternative: string;
  }[];
}

/** One thing to know before an audience leaves. */
export interface Finding {
  level: "error" | "warning" | "info";
  code: string;
  message: string;
  rows_affected: number;
  fix: string;
}

/** How far one destination is with the audience as it stands. */
export interface Destination {
  name: string;
  title: string;
  /** Its options. */
  asks: { name: string; label: string; required: boolean }[];
  /** Whether a token can be given, and whether it must be; a file takes none. */
  takes_token: boolean;
  needs_token: boolean;
  stands: "not checked" | "problems" | "ready" | "planned" | "tried" | "sent" | "refused";
  /** As they were typed. */
  options: Record<string, string>;
  findings: Finding[] | null;
  plan: {
    method: string;
    endpoint: string;
    rows: number;
    rows_dropped: Record<string, number>;
    batches: { count: number; largest: number };
    /** Identifiers are cut short. */
    first_payload: unknown;
    digest: string;
    retention_days: number | null;
    allowed: boolean;
  } | null;
  delivery: {
    rows_sent: number;
    rows_before: number;
    rows_dropped: Record<string, number>;
    dry_run: boolean;
    location: string;
    batches: number;
  } | null;
  /** Why the last sending was refused or broke off. */
  refusal: Problem | null;
}

export interface SizeRule {
  n_segments: number | "auto";
  min_share: number;
  max_share: number;
}

export interface Snapshot {
  revision: number;
  steps: Step[];
  data: { name: string; records: number; variables: number; demo: boolean };
  data_type: string;
  subtype: string;
  minimum_count: number;
  data_types: DataType[];
  messages: Message[];
  query: string | null;
  limit: number;
  understood: Understood | null;
  /** What was set by hand; null for what the question itself shows. */
  intents: string[] | null;
  filters: Filters;
  options: Filters;
  index: IndexState | null;
  suggestions: Suggestion[];
  selected: Selected[];
  /** Sensitive variables that somebody allowed, each with the reason given. */
  allowed_sensitive: Record<string, string>;
  /** What a clean room has spent of its privacy budget. */
  budget: { minimum_count: number; spent: number; budget: number } | null;
  loaded: {
    records: number;
    variables: number;
    notes: string[];
    dropped?: { reason: string; count: number }[];
  } | null;
  size_rule?: SizeRule;
  segmentation: Segmentation | null;
  audience: { name: string; segments: number[]; size: number; share: number } | null;
  export: { path: string; rows: number; columns: number; notes: string[] } | null;
  destinations?: Destination[];
  comparison?: Comparison | null;
  insights?: Insights | null;
  /** Its name, where one is asked for. */
  language_model?: string | null;
  undo: string | null;
  redo?: string | null;
}

/** A Vega-Lite specification, which only the Vega runtime looks into. */
export type ChartSpec = Record<string, unknown>;

export type Verb =
  | "choose"
  | "say"
  | "ask"
  | "select"
  | "swap"
  | "build"
  | "pick"
  | "rename"
  | "allow_sensitive"
  | "export"
  | "undo"
  | "redo"
  | "compare"
  | "overlap"
  | "lookalike"
  | "predict_size"
  | "performance"
  | "hold_out"
  | "reword"
  | "export_lookalike"
  | "dispatch"
  | "find"
  | "code"
  | "cancel";

export interface Problem {
  fact: string;
  next_move: string;
}

export interface Progress {
  stage: string;
  fraction: number;
}

/** Kernel to view. */
export interface Answer {
  id?: string;
  ok?: true;
  error?: Problem;
  progress?: Progress;
  found?: Found[];
  code?: string;
  index?: IndexState;
}

/** The traits that the kernel syncs. */
export interface Traits {
  snapshot: Snapshot;
  charts: Record<string, ChartSpec>;
  _vega: string;
}
