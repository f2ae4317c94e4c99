import { useState } from "preact/hooks";
import { count, percent, plural } from "./format";
import { useUniqueId } from "./hooks";
import type { Link, LinkState } from "./link";
import type { Segmentation, Snapshot } from "./snapshot";

interface Props {
  link: Link;
  state: LinkState;
  snapshot: Snapshot;
  segmentation: Segmentation;
}

/** What leaves the house, and where it went. The file is written by the kernel, never downloaded:
 * the browser names it and learns its path. */
export function Export({ link, state, snapshot, segmentation }: Props) {
  const id = useUniqueId();
  const [name, setName] = useState("");
  const { segments } = segmentation;
  const picked = state.picked ?? segments.filter((s) => s.picked).map((s) => s.id);
  // No pick at all means everyone.
  const chosen = picked.length ? segments.filter((s) => picked.includes(s.id)) : segments;
  const size = chosen.reduce((sum, s) => sum + s.size, 0);
  const type = snapshot.data_types.find((t) => t.code === snapshot.data_type);
  const refused = type?.refuses.includes("export rows") ?? false;
  const blocked = refused || state.pending !== null;
  const written = snapshot.export;

  return (
    <form
      class="anb-export"
      onSubmit={(event) => {
        event.preventDefault();
        if (!blocked) link.perform("export", name.trim() ? { name: name.trim() } : {});
      }}
    >
      <p class="anb-audience" role="status">
        <span class="anb-audience-size">{count(size)}</span>
        <span>
          {plural(size, "record").replace(/^\S+ /, "")} in{" "}
          {picked.length ? `${picked.length} of ${segments.length}` : `all ${segments.length}`}{" "}
          segments, {percent(size / segmentation.n_records)} of the base
        </span>
      </p>
      <div class="anb-export-fields">
        <p class="anb-field">
          <label for={`${id}-name`}>File name</label>
          <span class="anb-stem">
            <input
              id={`${id}-name`}
              type="text"
              autocomplete="off"
              maxLength={80}
              placeholder="From the question"
              value={name}
              disabled={refused}
              onInput={(event) => setName(event.currentTarget.value)}
            />
            <span class="anb-soft">.csv</span>
          </span>
        </p>
        <button type="submit" class={refused ? "" : "anb-primary"} aria-disabled={blocked}>
          {state.pending === "export" ? "Writing…" : "Export CSV"}
        </button>
      </div>
      {refused && (
        <p class="anb-note">
          {type?.title} lets no rows out. The figures above may be used; to export rows, choose first
          party or third party data.
        </p>
      )}
      <div role="status">
        {written && (
          <div class="anb-written">
            <p>
              <strong>Written to</strong> <code>{written.path}</code>
            </p>
            <p class="anb-soft">
              {plural(written.rows, "row")}, {plural(written.columns, "column")}, in the folder of
              this kernel. <code>Audience.read_csv</code> reads it back.
            </p>
            {written.notes.map((note) => (
              <p key={note} class="anb-soft">
                {note}
              </p>
            ))}
          </div>
        )}
      </div>
    </form>
  );
}
