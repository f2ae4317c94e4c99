import { useEffect, useRef, useState } from "preact/hooks";
import { capital } from "./format";
import { useUniqueId } from "./hooks";
import type { Link, LinkState } from "./link";
import { Learning } from "./Learning";
import type { Snapshot } from "./snapshot";
import { Understood } from "./Understood";

interface Props {
  link: Link;
  state: LinkState;
  snapshot: Snapshot;
}

const EXAMPLES = [
  "environmentally conscious millennials with high income",
  "urban families who cook at home and travel by train",
  "retired homeowners who give to charity",
];
const WHO = { user: "You", assistant: "Builder", error: "Problem" } as const;

/** Words as the kernel keeps them. */
const plain = (words: string) => words.trim().split(/\s+/).join(" ");

/** What was said, and a place to say more. */
export function Conversation({ link, state, snapshot }: Props) {
  const id = useUniqueId();
  const [text, setText] = useState("");
  const log = useRef<HTMLDivElement>(null);
  const asked = snapshot.query !== null;
  useEffect(() => {
    if (log.current) log.current.scrollTop = log.current.scrollHeight;
  }, [snapshot.messages.length]);

  // Up and Down walk through what was said before; -1 is what is being written.
  const said = snapshot.messages.filter((m) => m.role === "user").map((m) => m.text);
  const [recalled, setRecalled] = useState(-1);
  const draft = useRef("");
  const recall = (step: number): boolean => {
    const place = recalled + step;
    if (place < -1 || place >= said.length) return false;
    if (recalled === -1) draft.current = text;
    setRecalled(place);
    setText(place === -1 ? draft.current : (said[said.length - 1 - place] ?? ""));
    return true;
  };

  // What came to nothing is put back, to be mended rather than typed anew.
  const sent = useRef<string | null>(null);
  useEffect(() => {
    if (sent.current === null || state.pending === "say") return;
    const words = sent.current;
    sent.current = null;
    const failed = state.problem !== null;
    const nothing = snapshot.suggestions.length === 0 && snapshot.query === plain(words);
    if (failed || nothing) setText((typed) => typed || words);
  }, [state, snapshot]);

  const say = (words: string) => {
    if (!words.trim() || !link.perform("say", { text: words.slice(0, 10_000) })) return;
    sent.current = words;
    setText("");
    setRecalled(-1);
  };

  return (
    <div class="anb-conversation">
      <div ref={log} class="anb-log" role="log" aria-label="Conversation" tabIndex={0}>
        {snapshot.messages.length === 0 && (
          <p class="anb-note">
            Say who you want to reach, in your own words. The{" "}
            {snapshot.data.variables.toLocaleString("en")} variables are searched for what tells
            these people apart.
          </p>
        )}
        {snapshot.messages.map((message, place) => (
          // Messages are only ever appended; their place is who they are.
          <p key={place} class="anb-message" data-role={message.role}>
            <span class="anb-who">{WHO[message.role]}</span>
            <span>
              {message.text}
              {message.next_move && <span class="anb-soft"> {message.next_move}</span>}
              {(message.options?.length ?? 0) > 0 && (
                <span class="anb-options">
                  {message.options?.map((option) => (
                    <button
                      key={option}
                      type="button"
                      aria-disabled={state.pending !== null}
                      onClick={() => say(option)}
                    >
                      {option}
                    </button>
                  ))}
                </span>
              )}
            </span>
          </p>
        ))}
      </div>
      <Understood link={link} state={state} snapshot={snapshot} />
      <Learning link={link} state={state} snapshot={snapshot} />
      {!asked && snapshot.data.demo && (
        <ul class="anb-examples" aria-label="Examples">
          {EXAMPLES.map((example) => (
            <li key={example}>
              <button
                type="button"
                class="anb-quiet"
                disabled={state.pending !== null}
                onClick={() => say(example)}
              >
                {example}
              </button>
            </li>
          ))}
        </ul>
      )}
      <form
        class="anb-say"
        onSubmit={(event) => {
          event.preventDefault();
          say(text);
        }}
      >
        <label for={`${id}-say`}>Describe the audience</label>
        <textarea
          id={`${id}-say`}
          rows={2}
          value={text}
          placeholder={asked ? "drop income, add cycling" : "people who …"}
          aria-describedby={`${id}-hint`}
          onInput={(event) => {
            setText(event.currentTarget.value);
            setRecalled(-1);
          }}
          onKeyDown={(event) => {
            const { selectionStart, selectionEnd } = event.currentTarget;
            // Within a text of several lines the arrows move the cursor.
            const atStart = selectionStart === 0 && selectionEnd === 0;
            const browsing = atStart || !text || recalled >= 0;
            if (event.isComposing) return;
            if (event.key === "Enter" && !event.shiftKey) {
              event.preventDefault();
              say(text);
            } else if (event.key === "Escape") {
              if (state.pending === "say") link.cancel();
              else {
                setText("");
                setRecalled(-1);
              }
            } else if (event.key === "ArrowUp" && browsing && recall(1)) event.preventDefault();
            else if (event.key === "ArrowDown" && recalled >= 0 && recall(-1)) event.preventDefault();
          }}
        />
        <div class="anb-say-row">
          <span id={`${id}-hint`} class="anb-note" role="status">
            {state.pending === "say" && state.progress?.stage
              ? `${capital(state.progress.stage)}…`
              : said.length
                ? "Enter sends, Up recalls"
                : "Enter sends"}
          </span>
          <button
            type="submit"
            class={asked ? "" : "anb-primary"}
            aria-disabled={state.pending !== null || !text.trim()}
          >
            {state.pending === "say" ? "Searching…" : "Send"}
          </button>
        </div>
      </form>
    </div>
  );
}
