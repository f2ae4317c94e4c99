import { useEffect, useState } from "preact/hooks";
import type { Link, LinkState } from "./link";
import type { Snapshot } from "./snapshot";

interface Props {
  link: Link;
  state: LinkState;
  snapshot: Snapshot;
}

/** The clicks as a cell: Python that gives the same audience in a fresh kernel. */
export function Code({ link, state, snapshot }: Props) {
  const [copied, setCopied] = useState<"" | "copied" | "refused">("");
  // Code is of the moment it was asked for; the next click makes it stale.
  useEffect(() => {
    setCopied("");
    if (state.code !== null) link.forgetCode();
  }, [snapshot.revision]);
  useEffect(() => {
    if (state.code === null) return;
    // Some hosts (frames without permission, plain http) keep the clipboard to themselves.
    const copying = navigator.clipboard?.writeText(state.code) ?? Promise.reject(new Error());
    copying.then(
      () => setCopied("copied"),
      () => setCopied("refused"),
    );
  }, [state.code]);

  return (
    <div class="anb-code">
      <button type="button" class="anb-quiet" onClick={() => link.code()}>
        Copy as code
      </button>
      <span role="status" class="anb-note">
        {copied === "copied" && "Copied. Run it in a new cell or a fresh kernel."}
        {copied === "refused" && "This page may not use the clipboard: select the code and copy it."}
      </span>
      {state.code !== null && (
        <pre tabIndex={0} role="region" aria-label="Python that gives the same audience">
          <code>{state.code}</code>
        </pre>
      )}
    </div>
  );
}
