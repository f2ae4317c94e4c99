import { useEffect, useState } from "preact/hooks";
import { count, percent } from "./format";
import { useUniqueId } from "./hooks";
import type { Link, LinkState } from "./link";
import type { Comparison, Segment } from "./snapshot";

interface Props {
  link: Link;
  state: LinkState;
  segments: Segment[];
  comparison: Comparison | null;
}

const MOST_ROWS = 12;

/** Two segments side by side: what tells them apart, strongest first. */
export function Compare({ link, state, segments, comparison }: Props) {
  const id = useUniqueId();
  const compared = comparison?.segments.map((s) => s.id);
  const [first, setFirst] = useState(compared?.[0] ?? segments[0]?.id ?? 1);
  const [second, setSecond] = useState(compared?.[1] ?? segments[1]?.id ?? 2);
  // The conversation can compare too.
  useEffect(() => {
    if (compared?.[0] !== undefined) setFirst(compared[0]);
    if (compared?.[1] !== undefined) setSecond(compared[1]);
  }, [compared?.[0], compared?.[1]]);
  if (segments.length < 2) return null;
  const choose = (name: string, value: number, set: (id: number) => void) => (
    <p class="anb-field">
      <label for={`${id}-${name}`}>{name}</label>
      <select
        id={`${id}-${name}`}
        value={String(value)}
        onChange={(event) => set(Number(event.currentTarget.value))}
      >
        {segments.map((segment) => (
          <option key={segment.id} value={String(segment.id)}>
            {segment.id} {segment.name}
          </option>
        ))}
      </select>
    </p>
  );
  const same = first === second;
  const [left, right] = comparison?.segments ?? [];

  return (
    <details class="anb-compare" open={comparison !== null}>
      <summary>Compare two segments</summary>
      <form
        class="anb-compare-fields"
        onSubmit={(event) => {
          event.preventDefault();
          if (!same) link.perform("compare", { segments: [first, second] });
        }}
      >
        {choose("One segment", first, setFirst)}
        {choose("Another segment", second, setSecond)}
        <button type="submit" aria-disabled={same || state.pending !== null}>
          {state.pending === "compare" ? "Comparing…" : "Compare"}
        </button>
      </form>
      {comparison && left && right && (
        <div class="anb-scroll" tabIndex={0} role="region" aria-labelledby={`${id}-caption`}>
          <table class="anb-traits anb-compared">
            <caption id={`${id}-caption`}>
              {left.name} ({count(left.size)}, {percent(left.share)}) beside {right.name} (
              {count(right.size)}, {percent(right.share)}), the strongest differences first
            </caption>
            <thead>
              <tr>
                <th scope="col">Variable</th>
                <th scope="col">Segment {left.id}</th>
                <th scope="col">Segment {right.id}</th>
                <th scope="col">Index {left.id}</th>
                <th scope="col">Index {right.id}</th>
              </tr>
            </thead>
            <tbody>
              {comparison.rows.slice(0, MOST_ROWS).map((row) => (
                <tr key={`${row.code} ${row.level}`}>
                  <td>{row.label}</td>
                  {row.texts.map((text, place) => (
                    <td key={place} class="anb-figure">
                      {text}
                    </td>
                  ))}
                  {row.indexes.map((index, place) => (
                    <td key={place} class="anb-figure">
                      {index === null ? "–" : count(index)}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </details>
  );
}
