import { useState } from "preact/hooks";
import { Alert } from "./Alert";
import { capital, count, plural } from "./format";
import { useUniqueId } from "./hooks";
import type { Link, LinkState } from "./link";
import type { Destination, Finding, Snapshot } from "./snapshot";

interface Props {
  link: Link;
  state: LinkState;
  snapshot: Snapshot;
}

type Stage = "check" | "plan" | "try" | "send";

const STANDS: Record<Destination["stands"], string> = {
  "not checked": "Not checked",
  problems: "Problems",
  ready: "Ready",
  planned: "Planned",
  tried: "Dry run done",
  sent: "Sent",
};
const DOING: Record<Stage, string> = {
  check: "Checking…",
  plan: "Planning…",
  try: "Trying…",
  send: "Sending…",
};
const LEVELS: Record<Finding["level"], string> = { error: "Error", warning: "Warning", info: "Note" };

/** Where the audience may be sent: each destination is checked, planned, tried, and sent to. */
export function Destinations({ link, state, snapshot }: Props) {
  // Whose answer, or whose failure, is awaited.
  const [asked, setAsked] = useState<{ name: string; stage: Stage } | null>(null);
  const { destinations } = snapshot;
  if (!destinations?.length) return null;
  const type = snapshot.data_types.find((t) => t.code === snapshot.data_type);
  const refused = type?.refuses.includes("distribute") ?? false;
  return (
    <details class="anb-destinations">
      <summary>Destinations</summary>
      {refused ? (
        <p class="anb-note">
          {type?.title} lets nothing be sent. To send an audience, choose first party or third party
          data.
        </p>
      ) : (
        <>
          <p class="anb-note">
            Nothing leaves by checking, planning or a dry run. Identifiers leave hashed, by the rules
            of each platform.
          </p>
          <ul class="anb-places">
            {destinations.map((place) => (
              <Place
                key={place.name}
                place={place}
                link={link}
                state={state}
                stage={state.pending === "dispatch" && asked?.name === place.name ? asked.stage : null}
                mine={asked?.name === place.name}
                onAsk={(stage, more) => {
                  const sent = link.perform("dispatch", { destination: place.name, stage, ...more });
                  if (sent) setAsked({ name: place.name, stage });
                  return sent;
                }}
              />
            ))}
          </ul>
        </>
      )}
    </details>
  );
}

interface PlaceProps {
  place: Destination;
  link: Link;
  state: LinkState;
  /** What it is busy with, if anything. */
  stage: Stage | null;
  mine: boolean;
  onAsk: (stage: Stage, more: Record<string, unknown>) => boolean;
}

function Place({ place, link, state, stage, mine, onAsk }: PlaceProps) {
  const id = useUniqueId();
  const [typed, setTyped] = useState<Record<string, string>>({});
  const [token, setToken] = useState("");
  const [sure, setSure] = useState(false);
  const options = { ...place.options, ...typed };
  const missing = place.asks.filter((a) => a.required && !options[a.name]?.trim());
  const blocked = state.pending !== null || missing.length > 0;
  // What was found is about the options as they were.
  const changed = place.asks.some(
    (a) => (options[a.name] ?? "").trim() !== (place.options[a.name] ?? ""),
  );
  const plan = changed ? null : place.plan;
  const ready = plan?.allowed === true && !blocked && sure && (token !== "" || !place.needs_token);
  const ask = (next: Stage, more: Record<string, unknown> = {}) =>
    !blocked && onAsk(next, { options, ...more });
  const action = (next: Stage, label: string) => (
    <button
      type={next === "check" ? "submit" : "button"}
      aria-disabled={blocked}
      onClick={next === "check" ? undefined : () => ask(next)}
    >
      {stage === next ? DOING[next] : label}
    </button>
  );

  return (
    <li>
      <details>
        <summary>
          <span>{capital(place.title)}</span>{" "}
          <span class="anb-tag" data-stands={place.stands}>
            {STANDS[place.stands]}
          </span>
        </summary>
        <div class="anb-place">
          <form
            onSubmit={(event) => {
              event.preventDefault();
              ask("check");
            }}
          >
            <div class="anb-place-fields">
              {place.asks.map((a) => (
                <p key={a.name} class="anb-field">
                  <label for={`${id}-${a.name}`}>
                    {a.label}
                    {a.required ? "" : <span class="anb-soft"> (optional)</span>}
                  </label>
                  <input
                    id={`${id}-${a.name}`}
                    type="text"
                    autocomplete="off"
                    maxLength={300}
                    required={a.required}
                    placeholder={HINTS[a.name] ?? ""}
                    value={options[a.name] ?? ""}
                    onInput={(event) =>
                      setTyped({ ...typed, [a.name]: event.currentTarget.value })
                    }
                  />
                </p>
              ))}
            </div>
            <p class="anb-place-actions">
              {action("check", "Check")}
              {action("plan", "Plan")}
              {action("try", "Dry run")}
            </p>
          </form>
          <Alert link={link} problem={mine ? state.problem : null} verbs={["dispatch"]} />
          <div role="status">
            {changed && place.findings && (
              <p class="anb-note">The options have changed. Check again.</p>
            )}
            {!changed && place.findings && <Findings found={place.findings} />}
            {plan && <Planned plan={plan} />}
            {!changed && place.delivery && <Delivered delivery={place.delivery} />}
          </div>
          {plan?.allowed && (
            <form
              class="anb-send"
              onSubmit={(event) => {
                event.preventDefault();
                if (!ready || !ask("send", { token, confirm: true })) return;
                // Whatever comes of it: the next sending is asked for anew.
                setToken("");
                setSure(false);
              }}
            >
              {place.needs_token && (
                <p class="anb-field">
                  <label for={`${id}-token`}>Access token</label>
                  <input
                    id={`${id}-token`}
                    type="password"
                    autocomplete="off"
                    value={token}
                    onInput={(event) => setToken(event.currentTarget.value)}
                  />
                  <span class="anb-note">It goes to the kernel once, and is kept nowhere.</span>
                </p>
              )}
              <p>
                <label>
                  <input
                    type="checkbox"
                    checked={sure}
                    onChange={(event) => setSure(event.currentTarget.checked)}
                  />{" "}
                  {place.needs_token ? "Send" : "Write"} {plural(plan.rows, "row")} now
                </label>
              </p>
              <button type="submit" class="anb-primary" aria-disabled={!ready}>
                {stage === "send" ? DOING.send : place.needs_token ? "Send" : "Write the file"}
              </button>
            </form>
          )}
        </div>
      </details>
    </li>
  );
}

const HINTS: Record<string, string> = {
  path: "From the destination",
  region: "Two letters, such as CA",
  endpoint: "https://…",
};

function Findings({ found }: { found: Finding[] }) {
  if (found.length === 0) return <p>Nothing hinders it.</p>;
  return (
    <ul class="anb-findings">
      {found.map((f) => (
        <li key={f.code + f.message} data-level={f.level}>
          <strong>{LEVELS[f.level]}</strong> {f.message}{" "}
          {f.fix && <span class="anb-soft">{f.fix}</span>}
        </li>
      ))}
    </ul>
  );
}

function Planned({ plan }: { plan: NonNullable<Destination["plan"]> }) {
  const { count: requests, largest } = plan.batches;
  return (
    <div class="anb-planned">
      <p>
        <strong>{plural(plan.rows, "row")} would leave</strong>
        {plan.endpoint && (
          <>
            {" "}
            in {plural(requests, "request")} of at most {count(largest)}, by {plan.method} to{" "}
            <code>{plan.endpoint}</code>
          </>
        )}
        .{stayed(plan.rows_dropped)}
        {plan.retention_days !== null && ` To be kept for ${plural(plan.retention_days, "day")}.`}
      </p>
      <details>
        <summary>The first of it, identifiers cut short</summary>
        <pre class="anb-payload" tabIndex={0}>
          <code>
            {typeof plan.first_payload === "string"
              ? plan.first_payload
              : JSON.stringify(plan.first_payload, null, 2)}
          </code>
        </pre>
      </details>
    </div>
  );
}

function Delivered({ delivery }: { delivery: NonNullable<Destination["delivery"]> }) {
  const { rows_sent, rows_before, dry_run, location } = delivery;
  return (
    <div class="anb-written">
      <p>
        <strong>
          {dry_run
            ? `Dry run: ${plural(rows_sent, "row")} would be sent. Nothing left.`
            : `${plural(rows_sent, "row")} sent.`}
        </strong>
        {rows_before > 0 && ` ${plural(rows_before, "row")} were there before.`}
        {stayed(delivery.rows_dropped)}
      </p>
      {!dry_run && location && (
        <p class="anb-soft">
          At <code>{location}</code>
        </p>
      )}
    </div>
  );
}

function stayed(dropped: Record<string, number>): string {
  const reasons = Object.entries(dropped).map(([reason, n]) => `${count(n)} ${reason}`);
  return reasons.length ? ` Left out: ${reasons.join(", ")}.` : "";
}
