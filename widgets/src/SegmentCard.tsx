import { useEffect, useRef, useState } from "preact/hooks";
import { count, percent } from "./format";
import { useUniqueId } from "./hooks";
import type { Link, LinkState } from "./link";
import type { Segment } from "./snapshot";

interface Props {
  link: Link;
  state: LinkState;
  segment: Segment;
  picked: boolean;
  onPick: (on: boolean) => void;
}

const HUES = 10;

/** Who a segment is, and whether it is in the audience. */
export function SegmentCard({ link, state, segment, picked, onPick }: Props) {
  const id = useUniqueId();
  const [editing, setEditing] = useState(false);
  const rename = useRef<HTMLButtonElement>(null);
  const close = () => {
    setEditing(false);
    // Focus must not fall back to the page when the input goes.
    requestAnimationFrame(() => rename.current?.focus());
  };
  // A name that the kernel refuses stays in its box, beside what is wrong with it.
  const saving = useRef(false);
  useEffect(() => {
    if (!saving.current || state.pending === "rename") return;
    saving.current = false;
    if (state.problem === null) close();
  }, [state]);
  return (
    <article class="anb-segment" data-picked={picked} aria-labelledby={`${id}-name`}>
      <header class="anb-segment-head">
        <span class="anb-segment-number">
          <span class="anb-dot" data-hue={(segment.id - 1) % HUES} aria-hidden="true" />
          <span class="anb-hidden">Segment </span>
          {segment.id}
        </span>
        <label class="anb-pick">
          <input
            type="checkbox"
            checked={picked}
            aria-label={`In the audience: ${segment.name}`}
            onChange={(event) => onPick(event.currentTarget.checked)}
          />
          <span aria-hidden="true">In the audience</span>
        </label>
      </header>
      <h4 id={`${id}-name`} class={editing ? "anb-hidden" : "anb-segment-name"}>
        {segment.name}
      </h4>
      {editing && (
        <NameInput
          name={segment.name}
          busy={state.pending !== null}
          onSave={(name) => {
            if (name === segment.name) close();
            else if (link.perform("rename", { segment: segment.id, name })) saving.current = true;
          }}
          onCancel={close}
        />
      )}
      <p class="anb-segment-size">
        <span>
          <strong>{count(segment.size)}</strong> records <span class="anb-soft">·</span>{" "}
          <strong>{percent(segment.share)}</strong>
        </span>
        {!editing && (
          <button
            ref={rename}
            type="button"
            class="anb-quiet anb-rename"
            aria-label={`Rename ${segment.name}`}
            onClick={() => setEditing(true)}
          >
            Rename
          </button>
        )}
      </p>
      {segment.traits.length > 0 ? (
        <table class="anb-traits">
          <caption class="anb-hidden">What sets {segment.name} apart</caption>
          <thead>
            <tr>
              <th scope="col">Sets it apart</th>
              <th scope="col">Index</th>
            </tr>
          </thead>
          <tbody>
            {segment.traits.slice(0, 4).map((trait, place) => (
              <tr key={place}>
                <td>{trait.text}</td>
                <td class="anb-figure">{trait.index === null ? "–" : count(trait.index)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      ) : (
        <p class="anb-note">Close to the base in every variable.</p>
      )}
      {segment.lifestyles.length > 0 && (
        <table class="anb-traits">
          <caption class="anb-hidden">Lifestyles of {segment.name}</caption>
          <thead>
            <tr>
              <th scope="col">Lifestyle</th>
              <th scope="col">Share</th>
              <th scope="col">Index</th>
            </tr>
          </thead>
          <tbody>
            {segment.lifestyles.map((lifestyle) => (
              <tr key={lifestyle.code}>
                <td>{lifestyle.name}</td>
                <td class="anb-figure">{percent(lifestyle.share)}</td>
                <td class="anb-figure">{count(lifestyle.index)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {segment.reading && <p class="anb-note">{segment.reading}</p>}
    </article>
  );
}

interface NameProps {
  name: string;
  busy: boolean;
  onSave: (name: string) => void;
  onCancel: () => void;
}

function NameInput({ name, busy, onSave, onCancel }: NameProps) {
  const id = useUniqueId();
  const [text, setText] = useState(name);
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => input.current?.select(), []);
  return (
    <form
      class="anb-name"
      onSubmit={(event) => {
        event.preventDefault();
        if (text.trim()) onSave(text.trim());
      }}
    >
      <label for={`${id}-name`} class="anb-hidden">
        Name of the segment
      </label>
      <input
        ref={input}
        id={`${id}-name`}
        type="text"
        maxLength={80}
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Escape") onCancel();
        }}
      />
      <button type="submit" aria-disabled={busy}>
        Save
      </button>
      <button type="button" class="anb-quiet" onClick={onCancel}>
        Cancel
      </button>
    </form>
  );
}
