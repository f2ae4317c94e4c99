"""Steps of a session: one lock, one list of past states, one list of messages."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

from audience_nb.catalog import DataType, Kind
from audience_nb.errors import WrongStep
from audience_nb.policy import DataTypeRule, rule_of
from audience_nb.question import Edits, Filters, Understanding
from audience_nb.snapshot import Message

if TYPE_CHECKING:
    import pandas as pd

    from audience_nb.dispatch import Dispatch
    from audience_nb.distribution import Delivery
    from audience_nb.search import Suggestion
    from audience_nb.segments import Segmentation
    from audience_nb.sources.tabular import Fetched

__all__ = ["Insight", "Progress", "State", "Timeline", "step"]


@dataclass(frozen=True, slots=True)
class Insight:
    """One finding that a session holds: how it was asked for, and what came out.

    Parameters
    ----------
    verb : str
        The verb of the session.
    arguments : dict
        What it was called with, plain values.
    result : object
        What the verb gave.
    objects : tuple of str
        Arguments that were objects at hand, which are never kept.
    """

    verb: str
    arguments: dict[str, Any]
    result: Any = field(repr=False)
    objects: tuple[str, ...] = ()


Progress = Callable[[str, float], None]
F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class State:
    """Everything one undo takes back: decisions, and the artefacts they led to."""

    data_type: DataType
    subtype: str
    # Fewest people a figure may be about, where somebody asked for more than the rule does.
    minimum_count: int | None = None
    query: str | None = None
    limit: int = 15
    filters: Filters = field(default_factory=Filters)
    # None for those that the question itself shows.
    intents: tuple[Kind, ...] | None = None
    understood: Understanding | None = None
    edits: Edits = field(default_factory=Edits)
    suggestions: tuple[Suggestion, ...] = ()
    selected: tuple[str, ...] = ()
    confirmed: tuple[str, ...] = ()
    # No representation shows a record.
    frame: pd.DataFrame | None = field(default=None, repr=False)
    # What became of the rows that were asked for: a report without rows.
    fetched: Fetched | None = field(default=None, repr=False)
    n_segments: int | Literal["auto"] = "auto"
    min_share: float = 0.05
    max_share: float = 0.10
    segmentation: Segmentation | None = field(default=None, repr=False)
    lifestyles: pd.DataFrame | None = field(default=None, repr=False)
    # By which types they were told: names and paths, None for an object at hand.
    enriched_by: tuple[tuple[str, str | None], ...] = ()
    picked: tuple[int, ...] = ()
    names: tuple[tuple[int, str], ...] = ()
    exported: Mapping[str, Any] | None = None
    deliveries: tuple[Delivery, ...] = ()
    # How far each destination is with the audience as it stands.
    dispatches: tuple[Dispatch, ...] = field(default=(), repr=False)
    # Sizes in records, where they were set so; the shares follow when the records are cut.
    min_size: int | None = None
    max_size: int | None = None
    audience_name: str | None = None
    # What is looked at closer: two segments; a variable's code, a segment's id, "" for the answer.
    compared: tuple[int, ...] = ()
    explained: str | int | None = None
    # Sensitive variables that somebody allowed, each with the reason given.
    allowed_sensitive: tuple[tuple[str, str], ...] = ()
    # Descriptions of segments in somebody's own words, by id.
    descriptions: tuple[tuple[int, str], ...] = ()
    # What was found out about the segments, the last of each verb; who is held out of campaigns.
    insights: tuple[Insight, ...] = field(default=(), repr=False)
    held_out: pd.Series[bool] | None = field(default=None, repr=False)
    # Batches taken in since the records were loaded: path (None for an object), who is gone,
    # sizes; None where segments were cut anew between two.
    updates: tuple[tuple[str | None, tuple[Any, ...], str] | None, ...] = field(
        default=(), repr=False
    )

    @property
    def rule(self) -> DataTypeRule:
        """What the data type, its subtype and the minimum count allow."""
        rule = rule_of(self.data_type).under(self.subtype)
        return replace(rule, minimum_count=max(rule.minimum_count, self.minimum_count or 1))

    @property
    def rows_may_be_seen(self) -> bool:
        """Whether a record may be seen at all."""
        return "view rows" in self.rule.allows


# Parts of the state that say who is in the audience, what may be known of them, and its name.
_AUDIENCE = frozenset(
    {
        *("data_type", "subtype", "minimum_count", "frame", "segmentation", "picked", "names"),
        *("audience_name", "held_out", "allowed_sensitive"),
    }
)


def step(method: F) -> F:
    """Run a verb alone, as one thing to undo, and leave nothing half done if it fails.

    Parameters
    ----------
    method : callable
        A method of a `Timeline`.

    Returns
    -------
    callable
        The method inside `Timeline.one_step`.
    """

    @functools.wraps(method)
    def verb(self: Timeline, /, *args: Any, **kwargs: Any) -> Any:
        with self.one_step():
            return method(self, *args, **kwargs)

    return cast(F, verb)


class Timeline:
    """What a session is, was and said; every change passes through here.

    Parameters
    ----------
    state : State
        Where it starts.

    Attributes
    ----------
    state : State
        Where it is.
    messages : list of Message
        What was said.
    revision : int
        Counts changes.
    progress : callable or None
        Told a stage and the fraction of it that is done.
    """

    def __init__(self, state: State) -> None:
        self.lock = threading.RLock()
        self.state = state
        self.messages: list[Message] = []
        self.revision = 0
        self.progress: Progress | None = None
        self._depth = 0
        self._label = ""
        self._past: list[tuple[str, State]] = []
        self._future: list[tuple[str, State]] = []
        # What an undo of the step under way leads back to.
        self._base = state
        self._watchers: list[Callable[[], None]] = []

    @property
    def undoable(self) -> str | None:
        """What undo would take back, in words; None if there is nothing."""
        return self._past[-1][0] if self._past else None

    @property
    def redoable(self) -> str | None:
        """What redo would bring back, in words; None if there is nothing."""
        return self._future[-1][0] if self._future else None

    @property
    def under_way(self) -> str:
        """What the step under way does, in words, as an undo will name it."""
        return self._label or "this"

    @property
    def n_undoable(self) -> int:
        """How many changes can be taken back."""
        return len(self._past)

    @property
    def n_redoable(self) -> int:
        """How many changes that were taken back can be done again."""
        return len(self._future)

    def forget_past(self) -> None:
        """Make what was done so far impossible to undo, or to do again."""
        self._past.clear()
        self._future.clear()

    def subscribe(self, watcher: Callable[[], None]) -> Callable[[], None]:
        """Call `watcher` after each change.

        Parameters
        ----------
        watcher : callable
            Takes nothing.

        Returns
        -------
        callable
            Ends the subscription.
        """
        self._watchers.append(watcher)

        def end() -> None:
            if watcher in self._watchers:
                self._watchers.remove(watcher)

        return end

    def undo(self) -> None:
        """Take the last change back.

        Raises
        ------
        WrongStep
            If there is nothing to undo.
        """
        with self.lock:
            if not self._past:
                raise WrongStep("There is nothing to undo.", "Ask for an audience.")
            what, before = self._past.pop()
            self._future.append((what, self._base if self._depth else self.state))
            self.state = self._base = before
            self.reply(f"Took back {what}.")
            if not self._depth:
                self._changed()

    def redo(self) -> None:
        """Do again what was taken back last.

        Raises
        ------
        WrongStep
            If nothing was taken back since the last change.
        """
        with self.lock:
            if not self._future:
                raise WrongStep("There is nothing to redo.", "Undo something first.")
            what, after = self._future.pop()
            self._past.append((what, self._base if self._depth else self.state))
            self.state = self._base = after
            self.reply(f"Did {what} again.")
            if not self._depth:
                self._changed()

    @contextmanager
    def one_step(self) -> Iterator[None]:
        """Hold the lock over one thing to undo; a failure inside leaves the work as it was."""
        with self.lock:
            before, base, said = self.state, self._base, len(self.messages)
            past, future = list(self._past), list(self._future)
            self._depth += 1
            if self._depth == 1:
                self._label = ""
                self._base = base = before
            try:
                yield
            except BaseException:
                self.state, self._base = before, base
                self._past, self._future = past, future
                if self._depth > 1:
                    del self.messages[said:]
                raise
            finally:
                self._depth -= 1
            if self._depth == 0:
                if self.state is not self._base:
                    self._past.append((self._label, self._base))
                    self._future.clear()
                self._changed()

    def change(self, label: str, **changes: Any) -> None:
        """Replace fields of the state; `label` says in words what an undo takes back."""
        self._label = label
        if _AUDIENCE & changes.keys():
            # What was checked and planned was about another audience.
            changes.setdefault("dispatches", ())
        self.state = replace(self.state, **changes)

    def look(self, **changes: Any) -> None:
        """Replace what is looked at; there is nothing to undo about that."""
        same = self.state is self._base
        self.state = replace(self.state, **changes)
        self._base = self.state if same else replace(self._base, **changes)

    def discard(self, *stages: str) -> None:
        """Drop what a repeated verb invalidates, and name the loss."""
        state = self.state
        lost = []
        empty: dict[str, Any] = {}
        if "confirmed" in stages and state.confirmed:
            empty["confirmed"] = ()
        if "frame" in stages and state.frame is not None:
            empty |= {"frame": None, "fetched": None, "updates": ()}
        if "segmentation" in stages and state.segmentation is not None:
            lost.append(f"{state.segmentation.n_segments} segments")
            if state.names:
                lost.append(f"{len(state.names)} names of yours")
            empty |= {"segmentation": None, "lifestyles": None, "picked": (), "names": ()}
            empty |= {"descriptions": (), "insights": (), "held_out": None}
            if state.updates and "updates" not in empty and state.updates[-1] is not None:
                empty["updates"] = (*state.updates, None)
            empty |= {"exported": None, "compared": (), "audience_name": None, "dispatches": ()}
            if isinstance(state.explained, int):
                empty["explained"] = None
        if empty:
            self.state = replace(state, **empty)
        if lost:
            self.reply(f"This replaces the earlier {' and '.join(lost)}; undo brings them back.")

    def _changed(self) -> None:
        self.revision += 1
        for watcher in list(self._watchers):
            watcher()

    def tell(self, stage: str, fraction: float) -> None:
        """Report progress: a stage and the fraction of it that is done."""
        if self.progress is not None:
            self.progress(stage, fraction)

    def reply(self, text: str) -> None:
        """Say something to the user."""
        self.messages.append(Message("assistant", text))
