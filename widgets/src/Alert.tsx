import type { Link, LinkState } from "./link";
import type { Verb } from "./snapshot";

interface Props {
  link: Link;
  problem: LinkState["problem"];
  /** Verbs whose failure is told here; null for whatever concerns none of them. */
  verbs: readonly (Verb | null)[];
}

/** What went wrong, as a fact, and what to do; next to what was tried. */
export function Alert({ link, problem, verbs }: Props) {
  const shown = problem && verbs.includes(problem.verb) ? problem : null;
  return (
    <div role="alert">
      {shown && (
        <div class="anb-alert">
          <p>
            <strong>{shown.fact}</strong> {shown.next_move}
          </p>
          <button type="button" class="anb-quiet" aria-label="Dismiss" onClick={() => link.dismiss()}>
            Close
          </button>
        </div>
      )}
    </div>
  );
}
