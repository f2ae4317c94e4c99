import { useState } from "preact/hooks";
import { plural } from "./format";
import { useUniqueId } from "./hooks";
import type { Link, LinkState } from "./link";
import type { Selected, Snapshot } from "./snapshot";

interface Props {
  link: Link;
  state: LinkState;
  snapshot: Snapshot;
}

/** What is sensitive among the selected variables, and the record of who allowed it and why. */
export function Sensitive({ link, state, snapshot }: Props) {
  const id = useUniqueId();
  const [reason, setReason] = useState("");
  const found = snapshot.selected.filter((s) => s.sensitive);
  if (found.length === 0) return null;
  const reasons = snapshot.allowed_sensitive;
  const allowed = found.filter((s) => s.code in reasons);
  const left = found.filter((s) => !(s.code in reasons));
  const blocked = state.pending !== null || reason.trim() === "";
  return (
    <div class="anb-sensitive" role="group" aria-labelledby={`${id}-title`}>
      <p id={`${id}-title`}>
        <strong>{plural(found.length, "sensitive variable")} selected</strong>
      </p>
      {allowed.length > 0 && (
        <p class="anb-note">
          Allowed on record: {allowed.map((s) => `${named(s)}, “${reasons[s.code]}”`).join("; ")}.
        </p>
      )}
      {left.length > 0 && (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            if (blocked) return;
            link.perform("allow_sensitive", { codes: left.map((s) => s.code), reason });
            setReason("");
          }}
        >
          <p class="anb-note">
            {left.map(named).join("; ")}. Segments may be cut by {left.length > 1 ? "them" : "it"},
            but names, descriptions and traits leave {left.length > 1 ? "them" : "it"} out, and such
            an audience is not distributed.
          </p>
          <p class="anb-field anb-field-row">
            <label for={`${id}-reason`}>Reason to allow {left.length > 1 ? "them" : "it"}</label>
            <input
              id={`${id}-reason`}
              type="text"
              maxLength={200}
              value={reason}
              onInput={(event) => setReason(event.currentTarget.value)}
            />
            <button type="submit" aria-disabled={blocked}>
              Allow on record
            </button>
          </p>
        </form>
      )}
    </div>
  );
}

const named = (s: Selected) => `${s.label} (${s.sensitive})`;
