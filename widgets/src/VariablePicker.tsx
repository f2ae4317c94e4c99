import { useMemo, useState } from "preact/hooks";
import { Filters, filtersOn, unfiltered } from "./Filters";
import { capital, kindTitle, plural } from "./format";
import { useUniqueId } from "./hooks";
import { type Link, type LinkState, type Question, questionOf } from "./link";
import { PartsLegend, ScoreBar, orderedParts, sumOf, widths } from "./ScoreBar";
import type { Found, Selected, Snapshot, Suggestion } from "./snapshot";
import { TypeAhead } from "./TypeAhead";

interface Props {
  link: Link;
  state: LinkState;
  snapshot: Snapshot;
}

type Row = Suggestion | Selected;

const isSuggestion = (row: Row): row is Suggestion => "score" in row;

/** Everything that can be ticked: suggestions, then what was added by hand, ticked or not. */
export function rowsOf(snapshot: Snapshot, added: ReadonlyMap<string, Selected>): Row[] {
  const suggested = new Set(snapshot.suggestions.map((s) => s.code));
  const others = new Map<string, Selected>();
  for (const row of [...added.values(), ...snapshot.selected]) {
    if (!suggested.has(row.code)) others.set(row.code, row);
  }
  return [...snapshot.suggestions, ...others.values()];
}

/** Rows by kind, kinds in the order of their best row. */
export function grouped(rows: Row[]): [string, Row[]][] {
  const groups = new Map<string, Row[]>();
  for (const row of rows) groups.set(row.kind, [...(groups.get(row.kind) ?? []), row]);
  return [...groups];
}

export function VariablePicker({ link, state, snapshot }: Props) {
  const id = useUniqueId();
  const [filter, setFilter] = useState("");
  // What was added by hand stays in the list when it is unticked, until another question.
  const [added, setAdded] = useState<{ query: string | null; rows: Map<string, Selected> }>({
    query: snapshot.query,
    rows: new Map(),
  });
  const kept = added.query === snapshot.query ? added.rows : new Map<string, Selected>();
  const ticked = useMemo(
    () => new Set(state.ticked ?? snapshot.selected.map((s) => s.code)),
    [state.ticked, snapshot.selected],
  );
  const rows = rowsOf(snapshot, kept);
  const question = state.asking ?? questionOf(snapshot);
  const words = filter.trim().toLowerCase();
  const shown = words ? rows.filter((row) => textOf(row).includes(words)) : rows;
  const drawn = snapshot.suggestions.flatMap((s) => widths(s.score, s.parts));
  const partNames = orderedParts(Object.fromEntries(drawn)).map(([name]) => name);

  const tick = (codes: string[], on: boolean) => {
    // Untick by hand keeps the row: remember those that no suggestion holds.
    const rowsByHand = new Map(kept);
    const suggested = new Set(snapshot.suggestions.map((s) => s.code));
    for (const row of snapshot.selected) {
      if (!suggested.has(row.code)) rowsByHand.set(row.code, row);
    }
    setAdded({ query: snapshot.query, rows: rowsByHand });
    const before = state.ticked ?? snapshot.selected.map((s) => s.code);
    link.select(
      on
        ? [...before, ...codes.filter((code) => !ticked.has(code))]
        : before.filter((code) => !codes.includes(code)),
    );
  };
  const add = (found: Found) => {
    const { code, label, kind, sensitive } = found;
    const row = { code, label, kind, sensitive };
    setAdded({ query: snapshot.query, rows: new Map(kept).set(row.code, row) });
    link.select([...(state.ticked ?? snapshot.selected.map((s) => s.code)), found.code]);
  };

  return (
    <div class="anb-picker">
      <TypeAhead
        link={link}
        state={state}
        variables={snapshot.data.variables}
        ticked={ticked}
        onAdd={add}
      />
      <div class="anb-picker-head">
        <div>
          <p role="status" class="anb-count">
            {state.asking
              ? "Searching…"
              : rows.length
                ? `${ticked.size} of ${plural(rows.length, "variable")} selected`
                : question
                  ? "No variable matches"
                  : "No variables yet"}
          </p>
          {partNames.length > 0 && <PartsLegend names={partNames} />}
        </div>
        {rows.length > 0 && (
          <p class="anb-field">
            <label for={`${id}-filter`}>Find in the list</label>
            <input
              id={`${id}-filter`}
              type="text"
              autocomplete="off"
              placeholder="Label, category, source"
              value={filter}
              onInput={(event) => setFilter(event.currentTarget.value)}
            />
          </p>
        )}
      </div>
      <Filters link={link} state={state} snapshot={snapshot} />
      {rows.length === 0 && !question && (
        <p class="anb-note">Describe the audience, or add a variable by its name.</p>
      )}
      {question && snapshot.suggestions.length === 0 && (
        <Nothing link={link} question={question} />
      )}
      {rows.length > 0 && shown.length === 0 && (
        <p class="anb-note">None of them matches “{filter}”. Clear the words to see them all.</p>
      )}
      <div class="anb-groups">
        {grouped(shown).map(([kind, members]) => (
          <Group key={kind} link={link} kind={kind} rows={members} ticked={ticked} onTick={tick} />
        ))}
      </div>
    </div>
  );
}

/** Says what to do where nothing was found. */
function Nothing({ link, question }: { link: Link; question: Question }) {
  const on = filtersOn(question);
  return on.length ? (
    <p class="anb-offer">
      <span>
        Nothing that answers “{question.text}” is within {on.join(", ")}.
      </span>
      <button type="button" onClick={() => link.ask(unfiltered(question))}>
        Ask without filters
      </button>
    </p>
  ) : (
    <p class="anb-note">
      Nothing answers “{question.text}”. Say in other words what these people are, do, own or think,
      or add a variable by its name.
    </p>
  );
}

interface GroupProps {
  link: Link;
  kind: string;
  rows: Row[];
  ticked: ReadonlySet<string>;
  onTick: (codes: string[], on: boolean) => void;
}

function Group({ link, kind, rows, ticked, onTick }: GroupProps) {
  const id = useUniqueId();
  const on = rows.filter((row) => ticked.has(row.code)).length;
  const all = on === rows.length;
  const title = kindTitle(kind);
  return (
    <div class="anb-group" role="group" aria-labelledby={`${id}-title`}>
      <div class="anb-group-head">
        <h4 id={`${id}-title`}>{title}</h4>
        <span class="anb-soft">
          {on} of {rows.length}
        </span>
        <button
          type="button"
          class="anb-quiet"
          aria-label={`${all ? "Deselect" : "Select"} all in ${title}`}
          onClick={() =>
            onTick(
              rows.map((row) => row.code),
              !all,
            )
          }
        >
          {all ? "Deselect all" : "Select all"}
        </button>
      </div>
      <ul class="anb-rows">
        {rows.map((row) => (
          <VariableRow
            // The row of a measure stays itself, whichever variant is chosen: focus stays in it.
            key={isSuggestion(row) ? `measure ${row.variants[0]?.code ?? row.code}` : row.code}
            link={link}
            row={row}
            on={ticked.has(row.code)}
            onTick={onTick}
          />
        ))}
      </ul>
    </div>
  );
}

interface RowProps {
  link: Link;
  row: Row;
  on: boolean;
  onTick: (codes: string[], on: boolean) => void;
}

function VariableRow({ link, row, on, onTick }: RowProps) {
  const id = useUniqueId();
  const [why, setWhy] = useState(false);
  const suggestion = isSuggestion(row) ? row : null;
  const several = suggestion !== null && suggestion.variants.length > 1;
  const name = several ? suggestion.measure : row.label;
  return (
    <li class="anb-row" data-on={on}>
      <input
        id={`${id}-tick`}
        type="checkbox"
        checked={on}
        onChange={(event) => onTick([row.code], event.currentTarget.checked)}
      />
      <label for={`${id}-tick`} class="anb-row-label">
        {name}
        {row.sensitive && <span class="anb-tag">Sensitive: {row.sensitive}</span>}
      </label>
      {several && <VariantChooser link={link} suggestion={suggestion} />}
      {suggestion ? (
        <>
          <ScoreBar score={suggestion.score} parts={suggestion.parts} />
          <button
            type="button"
            class="anb-quiet anb-why"
            aria-expanded={why}
            aria-controls={`${id}-why`}
            aria-label={`Why ${name}`}
            onClick={() => setWhy(!why)}
          >
            Why
          </button>
        </>
      ) : (
        <span class="anb-soft anb-by-hand">Added by you</span>
      )}
      {suggestion && (
        <div id={`${id}-why`} class="anb-reason" hidden={!why}>
          <p>{capital(suggestion.why)}</p>
          <p class="anb-soft">{sumOf(suggestion.score, suggestion.parts)}</p>
          <p class="anb-soft">
            {[suggestion.category, suggestion.unit, suggestion.source, suggestion.code]
              .filter(Boolean)
              .join(" · ")}
          </p>
        </div>
      )}
    </li>
  );
}

/** Which band, year or unit of a measure is meant. */
function VariantChooser({ link, suggestion }: { link: Link; suggestion: Suggestion }) {
  const { code, variants, measure } = suggestion;
  return (
    <span class="anb-variant">
      <select
        aria-label={`Variant of ${measure}`}
        value={code}
        onChange={(event) => {
          const { value } = event.currentTarget;
          if (value !== code) link.perform("swap", { code, with: value });
        }}
      >
        {variants.map((variant) => (
          <option key={variant.code} value={variant.code}>
            {variant.text}
          </option>
        ))}
      </select>
    </span>
  );
}

function textOf(row: Row): string {
  const more = isSuggestion(row) ? `${row.category} ${row.source}` : "";
  return `${row.label} ${row.code} ${more}`.toLowerCase();
}
