"""How many messages are read exactly right, by sort of action and language.

    python benchmarks/conversation.py

`messages.jsonl` is what the grammar was written with, and seven lots of messages that were written
after it: 89, 69, 79, 72, 72, 85 and 83 % were read right when each lot was new, and what was not
is mended since. `messages_held.jsonl` is by somebody who knew the actions and not the grammar; it
was measured and never used to mend it.

A message counts only if all its actions are right, with all their values, in order. Messages whose
right reading is one question are counted as "ask".
"""

from __future__ import annotations

import json
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from audience_nb.conversation import Context, parse, to_dict

DATA = Path(__file__).parents[1] / "tests" / "data"


def measured(name: str) -> tuple[dict[str, dict[str, list[bool]]], float]:
    """Give what was right, by sort of action and language, and milliseconds for a message."""
    rows: list[dict[str, Any]] = [
        json.loads(line) for line in (DATA / name).read_text(encoding="utf-8").splitlines()
    ]
    right: dict[str, dict[str, list[bool]]] = defaultdict(lambda: defaultdict(list))
    parse("undo")
    began = time.process_time()
    for row in rows:
        read = [to_dict(a) for a in parse(row["message"], Context.from_dict(row["state"]))]
        sorts = dict.fromkeys(action["action"] for action in row["actions"])
        for sort in ("all", *sorts) if len(sorts) == 1 else ("all", "several", *sorts):
            right[sort][row["language"]].append(read == row["actions"])
    return right, 1000 * (time.process_time() - began) / len(rows)


def main() -> None:
    for name in ("messages.jsonl", "messages_held.jsonl"):
        right, spent = measured(name)
        languages = sorted(right["all"])
        print(f"{name}: exact actions, {spent:.1f} ms of CPU a message")
        print(f"  {'action':<12}" + "".join(f"{lang:>16}" for lang in [*languages, "both"]))
        for sort, by_language in sorted(right.items(), key=lambda item: item[0] != "all"):
            groups = [by_language.get(lang, []) for lang in languages]
            cells = [*groups, [ok for group in groups for ok in group]]
            shown = [f"{sum(c)}/{len(c)} {sum(c) / len(c):.0%}" if c else "" for c in cells]
            print(f"  {sort:<12}" + "".join(f"{cell:>16}" for cell in shown))
        print()


if __name__ == "__main__":
    main()
