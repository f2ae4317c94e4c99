import { useState } from "preact/hooks";
import { kindTitle } from "./format";
import { useUniqueId } from "./hooks";
import type { Link, LinkState } from "./link";
import type { Found } from "./snapshot";

interface Props {
  link: Link;
  state: LinkState;
  variables: number;
  ticked: ReadonlySet<string>;
  onAdd: (found: Found) => void;
}

/** Finds any variable of the catalogue as one types. The list stands in the flow of the page: an
 * absolutely placed one would be cut off by the notebook's output area. */
export function TypeAhead({ link, state, variables, ticked, onAdd }: Props) {
  const id = useUniqueId();
  const [text, setText] = useState("");
  const [active, setActive] = useState(-1);
  const { found } = state;
  const open = text.trim() !== "" && found.length > 0;

  const type = (words: string) => {
    setText(words);
    setActive(-1);
    link.find(words);
  };
  const add = (choice: Found | undefined) => {
    if (!choice) return;
    if (!ticked.has(choice.code)) onAdd(choice);
    type("");
  };
  const status = !text.trim()
    ? ""
    : state.finding
      ? "Looking…"
      : found.length
        ? `${found.length} found. Arrow keys choose, Enter adds.`
        : "Nothing found. Try other words.";

  return (
    <div class="anb-field anb-typeahead">
      <label for={`${id}-find`}>Add a variable</label>
      <input
        id={`${id}-find`}
        type="text"
        role="combobox"
        autocomplete="off"
        spellcheck={false}
        placeholder={`Search all ${variables.toLocaleString("en")}`}
        value={text}
        aria-expanded={open}
        aria-controls={`${id}-list`}
        aria-autocomplete="list"
        aria-activedescendant={open && active >= 0 ? `${id}-option-${active}` : undefined}
        onInput={(event) => type(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Escape") type("");
          if (!open || event.isComposing) return;
          if (event.key === "ArrowDown") setActive((active + 1) % found.length);
          else if (event.key === "ArrowUp") setActive((active <= 0 ? found.length : active) - 1);
          else if (event.key === "Enter") add(found[Math.max(active, 0)]);
          else return;
          event.preventDefault();
        }}
      />
      <ul
        id={`${id}-list`}
        class="anb-options"
        role="listbox"
        aria-label="Variables found"
        hidden={!open}
      >
        {found.map((variable, place) => (
          <li
            key={variable.code}
            id={`${id}-option-${place}`}
            class="anb-option"
            role="option"
            aria-selected={place === active}
            onPointerDown={(event) => event.preventDefault()}
            onClick={() => add(variable)}
          >
            <span>{variable.label}</span>
            <span class="anb-soft">
              {ticked.has(variable.code) ? "Already added" : kindTitle(variable.kind)}
            </span>
          </li>
        ))}
      </ul>
      <p class="anb-note" role="status">
        {status}
      </p>
    </div>
  );
}
