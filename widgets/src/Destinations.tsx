import { useEffect, useState } from "preact/hooks";
import { Alert } from "./Alert";
import { capital, count, plural } from "./format";
import { useUniqueId } from "./hooks";
import type { Link, LinkState } from "./link";
import type { Destination, Finding, Snapshot } from "./snapshot";

interface Props {
  link: Link;
  state: LinkState;
  snapshot: Snapshot;
  destinations: Destination[];
}

type Stage = "check" | "plan" | "try" | "send";

const STANDS: Record<Destination["stands"], string> = {
  "not checked": "Not checked",
  problems: "Problems",
  ready: "Ready",
  planned: "Planned",
  tried: "Dry run done",
  sent: "Sent",
  refused: "Refused",
};
const DOING: Record<Stage, string> = {
  check: "Checking…",
  plan: "Planning…",
  try: "Trying…",
  send: "Sending…",
};
const HINTS: Record<string, string> = {
  path: "Named as the destination",
  region: "Two letters, such as CA",
  retention_days: "As the platform does",
  endpoint: "The platform's own",
};
const people = (n: number) => plural(n, "person", "people");

/** Where the audience may be sent: each destination is checked, planned, tried, and sent to. */
export function Destinations({ link, state, snapshot, destinations }: Props) {
  // Whose answer, or whose failure, is awaited.
  const [asked, setAsked] = useState<{ name: string; stage: Stage } | null>(null);
  const type = snapshot.data_types.find((t) => t.code === snapshot.data_type);
  const subtype = type?.subtypes.find((s) => s.code === snapshot.subtype);
  const refusing = [type, subtype].find((rule) => rule?.refuses.includes("distribute"));
  if (refusing) {
    const others = snapshot.data_types.filter((t) => !t.refuses.includes("distribute"));
    return (
      <p class="anb-note">
        {refusing.title} lets nothing be sent; the figures above may be used. To send an audience,{" "}
        {refusing === subtype ? "identify people otherwise, or " : ""}choose{" "}
        {others.map((t) => t.title.toLowerCase()).join(" or ")} above.
      </p>
    );
  }
  return (
    <>
      <p class="anb-note">
        Nothing leaves by a check, a plan or a dry run. Identifiers leave hashed, by the rules of
        each platform.
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
  const options = { ...place.options, ...typed };
  const missing = place.asks.filter((a) => a.required && !options[a.name]?.trim());
  const blocked = state.pending !== null || missing.length > 0;
  // What was found is about the options as they were.
  const changed =
    place.stands !== "not checked" &&
    place.asks.some((a) => (options[a.name] ?? "").trim() !== (place.options[a.name] ?? ""));
  const stands = changed ? "not checked" : place.stands;
  const shown = changed ? { ...place, findings: null, plan: null, delivery: null, refusal: null } : place;
  const problem = mine ? state.problem : null;
  const ask = (next: Stage, more: Record<string, unknown> = {}) =>
    !blocked && onAsk(next, { options, ...more });
  const action = (next: Stage, label: string) => (
    <button
      type={next === "check" ? "submit" : "button"}
      aria-disabled={blocked}
      aria-describedby={missing.length ? `${id}-missing` : undefined}
      onClick={next === "check" ? undefined : () => ask(next)}
    >
      {stage === next ? DOING[next] : label}
    </button>
  );

  return (
    <li>
      <details>
        <summary>
          <span class="anb-place-title">{capital(place.title)}</span>
          <span class="anb-tag" data-stands={stands}>
            {STANDS[stands]}
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
                    spellcheck={false}
                    inputMode={a.name === "retention_days" ? "numeric" : undefined}
                    maxLength={300}
                    required={a.required}
                    placeholder={a.required ? "" : (HINTS[a.name] ?? "")}
                    value={options[a.name] ?? ""}
                    onInput={(event) => setTyped({ ...typed, [a.name]: event.currentTarget.value })}
                  />
                </p>
              ))}
            </div>
            <p class="anb-past">
              {action("check", "Check")}
              {action("plan", "Plan")}
              {action("try", "Dry run")}
            </p>
            {missing.length > 0 && (
              <p id={`${id}-missing`} class="anb-note">
                Fill in first: {missing.map((a) => a.label).join(", ")}.
              </p>
            )}
          </form>
          {stage && (
            <progress aria-label={`${capital(place.title)}: ${DOING[stage].replace("…", "")}`} />
          )}
          <Alert link={link} problem={problem} verbs={["dispatch"]} />
          {shown.refusal && !problem && (
            <div class="anb-alert">
              <p>
                <strong>{shown.refusal.fact}</strong> {shown.refusal.next_move}
              </p>
            </div>
          )}
          <p role="status" class={stands === "tried" || stands === "sent" ? "anb-written" : ""}>
            {outcome(shown, stage, changed)}
          </p>
          {shown.findings && <Findings found={shown.findings} />}
          {shown.plan && <Planned plan={shown.plan} />}
          {shown.plan?.allowed && (
            <Sending
              // Whoever else would leave is agreed to anew.
              key={`${shown.plan.digest} ${shown.plan.rows}`}
              place={place}
              rows={shown.plan.rows}
              busy={blocked}
              sending={stage === "send"}
              onSend={(more) => ask("send", { ...more, confirm: true })}
            />
          )}
        </div>
      </details>
    </li>
  );
}

/** What the last stage came to, in one or two sentences. */
function outcome(place: Destination, stage: Stage | null, changed: boolean) {
  const { delivery, plan, findings } = place;
  if (stage === "send" && plan) return `Sending ${people(plan.rows)}…`;
  if (stage) return DOING[stage];
  if (changed) return "The options have changed. Check again.";
  if (delivery) {
    const { rows_sent, rows_before, dry_run, location } = delivery;
    const before = rows_before > 0 && ` ${people(rows_before)} had been sent before.`;
    if (place.refusal) {
      const taken = rows_sent > 0 ? people(rows_sent) : "Nobody";
      return `${taken} had been taken when it broke off.${before || ""}`;
    }
    return (
      <>
        <strong>
          {dry_run
            ? `Dry run: ${people(rows_sent)} would be sent. Nothing left.`
            : place.takes_token
              ? `${people(rows_sent)} sent.`
              : `${people(rows_sent)} written.`}
        </strong>
        {before}
        {stayed(delivery.rows_dropped)}
        {!dry_run && location && (
          <>
            {" "}
            <span class="anb-soft">At</span> <code>{location}</code>
          </>
        )}
      </>
    );
  }
  if (plan || findings === null) return "";
  const errors = findings.filter((f) => f.level === "error").length;
  return errors ? `${plural(errors, "error")}: nothing can be sent.` : "Nothing forbids sending it.";
}

const LEVELS: [Finding["level"], string][] = [
  ["error", "Errors"],
  ["warning", "Warnings"],
  ["info", "Notes"],
];

function Findings({ found }: { found: Finding[] }) {
  return (
    <>
      {LEVELS.map(([level, title]) => {
        const these = found.filter((f) => f.level === level);
        if (these.length === 0) return null;
        return (
          <div key={level} class="anb-findings" data-level={level}>
            <h4>{title}</h4>
            <ul>
              {these.map((f) => (
                <li key={f.code + f.message}>
                  {f.message} {f.fix && <span class="anb-soft">{f.fix}</span>}
                  {f.rows_affected > 0 && (
                    <span class="anb-tag">{plural(f.rows_affected, "row")}</span>
                  )}
                </li>
              ))}
            </ul>
          </div>
        );
      })}
    </>
  );
}

function Planned({ plan }: { plan: NonNullable<Destination["plan"]> }) {
  const { count: requests, largest } = plan.batches;
  return (
    <div class="anb-planned">
      <h4>Plan</h4>
      <p>
        <strong>{people(plan.rows)} would leave</strong>
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
      {plan.rows > 0 && (
        <>
          <p class="anb-note">The first two people as they would leave, identifiers cut short:</p>
          <pre tabIndex={0} role="region" aria-label="What would leave first">
            <code>{written(plan.first_payload)}</code>
          </pre>
        </>
      )}
    </div>
  );
}

interface SendingProps {
  place: Destination;
  rows: number;
  busy: boolean;
  sending: boolean;
  onSend: (more: { token: string; purpose: string }) => boolean;
}

/** The token, and the word that they shall leave now: both, each time. */
function Sending({ place, rows, busy, sending, onSend }: SendingProps) {
  const id = useUniqueId();
  const [token, setToken] = useState("");
  const [purpose, setPurpose] = useState("");
  const [sure, setSure] = useState(false);
  // A token that was typed is not left lying about.
  useEffect(() => {
    if (!token) return;
    const forget = setTimeout(() => setToken(""), FORGET_MS);
    return () => clearTimeout(forget);
  }, [token]);
  const ready = !busy && rows > 0 && sure && (token !== "" || !place.needs_token);
  return (
    <form
      class="anb-send"
      onSubmit={(event) => {
        event.preventDefault();
        if (!ready || !onSend({ token, purpose: purpose.trim() })) return;
        // Whatever comes of it: the next sending is asked for anew.
        setToken("");
        setSure(false);
      }}
    >
      <h4>{place.takes_token ? "Send" : "Write the file"}</h4>
      <div class="anb-place-fields">
        {place.takes_token && (
          <p class="anb-field">
            <label for={`${id}-token`}>
              Access token
              {place.needs_token ? "" : <span class="anb-soft"> (optional)</span>}
            </label>
            <input
              id={`${id}-token`}
              type="password"
              autocomplete="off"
              aria-describedby={`${id}-once`}
              value={token}
              onInput={(event) => setToken(event.currentTarget.value)}
            />
            <span id={`${id}-once`} class="anb-note">
              Goes to the kernel once, and is kept nowhere.
            </span>
          </p>
        )}
        <p class="anb-field">
          <label for={`${id}-purpose`}>
            Purpose<span class="anb-soft"> (optional)</span>
          </label>
          <input
            id={`${id}-purpose`}
            type="text"
            autocomplete="off"
            maxLength={200}
            aria-describedby={`${id}-audit`}
            value={purpose}
            onInput={(event) => setPurpose(event.currentTarget.value)}
          />
          <span id={`${id}-audit`} class="anb-note">
            Stands in the audit log, where one is kept.
          </span>
        </p>
      </div>
      <label class="anb-sure">
        <input
          type="checkbox"
          checked={sure}
          onChange={(event) => setSure(event.currentTarget.checked)}
        />
        <span>
          {place.takes_token
            ? `Send ${people(rows)} to ${capital(place.title)} now`
            : `Write ${people(rows)} to a file now`}
        </span>
      </label>
      <button type="submit" class={ready ? "anb-primary" : ""} aria-disabled={!ready}>
        {sending ? DOING.send : place.takes_token ? "Send now" : "Write now"}
      </button>
    </form>
  );
}

const FORGET_MS = 10 * 60_000;

/** A payload as people read it: each row of texts on one line. */
export function written(payload: unknown): string {
  if (typeof payload === "string") return payload;
  const text = JSON.stringify(payload, null, 2);
  const row = /\[\s+("(?:[^"\\]|\\.)*"(?:,\s+"(?:[^"\\]|\\.)*")*)\s+\]/g;
  return text.replace(row, (_, cells: string) => `[${cells.replace(/,\n\s+/g, ", ")}]`);
}

function stayed(dropped: Record<string, number>): string {
  const reasons = Object.entries(dropped).map(([reason, n]) => `${count(n)} ${reason}`);
  return reasons.length ? ` Left out: ${reasons.join("; ")}.` : "";
}
