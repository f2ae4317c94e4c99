"""AudienceBuilder: a Session in one view, for JupyterLab and every other host of anywidget."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import anywidget
import traitlets as t

from audience_nb.charts import (
    drift_chart,
    k_curve_chart,
    lift_chart,
    map_chart,
    overlap_chart,
    performance_chart,
    relevance_chart,
    size_chart,
    type_chart,
)
from audience_nb.errors import InvalidInput, WrongStep
from audience_nb.line import Line
from audience_nb.policy import require_allowed
from audience_nb.session import Session
from audience_nb.snapshot import index_values
from audience_nb.still import pictures, still_of

if TYPE_CHECKING:
    import pandas as pd

    from audience_nb.charts import AnyChart
    from audience_nb.export import Audience
    from audience_nb.segments import Segment, Segmentation

__all__ = ["AudienceBuilder", "VegaRuntime"]

logger = logging.getLogger(__name__)

_STATIC = Path(__file__).parent / "static"
_LEARNING_S = 0.5


def _prepare_building() -> None:
    import_module("audience_nb.segments")
    import_module("audience_nb.kmedians")


def _read(name: str) -> str:
    return (_STATIC / name).read_text(encoding="utf-8")


class VegaRuntime(anywidget.AnyWidget):
    """The charting runtime of the front end: no view, one copy for each kernel.

    Every widget sends its own code to the browser. Held once and shared, Vega crosses the wire
    once, however many builders there are; and it comes from the wheel, not from the internet.

    Examples
    --------
    >>> VegaRuntime.shared() is VegaRuntime.shared()
    True
    """

    _esm = _read("vega.js")
    _one: ClassVar[VegaRuntime | None] = None
    _making = threading.Lock()

    @classmethod
    def shared(cls) -> VegaRuntime:
        """Give the kernel's runtime.

        Returns
        -------
        VegaRuntime
        """
        with cls._making:
            if cls._one is None or cls._one.comm is None:
                cls._one = cls()
            return cls._one


class AudienceBuilder(anywidget.AnyWidget):
    """Everything from a sentence to an exported audience in one view.

    What is clicked happens in `session`, and what `session` does in code shows in the view. It
    works as well without any view.

    Parameters
    ----------
    frame : table, path, address, list of these, or None
        Your records, see `Session`; None for the demo data.
    dictionary : pandas.DataFrame, mapping, path, or None
        Codebook of the frame's columns.
    session : Session, optional
        One to go on with, instead of `frame` and `dictionary`.
    path : str or pathlib.Path, optional
        File that the decisions are kept in after each change, from which `resume` goes on in
        another kernel. No record, identifier or key is in it.
    **options
        Passed on to `Session`: `catalog`, `id`, `source`, `encoder`, `n_records`,
        `random_state`, `feedback`. Meanings are learnt in the background unless you say
        `background=False`.

    Attributes
    ----------
    session : Session
        The workflow behind the view.
    snapshot : dict
        What the view shows, synced to it: decisions and aggregates, never a record. Read-only.
    charts : dict of name to Vega-Lite specification
        "relevance", "types", "sizes", "map", "k_curve", as far as there are any. Read-only.

    Raises
    ------
    InvalidInput
        If both a session and a frame are given.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"age": range(20, 80), "spend": [i * 7 % 60 for i in range(60)]})
    >>> ab = AudienceBuilder(frame)
    >>> _ = ab.session.confirm(["age", "spend"])
    >>> _ = ab.session.segment(n_segments=12)
    >>> ab.selected, len(ab.segments), ab.snapshot["segmentation"]["n_segments"]
    (['age', 'spend'], 12, 12)
    """

    _esm = _read("widget.js")
    _css = _read("widget.css")

    snapshot = t.Dict(read_only=True).tag(sync=True)
    charts = t.Dict(read_only=True).tag(sync=True)
    _vega = anywidget.WidgetTrait().tag(sync=True)

    def __init__(
        self,
        frame: Any = None,
        dictionary: pd.DataFrame | Mapping[str, str] | str | Path | None = None,
        *,
        session: Session | None = None,
        path: str | Path | None = None,
        **options: Any,
    ) -> None:
        if session is None:
            session = Session(frame, dictionary, **{"background": True, **options})
        elif frame is not None or dictionary is not None or options:
            raise InvalidInput(
                "Both a session and data of its own are given.",
                "Give either `session`, or `frame` and what goes with it.",
            )
        self.session = session
        self._path = None if path is None else Path(path)
        self._kept = -1
        self._drawn: tuple[Any, ...] = ()
        self._building_is_prepared = False
        self._following: threading.Thread | None = None
        self._closed = threading.Event()
        self._line = Line(session, lambda content: self.send(content), self._show, self._follow)
        super().__init__(_vega=VegaRuntime.shared())
        self._show()
        self._unsubscribe = session.subscribe(self._show)
        self.on_msg(lambda _widget, content, _buffers: self._line.receive(content))

    def __repr__(self) -> str:
        return f"AudienceBuilder({self.session!r})"

    @classmethod
    def resume(
        cls, path: str | Path, frame: pd.DataFrame | str | Path | None = None, **options: Any
    ) -> AudienceBuilder:
        """Go on where a builder that was given this `path` stopped, as after a kernel restart.

        Parameters
        ----------
        path : str or pathlib.Path
            As the builder, or `Session.save`, wrote it; what follows is kept there too.
        frame : pandas.DataFrame or path, optional
            The records, where they were an object of your own and no file.
        **options
            As for `Session.open`.

        Returns
        -------
        AudienceBuilder
            Everything is computed anew from the decisions; nothing is exported or sent again.

        Raises
        ------
        NotFound
            If there is no such file.
        DamagedFile
            If it is no saved session.

        Examples
        --------
        >>> import pandas as pd, tempfile, pathlib
        >>> frame = pd.DataFrame({"age": range(20, 80)})
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "builder.json"
        >>> _ = AudienceBuilder(frame, path=path).session.confirm(["age"])
        >>> AudienceBuilder.resume(path, frame).session.selected
        ['age']
        """
        return cls(session=Session.open(path, frame, **options), path=path)

    # -- what was clicked ------------------------------------------------------------------------

    @property
    def selected(self) -> list[str]:
        """Codes of the variables ticked at present, in order."""
        return self.session.selected

    @property
    def segmentation(self) -> Segmentation | None:
        """The segments with the label of each record, once cut."""
        return self.session.segmentation

    @property
    def segments(self) -> list[Segment]:
        """The segments, once cut; else an empty list."""
        found = self.session.segmentation
        return [] if found is None else list(found.segments)

    @property
    def audience(self) -> Audience | None:
        """The picked segments and their records; all segments if none is picked."""
        return self.session.audience

    def export(self, path: str | Path | None = None) -> Path:
        """Write the audience as CSV with a header of its decisions.

        Parameters
        ----------
        path : str or pathlib.Path, optional
            Where to; by default `exports/<the question>.csv`.

        Returns
        -------
        pathlib.Path
            The file; `Audience.read_csv` reads it back.

        Raises
        ------
        WrongStep
            If there are no segments yet.
        NotAllowed
            If the data type lets no rows out.
        """
        return self.session.export(path)

    def to_code(self) -> str:
        """Give Python that leads a fresh kernel to the same audience.

        Returns
        -------
        str
        """
        return self.session.to_code()

    def chart(self, name: str) -> AnyChart:
        """Give a chart of the view, to change or to save.

        Parameters
        ----------
        name : {"relevance", "types", "sizes", "map", "k_curve", "overlap", "lookalike", \
                "performance", "update"}
            Which one; the last four draw what the verb of that name found.

        Returns
        -------
        altair.Chart or altair.LayerChart

        Raises
        ------
        InvalidInput
            If there is no such chart.
        WrongStep
            If there is nothing to draw yet.
        NotAllowed
            If the data type does not allow it.

        Examples
        --------
        >>> import pandas as pd
        >>> ab = AudienceBuilder(pd.DataFrame({"age": range(20, 80)}))
        >>> _ = ab.session.confirm(["age"])
        >>> _ = ab.session.segment(n_segments=12)
        >>> ab.chart("sizes").to_dict()["title"]
        'Segment sizes, limits at 5% and 10%'
        """
        if name in _FOUND:
            found = self.session.insight(name)
            if found is None:
                raise WrongStep(f"There is no {name} yet.", f"Do it first: session.{name}(…).")
            return _FOUND[name](found)
        if name not in _CHARTS:
            known = ", ".join([*_CHARTS, *_FOUND])
            raise InvalidInput(f"There is no chart {str(name)[:40]!r}.", f"Use one of: {known}.")
        draw, of_segments = _CHARTS[name]
        state = self.session.state
        artefact = self.session.segmentation if of_segments else list(state.suggestions)
        if not artefact:
            raise WrongStep(
                f"There are no {'segments' if of_segments else 'suggestions'} yet.",
                "Build segments first." if of_segments else "Ask for an audience first.",
            )
        if name == "map":
            require_allowed(state.rule, "chart people")
        return draw(artefact, state.picked) if name in _PICKED else draw(artefact)

    def close(self) -> None:
        """End the view; the session lives on."""
        # ipywidgets also calls this on a widget that failed while it was made.
        unsubscribe = getattr(self, "_unsubscribe", None)
        if unsubscribe is not None:
            unsubscribe()
            self._closed.set()
            self._line.close()
        super().close()

    # -- session to view -------------------------------------------------------------------------

    def _show(self) -> None:
        """Sync what there is now; the session calls this after each change, holding its lock."""
        with self.session.lock:
            snapshot = self.session.snapshot().to_dict()
            state = self.session.state
            drawn = (state.suggestions, state.segmentation, state.data_type, state.picked)
            with self.hold_sync():
                if len(self._drawn) != len(drawn) or any(
                    new is not old for new, old in zip(drawn, self._drawn, strict=True)
                ):
                    self._drawn = drawn
                    self.set_trait("charts", self._specs())
                self.set_trait("snapshot", snapshot)
            self._keep()
            if state.suggestions and not self._building_is_prepared:
                # Whoever reads suggestions builds next; that would begin with a second of imports.
                self._building_is_prepared = True
                self._line.soon(_prepare_building)
        self._follow()

    def _keep(self) -> None:
        if self._path is None or self.session.revision in (0, self._kept):
            return
        try:
            self.session.save(self._path)
            self._kept = self.session.revision
        except InvalidInput as error:
            # What was clicked holds all the same; the next change tries again.
            logger.warning("The decisions could not be kept: %s", error.fact)

    def _follow(self) -> None:
        """Tell the view how much is learnt of the meanings, until all of it is."""
        index = self.session.opened_index
        if index is None or index.ready or self._following is not None:
            return

        def follow() -> None:
            while not self._closed.is_set() and not index.wait(_LEARNING_S):
                self.send({"index": index_values(index)})
            if not self._closed.is_set():
                self.send({"index": index_values(index)})
                self._show()

        self._following = threading.Thread(target=follow, name="audience-learning", daemon=True)
        self._following.start()

    def _specs(self) -> dict[str, Any]:
        state = self.session.state
        names = ["relevance", "types"] if state.suggestions else []
        if state.segmentation is not None:
            names.append("sizes")
            if "chart people" in state.rule.allows:
                names.append("map")
            if len(state.segmentation.k_curve) > 1:
                names.append("k_curve")
        specs = {}
        for name in names:
            try:
                specs[name] = self.chart(name).to_dict()
            except Exception:
                # The figures are in the view anyway: a chart must not undo a verb that worked.
                logger.exception("The chart %r could not be drawn.", name)
        return specs

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Take state from the front end, except what only the kernel may say.

        Parameters
        ----------
        sync_data : dict
            Trait name to value.
        """
        mine = {"snapshot", "charts", "_vega", "_esm", "_css"}
        super().set_state({name: v for name, v in sync_data.items() if name not in mine})

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        # Whoever looks at the view will ask soon: have the index and the encoder at hand.
        self._line.soon(self._prepare)
        bundle = super()._repr_mimebundle_(**kwargs)
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        if data is None:
            return bundle
        # Hosts prefer the widget to the still, which is what is left of it without a kernel.
        return {**data, "text/html": self.still()}, metadata

    def still(self) -> str:
        """Give the view as it stands now, as HTML that needs no kernel.

        A saved notebook keeps it beside the widget: as of the moment the builder was displayed,
        so display it again at the end. No record is in it.

        Returns
        -------
        str

        Examples
        --------
        >>> import pandas as pd
        >>> "60 records" in AudienceBuilder(pd.DataFrame({"age": range(20, 80)})).still()
        True
        """
        with self.session.lock:
            return still_of(self.snapshot, pictures(self.charts))

    def _prepare(self) -> None:
        try:
            self.session.find("people", limit=1)
            self._show()
        except Exception:
            logger.exception("The search could not be prepared.")


# Name -> how it is drawn, and whether it is about segments rather than suggestions.
_CHARTS: dict[str, tuple[Callable[..., AnyChart], bool]] = {
    "relevance": (relevance_chart, False),
    "types": (type_chart, False),
    "sizes": (size_chart, True),
    "map": (map_chart, True),
    "k_curve": (k_curve_chart, True),
}
# Verb of insight -> how its finding is drawn.
_FOUND: dict[str, Callable[..., AnyChart]] = {
    "overlap": overlap_chart,
    "lookalike": lift_chart,
    "performance": performance_chart,
    "update": drift_chart,
}
# Those in which the segments of the audience stand out.
_PICKED = {"sizes", "map"}
