import { useRef } from "preact/hooks";
import { count, dataTypeTitle, kindTitle } from "./format";
import { useUniqueId } from "./hooks";
import { type Link, type LinkState, type Question, questionOf } from "./link";
import type { Filters as Values, Snapshot, Suggestion } from "./snapshot";

interface Props {
  link: Link;
  state: LinkState;
  snapshot: Snapshot;
}

type Facet = keyof Values;

const NONE: Values = { kinds: [], sources: [], categories: [], availability: [] };
const FACETS: { name: Facet; title: string; of: (s: Suggestion) => string[] }[] = [
  { name: "kinds", title: "Kind", of: (s) => [s.kind] },
  { name: "sources", title: "Source", of: (s) => [s.source] },
  { name: "availability", title: "Also usable as", of: (s) => s.availability },
  { name: "categories", title: "Category", of: (s) => [s.category] },
];
// So few are all shown; of more only those that an answer to this question held.
const FEW = 6;

const textOf = (facet: Facet, value: string): string =>
  facet === "kinds" ? kindTitle(value) : facet === "availability" ? dataTypeTitle(value) : value;

/** Values of the filters that are on, in words. */
export function filtersOn(question: Question): string[] {
  return FACETS.flatMap(({ name }) => question[name].map((value) => textOf(name, value)));
}

export const unfiltered = (question: Question): Question => ({ ...question, ...NONE });

/** Which variables may answer: what is ticked here asks the same question again. */
export function Filters({ link, state, snapshot }: Props) {
  const question = state.asking ?? questionOf(snapshot);
  // What once stood here stays within reach while the question is the same.
  const seen = useRef({ text: "", values: new Set<string>() });
  if (!question) return null;
  if (seen.current.text !== question.text) {
    seen.current = { text: question.text, values: new Set() };
  }
  for (const { name, of } of FACETS) {
    for (const s of snapshot.suggestions) {
      for (const value of of(s)) seen.current.values.add(`${name}\0${value}`);
    }
  }
  const on = filtersOn(question);
  return (
    <div class="anb-filters" data-on={on.length > 0}>
      <details>
        <summary>
          <span class="anb-summary-title">Filters</span>
          <span class={on.length ? "" : "anb-soft"}>{on.join(", ") || "none"}</span>
        </summary>
        <div class="anb-facets">
          {FACETS.map((facet) => (
            <FacetBox
              key={facet.name}
              {...facet}
              chosen={question[facet.name]}
              options={snapshot.options[facet.name].filter(
                (value) => facet.name !== "availability" || value !== snapshot.data_type,
              )}
              suggestions={snapshot.suggestions}
              seen={seen.current.values}
              onChange={(values) => link.ask({ ...question, [facet.name]: values })}
            />
          ))}
        </div>
      </details>
      {on.length > 0 && (
        <button type="button" class="anb-quiet" onClick={() => link.ask(unfiltered(question))}>
          Clear filters
        </button>
      )}
    </div>
  );
}

interface FacetProps {
  name: Facet;
  title: string;
  of: (s: Suggestion) => string[];
  chosen: string[];
  options: string[];
  suggestions: Suggestion[];
  seen: ReadonlySet<string>;
  onChange: (values: string[]) => void;
}

function FacetBox({ name, title, of, chosen, options, suggestions, seen, onChange }: FacetProps) {
  const id = useUniqueId();
  const all = [...options, ...chosen.filter((value) => !options.includes(value))];
  if (all.length === 0 || (all.length === 1 && name !== "availability" && !chosen.length)) return null;
  const inSight = (value: string) =>
    options.length <= FEW || chosen.includes(value) || seen.has(`${name}\0${value}`);
  const boxes = all.filter(inSight);
  const others = all.filter((value) => !inSight(value)).sort();
  const held = (value: string) => suggestions.filter((s) => of(s).includes(value)).length;
  return (
    <fieldset class="anb-facet" data-facet={name}>
      <legend>{title}</legend>
      {boxes.map((value) => (
        <label key={value} class="anb-facet-value">
          <input
            type="checkbox"
            checked={chosen.includes(value)}
            onChange={(event) =>
              onChange(
                event.currentTarget.checked
                  ? [...chosen, value]
                  : chosen.filter((other) => other !== value),
              )
            }
          />
          <span class="anb-facet-text">{textOf(name, value)}</span>
          <span class="anb-soft">
            {count(held(value))}
            <span class="anb-hidden"> in the list</span>
          </span>
        </label>
      ))}
      {others.length > 0 && (
        <>
          <label for={`${id}-more`} class="anb-hidden">
            Another {title.toLowerCase()}
          </label>
          <select
            id={`${id}-more`}
            value=""
            onChange={(event) => {
              const { value } = event.currentTarget;
              if (value) onChange([...chosen, value]);
            }}
          >
            <option value="">Another of {count(all.length)} …</option>
            {others.map((value) => (
              <option key={value} value={value}>
                {textOf(name, value)}
              </option>
            ))}
          </select>
        </>
      )}
    </fieldset>
  );
}
