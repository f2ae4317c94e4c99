import { useState } from "preact/hooks";
import { Alert } from "./Alert";
import { count, percent, plural } from "./format";
import { useUniqueId } from "./hooks";
import type { Link, LinkState } from "./link";
import type { Insights as Found, LookalikeFound, PerformanceFound, Snapshot } from "./snapshot";

interface Props {
  link: Link;
  state: LinkState;
  snapshot: Snapshot;
  found: Found;
}

const PICKED = "";

/** What the audience tells: who else is like it, how large it is, how its segments performed. */
export function Insights({ link, state, snapshot, found }: Props) {
  const id = useUniqueId();
  const [seed, setSeed] = useState(PICKED);
  const [base, setBase] = useState("");
  const [outcome, setOutcome] = useState("");
  const [share, setShare] = useState("10");
  const busy = state.pending !== null;
  const people = Number(base.replace(/[\s,]/g, ""));
  const held = Number(share) / 100;
  const picked = snapshot.segmentation?.segments.filter((s) => s.picked).length ?? 0;
  const type = snapshot.data_types.find((t) => t.code === snapshot.data_type);
  const refused = type?.refuses.includes("export rows") ?? false;
  const columns = (
    <>
      {found.outcomes.map((code) => (
        <option key={code} value={code}>
          {code}
        </option>
      ))}
    </>
  );

  return (
    <details class="anb-insights">
      <summary>Insights</summary>
      <div class="anb-insights-body">
        <section aria-labelledby={`${id}-overlap`}>
          <h4 id={`${id}-overlap`}>Overlap</h4>
          <p class="anb-note">
            How far the picked segments, the lookalike and the variables hold the same people.
          </p>
          <button
            type="button"
            aria-disabled={busy}
            onClick={() => link.perform("overlap")}
          >
            {state.pending === "overlap" ? "Counting…" : "Count overlaps"}
          </button>
          {found.overlap && <HeatMap overlap={found.overlap} />}
        </section>

        {found.rows && (
          <section aria-labelledby={`${id}-alike`}>
            <h4 id={`${id}-alike`}>Lookalike</h4>
            <form
              class="anb-insight-fields"
              onSubmit={(event) => {
                event.preventDefault();
                link.perform("lookalike", seed === PICKED ? {} : { seed });
              }}
            >
              <p class="anb-field">
                <label for={`${id}-seed`}>People like</label>
                <select
                  id={`${id}-seed`}
                  value={seed}
                  onChange={(event) => setSeed(event.currentTarget.value)}
                >
                  <option value={PICKED}>
                    {picked > 0 ? `the picked segments (${picked})` : "the segments you pick"}
                  </option>
                  {columns}
                </select>
              </p>
              <button type="submit" aria-disabled={busy}>
                {state.pending === "lookalike" ? "Learning…" : "Find lookalikes"}
              </button>
            </form>
            {found.lookalike && (
              <Alike
                found={found.lookalike}
                busy={busy}
                refused={refused}
                onExport={(share) => link.perform("export_lookalike", { share })}
              />
            )}
          </section>
        )}

        <section aria-labelledby={`${id}-size`}>
          <h4 id={`${id}-size`}>Predicted size</h4>
          <form
            class="anb-insight-fields"
            onSubmit={(event) => {
              event.preventDefault();
              if (people >= 1) link.perform("predict_size", { base: Math.round(people) });
            }}
          >
            <p class="anb-field">
              <label for={`${id}-base`}>People in the whole base</label>
              <input
                id={`${id}-base`}
                type="text"
                inputMode="numeric"
                autocomplete="off"
                placeholder="such as 250,000"
                value={base}
                onInput={(event) => setBase(event.currentTarget.value)}
              />
            </p>
            <button type="submit" aria-disabled={busy || !(people >= 1)}>
              Predict
            </button>
          </form>
          <div role="status">
            {found.size && (
              <p>
                <strong>{count(found.size.size)} people</strong> of {count(found.size.base)},{" "}
                {percent(found.size.confidence)} sure between {count(found.size.low)} and{" "}
                {count(found.size.high)}, if the records are drawn from them at random.
              </p>
            )}
          </div>
        </section>

        <section aria-labelledby={`${id}-outcome`}>
          <h4 id={`${id}-outcome`}>Performance</h4>
          <form
            class="anb-insight-fields"
            onSubmit={(event) => {
              event.preventDefault();
              if (outcome) link.perform("performance", { outcome });
            }}
          >
            <p class="anb-field">
              <label for={`${id}-column`}>Outcome</label>
              <select
                id={`${id}-column`}
                value={outcome}
                onChange={(event) => setOutcome(event.currentTarget.value)}
              >
                <option value="">Choose a column</option>
                {columns}
              </select>
            </p>
            <button type="submit" aria-disabled={busy || outcome === ""}>
              {state.pending === "performance" ? "Comparing…" : "Compare segments"}
            </button>
          </form>
          {found.performance && <Performance found={found.performance} />}
        </section>

        {found.rows && (
          <section aria-labelledby={`${id}-hold`}>
            <h4 id={`${id}-hold`}>Hold-out</h4>
            <form
              class="anb-insight-fields"
              onSubmit={(event) => {
                event.preventDefault();
                if (held > 0 && held < 1) link.perform("hold_out", { share: held });
              }}
            >
              <p class="anb-field">
                <label for={`${id}-share`}>Left out of each segment, in %</label>
                <input
                  id={`${id}-share`}
                  type="number"
                  min={1}
                  max={50}
                  value={share}
                  onInput={(event) => setShare(event.currentTarget.value)}
                />
              </p>
              <button type="submit" aria-disabled={busy || !(held > 0 && held < 1)}>
                Hold out
              </button>
            </form>
            <div role="status">
              {found.held_out !== null && (
                <p>
                  <strong>{plural(found.held_out, "record")} held out</strong>: marked in exports,
                  not distributed.
                </p>
              )}
            </div>
          </section>
        )}

        {found.flagged.length > 0 && (
          <section aria-labelledby={`${id}-names`}>
            <h4 id={`${id}-names`}>Names that advertising platforms flag</h4>
            <ul class="anb-flagged">
              {found.flagged.map((flag) => (
                <li key={flag.segment}>
                  <p>
                    <strong>{flag.name}</strong> <span class="anb-soft">({flag.rule})</span>
                  </p>
                  <p class="anb-note">{flag.what}</p>
                  {!flag.alternative.endsWith(".") && (
                    <button
                      type="button"
                      class="anb-quiet"
                      aria-disabled={busy}
                      onClick={() =>
                        link.perform("rename", { segment: flag.segment, name: flag.alternative })
                      }
                    >
                      Rename to “{flag.alternative}”
                    </button>
                  )}
                </li>
              ))}
            </ul>
          </section>
        )}

        {found.rows && snapshot.language_model && (
          <section aria-labelledby={`${id}-words`}>
            <h4 id={`${id}-words`}>Names and descriptions</h4>
            <p class="anb-note">
              {snapshot.language_model} is shown the traits of the segments, with their figures.
              Only what they tell is taken.
            </p>
            <button type="button" aria-disabled={busy} onClick={() => link.perform("reword")}>
              {state.pending === "reword" ? "Writing…" : "Word them anew"}
            </button>
          </section>
        )}

        {found.change && (
          <section aria-labelledby={`${id}-change`}>
            <h4 id={`${id}-change`}>Last batch</h4>
            <p>
              {plural(found.change.new, "new record")}, {count(found.change.changed)} changed (
              {count(found.change.moved)} to another segment), {count(found.change.gone)} gone.{" "}
              <strong>{VERDICTS[found.change.verdict]}</strong>
            </p>
            {found.change.reasons.map((reason) => (
              <p key={reason} class="anb-note">
                {reason}
              </p>
            ))}
          </section>
        )}
      </div>
      <Alert
        link={link}
        problem={state.problem}
        verbs={["overlap", "lookalike", "predict_size", "performance", "hold_out", "reword", "export_lookalike"]}
      />
    </details>
  );
}

const VERDICTS = {
  keep: "The segments still fit.",
  watch: "The segments still fit; watch them.",
  refit: "Form the segments anew.",
};

/** A square of audiences, each cell as dark as they are alike. */
function HeatMap({ overlap }: { overlap: NonNullable<Found["overlap"]> }) {
  const id = useUniqueId();
  const { names, jaccard, both } = overlap;
  return (
    <div class="anb-scroll" tabIndex={0} role="region" aria-labelledby={`${id}-caption`}>
      <table class="anb-heat">
        <caption id={`${id}-caption`}>
          People in both, as a share of people in either (Jaccard index)
        </caption>
        <thead>
          <tr>
            <td />
            {names.map((name, column) => (
              <th key={column} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {names.map((name, row) => (
            <tr key={row}>
              <th scope="row">{name}</th>
              {names.map((other, column) => {
                const alike = jaccard[row]?.[column] ?? null;
                const people = both[row]?.[column] ?? null;
                if (row === column) return <td key={column} aria-label="the same" />;
                return (
                  <td
                    key={column}
                    class="anb-figure"
                    style={{ "--anb-heat": `${Math.round((alike ?? 0) * 45)}%` }}
                    title={people === null ? "Not shown" : `${name} and ${other}: ${count(people)}`}
                  >
                    {alike === null ? "–" : alike.toFixed(2)}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** How good a lookalike is, and how many people each size of it has. */
function Alike({
  found,
  busy,
  refused,
  onExport,
}: {
  found: LookalikeFound;
  busy: boolean;
  refused: boolean;
  onExport: (share: number) => void;
}) {
  const id = useUniqueId();
  const [size, setSize] = useState(5);
  const row = found.shares[size - 1];
  const of = found.seed ?? segmentsOf(found.segments);
  return (
    <div>
      <p>
        Like {of} ({plural(found.n_seed, "person", "people")}). Somebody of the seed scores above
        somebody else in <strong>{percent(found.auc)}</strong> of cases; by chance it were 50%.
        {found.left_out > 0 && ` ${plural(found.left_out, "sensitive variable")} left out.`}
      </p>
      <p class="anb-field">
        <label for={`${id}-size`}>Size of the lookalike: {size}% of everyone</label>
        <input
          id={`${id}-size`}
          type="range"
          min={1}
          max={found.shares.length}
          step={1}
          value={size}
          aria-valuetext={`${size}%`}
          onInput={(event) => setSize(Number(event.currentTarget.value))}
        />
      </p>
      <p role="status">
        {row && (
          <>
            <strong>{plural(row.people, "person", "people")}</strong>
            {row.captured !== null && row.lift !== null && (
              <>
                {" "}
                – on people it had not seen, so many find {percent(row.captured)} of the seed,{" "}
                {row.lift.toFixed(1)} times as many as chance
              </>
            )}
            .
          </>
        )}
      </p>
      {!refused && row && (
        <button type="button" aria-disabled={busy} onClick={() => !busy && onExport(row.share)}>
          Export these {count(row.people)} as CSV
        </button>
      )}
    </div>
  );
}

const segmentsOf = (ids: number[]) =>
  ids.length ? `segment${ids.length > 1 ? "s" : ""} ${ids.join(", ")}` : "a seed of your own";

/** An outcome by segment, against everyone else. */
function Performance({ found }: { found: PerformanceFound }) {
  const id = useUniqueId();
  const told = (value: number | null) =>
    value === null ? "–" : found.rate ? percent(value) : count(Math.round(value * 100) / 100);
  return (
    <div class="anb-scroll" tabIndex={0} role="region" aria-labelledby={`${id}-caption`}>
      <table class="anb-traits anb-compared">
        <caption id={`${id}-caption`}>
          {found.outcome} by segment; an index of 100 is everyone else's
        </caption>
        <thead>
          <tr>
            <th scope="col">Segment</th>
            <th scope="col">People</th>
            <th scope="col">Outcome</th>
            <th scope="col">Index</th>
            <th scope="col">Difference</th>
            <th scope="col">Finding</th>
          </tr>
        </thead>
        <tbody>
          {found.rows.map((row) => (
            <tr key={row.segment}>
              <td>
                {row.segment} {row.name}
              </td>
              <td class="anb-figure">{count(row.count)}</td>
              <td class="anb-figure">{told(row.mean)}</td>
              <td class="anb-figure">{row.lift === null ? "–" : count(Math.round(row.lift))}</td>
              <td class="anb-figure">
                {row.low === null ? "–" : `${told(row.low)} to ${told(row.high)}`}
              </td>
              <td>{row.significant ? "more than chance" : "may be chance"}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
