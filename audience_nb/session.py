"""One person's progress along the road from a sentence to an audience: start, views, keeping."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audience_nb import replay
from audience_nb.catalog import Catalog
from audience_nb.dialogue import Dialogue
from audience_nb.errors import InvalidInput
from audience_nb.export import write_atomically
from audience_nb.snapshot import Snapshot, checked_arguments, take_snapshot
from audience_nb.sources import open_source
from audience_nb.timeline import Progress

if TYPE_CHECKING:
    import pandas as pd

    from audience_nb.conversation.model import LanguageModel
    from audience_nb.embedding import Encoder
    from audience_nb.search import Suggestion
    from audience_nb.search.feedback import Feedback
    from audience_nb.sources import Source

__all__ = ["Session"]

# Cells of the sample that a catalogue is inferred from, and its rows.
SAMPLE_CELLS = 4_000_000
FEWEST_ROWS, MOST_ROWS = 1_000, 20_000


class Session(Dialogue):
    """The workflow: ask, refine, confirm, load, segment, enrich, export, distribute, undo.

    Parameters
    ----------
    frame : table, path, address, list of these, or None
        Your records: a table of pandas, polars or Arrow; CSV, JSONL or Parquet files, also a
        folder or a pattern; the address of a database, with `table`, or of an HTTP interface; a
        list, joined on the id. None for the synthetic population. See `open_source`.
    dictionary : pandas.DataFrame, mapping, path, or None
        Codebook of the frame's columns, see `Catalog.from_frame`.
    catalog : Catalog, optional
        The variables to search; by default the demo catalogue, or the frame's own columns.
    id : str, optional
        The column that identifies a record.
    source : Source, optional
        Where records come from, instead of `frame`.
    encoder : Encoder or str, optional
        Meaning of texts; by default the offline one.
    n_records : int, optional
        Size of the synthetic population.
    random_state : int, optional
        Seed of the synthetic population and of the segmentation.
    background : bool, optional
        Learn meanings in the background where no index is cached, so that views can ask at
        once; `ask` in code waits for them all the same, and answers alike.
    feedback : bool, path or Feedback, optional
        Learn from what is confirmed, and place it higher in later answers: True for the
        memory of this process only, a path to keep it in a file. Off by default.
    language_model : LanguageModel or str, optional
        Reads messages in place of the grammar, see `audience_nb.conversation.model`; a name is one
        of OpenAI's models. Off by default, also where a key is set: what is typed and the labels
        of suggestions leave this machine.
    consent : bool, optional
        Use only the records of people who consented to advertising: every column of consent that
        the data has must agree (see `audience_nb.policy.consent`). Off by default.
    suppression : SuppressionList, sequence of them, or of identifiers, optional
        People who are left out. The list itself is never saved: give it again with a saved session.
    **options
        Of your records, see `open_source`: `table`, `columns`, `delimiter`, `token`, `keep` and
        the like. Passwords and tokens are never saved.

    Attributes
    ----------
    catalog : Catalog
        The variables that can be found.
    source : Source
        Where records come from.
    suggestions : list of Suggestion
        The answer to the last question.
    segmentation : Segmentation or None
        The segments, once cut.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"age": range(20, 80), "spend": [i * 7 % 60 for i in range(60)]})
    >>> session = Session(frame)
    >>> _ = session.confirm(["age", "spend"])
    >>> segmentation = session.segment(n_segments=12)
    >>> {segment.size for segment in segmentation.segments} <= set(range(3, 7))
    True
    """

    def __init__(
        self,
        frame: Any = None,
        dictionary: pd.DataFrame | Mapping[str, str] | str | Path | None = None,
        catalog: Catalog | None = None,
        *,
        id: str | None = None,
        source: Source | None = None,
        encoder: Encoder | str | None = None,
        n_records: int = 1000,
        random_state: int = 0,
        background: bool = False,
        feedback: Feedback | str | Path | bool | None = None,
        language_model: LanguageModel | str | None = None,
        consent: bool = False,
        suppression: object = None,
        **options: Any,
    ) -> None:
        self.origin = replay.origin_of(
            {"frame": frame, "dictionary": dictionary, "catalog": catalog, "source": source},
            options,
        )
        if options and (source is not None or frame is None):
            raise InvalidInput(
                f"The option {next(iter(options))!r} is for records of your own, given as frame.",
                "Leave it out, or give the records.",
            )
        if source is not None:
            self.origin["type"] = "source"
            catalog = catalog or Catalog.demo()
        elif frame is not None:
            self.origin |= {"type": "frame", "id": id}
            catalog, source = _opened(frame, dictionary, catalog, id, options)
        else:
            from audience_nb.sources.synthetic import SyntheticSource

            self.origin["type"] = "synthetic"
            catalog = catalog or Catalog.demo()
            source = SyntheticSource(catalog, n_records, random_state=random_state)
        if isinstance(feedback, bool | str | Path):
            from audience_nb.search.feedback import Feedback

            path = None if isinstance(feedback, bool) else feedback
            feedback = None if feedback is False else Feedback(path)
        super().__init__(
            catalog,
            source,
            encoder,
            random_state,
            background=background,
            feedback=feedback,
            consent=consent,
            suppression=suppression,
        )
        # Who is on a list is never kept; that there was one is.
        if consent:
            self.origin["consent"] = True
        if self.suppression:
            self.origin["suppression"] = None
        if isinstance(language_model, str):
            from audience_nb.conversation.model import LanguageModel

            language_model = LanguageModel(language_model)
        self.language_model = language_model

    def __repr__(self) -> str:
        done = [s["name"] for s in self.snapshot().to_dict()["steps"] if s["state"] == "done"]
        return (
            f"Session({self.source.name!r}, {self.source.n_records:,} records, "
            f"{len(self.catalog):,} variables, done: {', '.join(done) or 'nothing yet'})"
        )

    def snapshot(self) -> Snapshot:
        """Give what views show: decisions and aggregates, never a record.

        Returns
        -------
        Snapshot
        """
        with self.lock:
            return take_snapshot(self)

    def find(self, text: str, limit: int = 8) -> list[Suggestion]:
        """Look variables up without changing anything, as a type-ahead does.

        Parameters
        ----------
        text : str
            Words, or the beginning of one.
        limit : int, optional
            At most so many.

        Returns
        -------
        list of Suggestion
        """
        with self.lock:
            found = self.index.search(text, limit=limit, data_type=self.state.data_type)
            return [replace(s, variable=self.described(s.variable)) for s in found]

    def perform(
        self,
        verb: str,
        arguments: Mapping[str, Any] | None = None,
        progress: Progress | None = None,
    ) -> Snapshot:
        """Do a verb as a view asks for it.

        Parameters
        ----------
        verb : str
            "choose", "say", "ask", "refine", "select", "swap", "confirm", "load", "segment",
            "enrich", "build", "pick", "rename", "allow_sensitive", "overlap", "lookalike",
            "predict_size", "performance", "hold_out", "export" or "undo".
        arguments : mapping, optional
            Plain values, checked before use. A view names a file, never a path.
        progress : callable, optional
            Called with a stage and the fraction of it that is done.

        Returns
        -------
        Snapshot
            After the verb.

        Raises
        ------
        InvalidInput
            If the verb or an argument is not one a view may use.
        """
        known = checked_arguments(verb, arguments or {})
        with self.lock:
            before, self.progress = self.progress, progress or self.progress
            # A view shows that meanings are still being learnt; it need not wait for them.
            self.at_once = True
            try:
                getattr(self, verb)(**known)
            finally:
                self.progress, self.at_once = before, False
            return take_snapshot(self)

    # -- JSON and code ---------------------------------------------------------------------------

    def to_json(self) -> dict[str, Any]:
        """Give the decisions, never a record or a key.

        Returns
        -------
        dict
            Plain values; `Session.from_json` replays them.
        """
        with self.lock:
            return replay.decisions_of(self)

    def save(self, path: str | Path) -> Path:
        """Write the decisions to a JSON file.

        Parameters
        ----------
        path : str or pathlib.Path
            Where to.

        Returns
        -------
        pathlib.Path
        """
        return write_atomically(path, json.dumps(self.to_json(), ensure_ascii=False, indent=1))

    @classmethod
    def from_json(cls, decisions: Mapping[str, Any], frame: Any = None, **options: Any) -> Session:
        """Replay saved decisions; nothing is exported or distributed again.

        Parameters
        ----------
        decisions : mapping
            As `to_json` gave them.
        frame : pandas.DataFrame or path, optional
            The records, where they were your own.
        **options
            `dictionary`, `catalog`, `source`, `encoder`, as for `Session`.

        Returns
        -------
        Session
            With an equal snapshot.

        Raises
        ------
        DamagedFile
            If these are no decisions of a session.
        InvalidInput
            If the catalogue or the records are other ones.
        """
        return replay.replayed(cls, decisions, frame, options)

    @classmethod
    def open(cls, path: str | Path, frame: Any = None, **options: Any) -> Session:
        """Read a saved session.

        Parameters
        ----------
        path : str or pathlib.Path
            As `save` wrote it.
        frame, **options
            As for `from_json`.

        Returns
        -------
        Session

        Raises
        ------
        DamagedFile
            If it is no saved session.
        """
        return cls.from_json(replay.read_decisions(path), frame, **options)

    def to_code(self) -> str:
        """Give Python that leads a fresh kernel to the same audience.

        Returns
        -------
        str
        """
        with self.lock:
            return replay.code_of(self)


def _opened(
    frame: Any,
    dictionary: pd.DataFrame | Mapping[str, str] | str | Path | None,
    catalog: Catalog | None,
    id: str | None,
    options: Mapping[str, Any],
) -> tuple[Catalog, Source]:
    """Open somebody's records, and infer what variables they have where no catalogue is given."""
    options = dict(options)
    if catalog is not None and isinstance(frame, str) and frame.startswith(("http:", "https:")):
        # An interface cannot say what it has.
        options.setdefault("columns", tuple(catalog.codes))
    source = open_source(frame, id=id, **options)
    if catalog is None:
        n_columns = len(source.codes) + len(source.attributes)
        n_rows = min(MOST_ROWS, max(FEWEST_ROWS, SAMPLE_CELLS // n_columns))
        catalog = Catalog.from_frame(source.sample(n_rows), dictionary)
    chosen = getattr(source, "with_codes", None)
    return catalog, source if chosen is None else chosen(catalog.codes)
