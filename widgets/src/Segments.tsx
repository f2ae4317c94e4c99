import { count, percent } from "./format";
import type { Link, LinkState } from "./link";
import { SegmentCard } from "./SegmentCard";
import type { Segmentation, Snapshot } from "./snapshot";

interface Props {
  link: Link;
  state: LinkState;
  segmentation: Segmentation;
}

/** One card for each segment. */
export function Segments({ link, state, segmentation }: Props) {
  const { segments } = segmentation;
  const picked = state.picked ?? segments.filter((s) => s.picked).map((s) => s.id);
  return (
    <ul class="anb-segment-grid" aria-label="Segments">
      {segments.map((segment) => (
        <li key={segment.id}>
          <SegmentCard
            link={link}
            state={state}
            segment={segment}
            picked={picked.includes(segment.id)}
            onPick={(on) =>
              link.pick(on ? [...picked, segment.id] : picked.filter((id) => id !== segment.id))
            }
          />
        </li>
      ))}
    </ul>
  );
}

/** What was cut, within which limits, and how to read it. */
export function SegmentsSummary({
  segmentation,
  loaded,
}: {
  segmentation: Segmentation;
  loaded: Snapshot["loaded"];
}) {
  const { bounds } = segmentation;
  return (
    <div class="anb-summary">
      <p>
        <strong>{segmentation.n_segments} segments</strong> of {count(segmentation.n_records)}{" "}
        records, each between {count(bounds.smallest)} and {count(bounds.largest)} (
        {percent(bounds.min_share)} to {percent(bounds.max_share)}).
      </p>
      <p class="anb-note">
        Their number: {segmentation.chosen_by}. An index of 100 is the average of all records; 150
        is half as much again.
      </p>
      {loaded?.dropped && loaded.dropped.length > 0 && (
        <p class="anb-note">
          Left out: {loaded.dropped.map((d) => `${count(d.count)} (${d.reason})`).join(", ")}.
        </p>
      )}
      {[...(loaded?.notes ?? []), ...(segmentation.notes ?? [])].map((note) => (
        <p key={note} class="anb-note">
          {note}
        </p>
      ))}
    </div>
  );
}
