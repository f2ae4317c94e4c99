import { count } from "./format";
import { useUniqueId } from "./hooks";
import type { Link } from "./link";
import type { Snapshot } from "./snapshot";

interface Props {
  link: Link;
  snapshot: Snapshot;
}

/** Whose data it is, which decides what may be done with it. */
export function DataTypes({ link, snapshot }: Props) {
  const id = useUniqueId();
  const current = snapshot.data_types.find((t) => t.code === snapshot.data_type);
  const subtype = current?.subtypes.find((s) => s.code === snapshot.subtype);
  return (
    <details class="anb-datatypes" open={snapshot.query === null}>
      <summary>
        <span class="anb-summary-title">Data</span>
        <span class="anb-summary-value">
          {current?.title}
          {subtype && <span class="anb-soft">, by {subtype.title}</span>}
        </span>
      </summary>
      <fieldset class="anb-cards">
        <legend class="anb-hidden">Data type</legend>
        {snapshot.data_types.map((type) => (
          <label key={type.code} class="anb-card" data-chosen={type.code === snapshot.data_type}>
            <span class="anb-card-head">
              <input
                type="radio"
                name={`${id}-type`}
                aria-label={type.title}
                aria-describedby={`${id}-${type.code}`}
                checked={type.code === snapshot.data_type}
                onChange={() => link.perform("choose", { data_type: type.code })}
              />
              <strong>{type.title}</strong>
            </span>
            <span id={`${id}-${type.code}`} class="anb-card-body">
              <span>{type.description}</span>
              <span class="anb-rule">
                <span class="anb-rule-word">Allows</span> {type.allows.join(", ") || "nothing"}
              </span>
              <span class="anb-rule" data-refuses={type.refuses.length > 0}>
                <span class="anb-rule-word">Refuses</span> {type.refuses.join(", ") || "nothing"}
              </span>
            </span>
          </label>
        ))}
      </fieldset>
      {current && (
        <p class="anb-field anb-field-row">
          <label for={`${id}-subtype`}>Identified by</label>
          <select
            id={`${id}-subtype`}
            value={snapshot.subtype}
            onChange={(event) =>
              link.perform("choose", {
                data_type: snapshot.data_type,
                subtype: event.currentTarget.value,
              })
            }
          >
            {current.subtypes.map((s) => (
              <option key={s.code} value={s.code} disabled={!s.at_hand}>
                {s.at_hand ? s.title : `${s.title} (no column ${s.identifier})`}
              </option>
            ))}
          </select>
        </p>
      )}
      {subtype && subtype.refuses.length > 0 && (
        <p class="anb-note">
          {subtype.title} also refuses: {subtype.refuses.join(", ")}.
        </p>
      )}
      {subtype?.note && <p class="anb-note">{subtype.note}</p>}
      {snapshot.budget && (
        <p class="anb-note">
          Figures are about at least {count(snapshot.budget.minimum_count)} people and carry noise;{" "}
          {snapshot.budget.spent} of the privacy budget of {snapshot.budget.budget} is spent.
        </p>
      )}
    </details>
  );
}
