import { kindTitle } from "./format";
import { useUniqueId } from "./hooks";
import { type Link, type LinkState, questionOf } from "./link";
import type { Snapshot } from "./snapshot";

interface Props {
  link: Link;
  state: LinkState;
  snapshot: Snapshot;
}

const sameSet = (a: string[], b: string[]) => a.length === b.length && a.every((x) => b.includes(x));

/** What the question was taken to say, and which kinds of variables are looked for first. */
export function Understood({ link, state, snapshot }: Props) {
  const id = useUniqueId();
  const { understood, options } = snapshot;
  const question = state.asking ?? questionOf(snapshot);
  if (!understood || !question) return null;
  const readings = [
    ...understood.concepts.map((c) => [c.name, c.meaning]),
    ...understood.mended.map((m) => [m.written, m.read]),
  ];
  const detected = understood.intents.map((i) => i.kind);
  const on = question.intents ?? detected;
  const toggle = (kind: string) => {
    const next = on.includes(kind) ? on.filter((k) => k !== kind) : [...on, kind];
    // Back at what the question shows, nothing is overridden.
    link.ask({ ...question, intents: sameSet(next, detected) ? null : next });
  };
  return (
    <div class="anb-understood">
      <p class="anb-asked">“{question.text}”</p>
      {understood.note && <p class="anb-note">{understood.note}</p>}
      {readings.length > 0 && (
        <p class="anb-note">
          Understood:{" "}
          {readings.map(([said, meant], place) => (
            <span key={place}>
              {place > 0 && "; "}
              {said} → <span class="anb-meant">{meant}</span>
            </span>
          ))}
        </p>
      )}
      {options.kinds.length > 1 && (
        <div class="anb-intents" role="group" aria-labelledby={`${id}-intents`}>
          <span id={`${id}-intents`} class="anb-note">
            Looks first for
          </span>
          {options.kinds.map((kind) => {
            const shown = understood.intents.find((i) => i.kind === kind);
            return (
              <button
                key={kind}
                type="button"
                class="anb-chip"
                aria-pressed={on.includes(kind)}
                title={shown?.because ? `The question shows it: ${shown.because}` : undefined}
                onClick={() => toggle(kind)}
              >
                {kindTitle(kind)}
              </button>
            );
          })}
          {question.intents !== null && (
            <button
              type="button"
              class="anb-quiet"
              onClick={() => link.ask({ ...question, intents: null })}
            >
              As the question shows
            </button>
          )}
        </div>
      )}
    </div>
  );
}
