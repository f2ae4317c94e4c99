import { percent } from "./format";
import { type Link, type LinkState, questionOf } from "./link";
import type { Snapshot } from "./snapshot";

interface Props {
  link: Link;
  state: LinkState;
  snapshot: Snapshot;
}

/** How far the search has learnt meanings; and once it has, the offer to ask again with them. The
 * list itself is never replaced under anyone's hands. */
export function Learning({ link, state, snapshot }: Props) {
  const index = state.index ?? snapshot.index;
  const question = state.asking ?? questionOf(snapshot);
  const learning = index !== null && !index.ready;
  const failed = index !== null && index.ready && !index.by_meaning;
  const stale = !learning && !failed && question !== null && snapshot.understood?.by_words === true;
  return (
    <>
      {learning && (
        <div class="anb-learning">
          <progress aria-label="Learning meanings" max={1} value={index.fraction} />
          <p class="anb-note">
            Meanings are being learnt, {percent(Math.floor(index.fraction * 100) / 100)}; answers go
            by words until then.
          </p>
        </div>
      )}
      {failed && <p class="anb-note">What is searched: {index.description}.</p>}
      <div role="status">
        {stale && (
          <p class="anb-offer">
            <span>Meanings are learnt. This answer went by words only.</span>
            <button type="button" onClick={() => link.ask(question)}>
              Ask again with meanings
            </button>
          </p>
        )}
      </div>
    </>
  );
}
