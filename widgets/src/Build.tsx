import { useEffect, useState } from "preact/hooks";
import { capital, count, percent, possibleSegments } from "./format";
import { useUniqueId } from "./hooks";
import type { Link, LinkState } from "./link";
import type { Snapshot } from "./snapshot";

interface Props {
  link: Link;
  state: LinkState;
  snapshot: Snapshot;
  selected: number;
}

// 7 and not 7.000000000000001, which is what 0.07 * 100 is.
const asPercent = (share: number) => String(Number((share * 100).toFixed(4)));

/** How many segments, how large, and the button that cuts them. */
export function Build({ link, state, snapshot, selected }: Props) {
  const id = useUniqueId();
  const rule = snapshot.size_rule ?? { n_segments: "auto" as const, min_share: 0.05, max_share: 0.1 };
  const [number, setNumber] = useState("");
  const [least, setLeast] = useState("5");
  const [most, setMost] = useState("10");
  // The conversation can set them too ("8 segments, none above 15 %").
  useEffect(() => {
    setNumber(rule.n_segments === "auto" ? "" : String(rule.n_segments));
    setLeast(asPercent(rule.min_share));
    setMost(asPercent(rule.max_share));
  }, [rule.n_segments, rule.min_share, rule.max_share]);

  const minShare = Number(least) / 100;
  const maxShare = Number(most) / 100;
  const wanted = number.trim() === "" ? ("auto" as const) : Number(number);
  const records = snapshot.loaded?.records ?? snapshot.data.records;
  const wrong = !(least.trim() && most.trim() && minShare >= 0 && minShare <= maxShare && maxShare <= 1)
    ? "Give shares between 0 and 100 %, the smallest no larger than the largest."
    : wanted !== "auto" && !(Number.isInteger(wanted) && wanted >= 1)
      ? "Give a whole number of segments, or leave it empty."
      : "";
  const range = wrong ? null : possibleSegments(records, minShare, maxShare);
  const hint =
    wrong ||
    (range
      ? `${range[0] === range[1] ? range[0] : `${range[0]} to ${count(range[1])}`} segments are ` +
        `possible for ${count(records)} records between ${percent(minShare)} and ${percent(maxShare)}.`
      : `No number of segments can hold ${count(records)} records within these shares.`);
  const building = state.pending === "build";
  const blocked = state.pending !== null || selected === 0 || Boolean(wrong);

  return (
    <form
      class="anb-build"
      onSubmit={(event) => {
        event.preventDefault();
        if (!blocked) {
          link.perform("build", { n_segments: wanted, min_share: minShare, max_share: maxShare });
        }
      }}
    >
      <div class="anb-build-fields">
        <p class="anb-field">
          <label for={`${id}-number`}>Number of segments</label>
          <input
            id={`${id}-number`}
            type="number"
            min={1}
            step={1}
            placeholder="Automatic"
            value={number}
            aria-describedby={`${id}-hint`}
            onInput={(event) => setNumber(event.currentTarget.value)}
          />
        </p>
        <p class="anb-field">
          <label for={`${id}-least`}>Smallest share, %</label>
          <input
            id={`${id}-least`}
            type="number"
            min={0}
            max={100}
            step="any"
            value={least}
            aria-describedby={`${id}-hint`}
            onInput={(event) => setLeast(event.currentTarget.value)}
          />
        </p>
        <p class="anb-field">
          <label for={`${id}-most`}>Largest share, %</label>
          <input
            id={`${id}-most`}
            type="number"
            min={0}
            max={100}
            step="any"
            value={most}
            aria-describedby={`${id}-hint`}
            onInput={(event) => setMost(event.currentTarget.value)}
          />
        </p>
        <button
          type="submit"
          class={selected > 0 && !snapshot.segmentation ? "anb-primary" : ""}
          aria-disabled={blocked}
          aria-describedby={`${id}-hint`}
        >
          {building ? "Building…" : "Build segments"}
        </button>
      </div>
      <p id={`${id}-hint`} class="anb-note">
        {selected === 0 ? "Select at least one variable first. " : ""}
        {hint}
      </p>
      {building && (
        <div class="anb-progress">
          <progress aria-label="Building segments" max={1} value={state.progress?.fraction ?? 0} />
          <span role="status">{capital(state.progress?.stage || "starting")}</span>
          <button type="button" onClick={() => link.cancel()}>
            Cancel
          </button>
        </div>
      )}
    </form>
  );
}
