import type { Host } from "@anywidget/types";
import { useRef } from "preact/hooks";
import { Alert } from "./Alert";
import { Build } from "./Build";
import { Chart } from "./Chart";
import { Code } from "./Code";
import { Compare } from "./Compare";
import { Conversation } from "./Conversation";
import { DataTypes } from "./DataTypes";
import { Destinations } from "./Destinations";
import { Export } from "./Export";
import { capital, count, plural } from "./format";
import { type Model, useDark, useLink, useTrait, useUniqueId } from "./hooks";
import { Insights } from "./Insights";
import { Sensitive } from "./Sensitive";
import { Segments, SegmentsSummary } from "./Segments";
import { Steps } from "./Steps";
import { VariablePicker } from "./VariablePicker";

export function App({ model, host }: { model: Model; host: Host }) {
  const id = useUniqueId();
  const root = useRef<HTMLDivElement>(null);
  const snapshot = useTrait(model, "snapshot");
  const charts = useTrait(model, "charts");
  const vega = useTrait(model, "_vega");
  const [link, state] = useLink(model);
  const dark = useDark(root);
  const busy = state.pending !== null;
  const { data, segmentation } = snapshot;
  const selected = state.ticked?.length ?? snapshot.selected.length;
  const chart = (name: string, onChoose?: (id: number) => void) => (
    <Chart host={host} vega={vega} spec={charts[name]} dark={dark} onChoose={onChoose} />
  );
  const toggle = (segment: number) => {
    const picked = state.picked ?? segmentation?.segments.filter((s) => s.picked).map((s) => s.id);
    if (picked) {
      const without = picked.filter((other) => other !== segment);
      link.pick(without.length < picked.length ? without : [...picked, segment]);
    }
  };

  return (
    // Groups, not landmarks: a notebook may hold several of these views.
    <div
      ref={root}
      role="group"
      class="anb"
      data-theme={dark ? "dark" : "light"}
      // Keeps JupyterLab's single-letter shortcuts ("d d" deletes a cell) away from typing here.
      data-lm-suppress-shortcuts="true"
      aria-labelledby={`${id}-title`}
      aria-busy={busy}
      onKeyDown={(event) => event.stopPropagation()}
    >
      <div class="anb-frame">
        <div class="anb-head">
          <div>
            <h2 id={`${id}-title`}>Audience builder</h2>
            <p class="anb-note">
              {/* The name of a file stays as it is written. */}
              {data.name.includes(".") ? data.name : capital(data.name)}: {plural(data.records, "record")}, {count(data.variables)} variables
            </p>
          </div>
          <div class="anb-past">
            <button
              type="button"
              aria-disabled={busy || snapshot.undo === null}
              onClick={() => snapshot.undo !== null && link.perform("undo")}
            >
              {snapshot.undo === null ? "Nothing to undo" : `Undo ${snapshot.undo}`}
            </button>
            {snapshot.redo && (
              <button type="button" aria-disabled={busy} onClick={() => link.perform("redo")}>
                Redo {snapshot.redo}
              </button>
            )}
          </div>
        </div>
        <Steps steps={snapshot.steps} />
        <Alert link={link} problem={state.problem} verbs={[null, "undo", "redo", "choose"]} />
        <DataTypes link={link} snapshot={snapshot} />

        <div class="anb-columns">
          <div class="anb-panel" role="group" aria-labelledby={`${id}-describe`}>
            <h3 id={`${id}-describe`}>Describe</h3>
            <Conversation link={link} state={state} snapshot={snapshot} />
            <Alert link={link} problem={state.problem} verbs={["say"]} />
            {snapshot.suggestions.length > 0 && (
              <div class="anb-charts">
                {chart("relevance")}
                {chart("types")}
              </div>
            )}
          </div>
          <div class="anb-panel" role="group" aria-labelledby={`${id}-choose`}>
            <h3 id={`${id}-choose`}>Choose variables</h3>
            <VariablePicker link={link} state={state} snapshot={snapshot} />
            <Sensitive link={link} state={state} snapshot={snapshot} />
            <Alert
              link={link}
              problem={state.problem}
              verbs={["select", "find", "ask", "swap", "allow_sensitive"]}
            />
          </div>
        </div>

        <div class="anb-panel" role="group" aria-labelledby={`${id}-segment`}>
          <h3 id={`${id}-segment`}>Segment</h3>
          <Build link={link} state={state} snapshot={snapshot} selected={selected} />
          <Alert link={link} problem={state.problem} verbs={["build", "rename", "pick", "compare"]} />
          {segmentation && (
            <>
              <SegmentsSummary segmentation={segmentation} loaded={snapshot.loaded} />
              <div class="anb-charts anb-charts-wide">
                {chart("sizes", toggle)}
                {chart("map", toggle)}
                {chart("k_curve")}
              </div>
              <Segments link={link} state={state} segmentation={segmentation} />
              <Compare
                link={link}
                state={state}
                segments={segmentation.segments}
                comparison={snapshot.comparison ?? null}
              />
              {snapshot.insights && (
                <Insights link={link} state={state} snapshot={snapshot} found={snapshot.insights} />
              )}
            </>
          )}
        </div>

        {segmentation && (
          <div class="anb-panel" role="group" aria-labelledby={`${id}-export`}>
            <h3 id={`${id}-export`}>Export</h3>
            <Export link={link} state={state} snapshot={snapshot} segmentation={segmentation} />
            <Alert link={link} problem={state.problem} verbs={["export"]} />
          </div>
        )}
        {snapshot.destinations && snapshot.destinations.length > 0 && (
          <div class="anb-panel anb-destinations" role="group" aria-labelledby={`${id}-destinations`}>
            <h3 id={`${id}-destinations`}>Destinations</h3>
            <Destinations
              link={link}
              state={state}
              snapshot={snapshot}
              destinations={snapshot.destinations}
            />
          </div>
        )}
        {snapshot.query !== null && <Code link={link} state={state} snapshot={snapshot} />}
        <Alert link={link} problem={state.problem} verbs={["code"]} />
      </div>
    </div>
  );
}
