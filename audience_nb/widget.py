"""AudienceBuilder: a Session in one view, for JupyterLab and every other host of anywidget."""

from __future__ import annotations

import contextvars
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import anywidget
import traitlets as t

from audience_nb.charts import (
    k_curve_chart,
    map_chart,
    relevance_chart,
    size_chart,
    type_chart,
)
from audience_nb.errors import AudienceError, Cancelled, InvalidInput, WrongStep
from audience_nb.policy import require_allowed, rule_of
from audience_nb.session import Session
from audience_nb.snapshot import index_values, suggestion_values

if TYPE_CHECKING:
    import pandas as pd

    from audience_nb.charts import AnyChart
    from audience_nb.export import Audience
    from audience_nb.segments import Segment, Segmentation

__all__ = ["AudienceBuilder", "VegaRuntime"]

logger = logging.getLogger(__name__)

_STATIC = Path(__file__).parent / "static"
# The view gives a kernel up for dead after 20 s of silence.
_HEARTBEAT_S = 5.0
_PROGRESS_S = 0.1
_LEARNING_S = 0.5
_MOST_FOUND = 20


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
    frame : pandas.DataFrame, path to a CSV file, or None
        Your records, one row each; None for the demo data.
    dictionary : pandas.DataFrame, mapping, path, or None
        Codebook of the frame's columns.
    session : Session, optional
        One to go on with, instead of `frame` and `dictionary`.
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
        frame: pd.DataFrame | str | Path | None = None,
        dictionary: pd.DataFrame | Mapping[str, str] | str | Path | None = None,
        *,
        session: Session | None = None,
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
        self._cancel = threading.Event()
        self._drawn: tuple[Any, ...] = ()
        self._building_is_prepared = False
        self._following: threading.Thread | None = None
        self._closed = threading.Event()
        # One line for verbs, so that they happen in the order of the clicks; one for typing, so
        # that it is answered meanwhile.
        self._verbs = ThreadPoolExecutor(1, thread_name_prefix="audience-verbs")
        self._finds = ThreadPoolExecutor(1, thread_name_prefix="audience-finds")
        super().__init__(_vega=VegaRuntime.shared())
        self._show()
        self._unsubscribe = session.subscribe(self._show)
        self.on_msg(self._receive)

    def __repr__(self) -> str:
        return f"AudienceBuilder({self.session!r})"

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
        name : {"relevance", "types", "sizes", "map", "k_curve"}
            Which one.

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
        if name not in _CHARTS:
            raise InvalidInput(
                f"There is no chart {str(name)[:40]!r}.", f"Use one of: {', '.join(_CHARTS)}."
            )
        draw, of_segments = _CHARTS[name]
        state = self.session.state
        artefact = state.segmentation if of_segments else list(state.suggestions)
        if not artefact:
            raise WrongStep(
                f"There are no {'segments' if of_segments else 'suggestions'} yet.",
                "Build segments first." if of_segments else "Ask for an audience first.",
            )
        if name == "map":
            require_allowed(state.data_type, "chart people")
        return draw(artefact)

    def close(self) -> None:
        """End the view; the session lives on."""
        # ipywidgets also calls this on a widget that failed while it was made.
        unsubscribe = getattr(self, "_unsubscribe", None)
        if unsubscribe is not None:
            unsubscribe()
            self._closed.set()
            self._cancel.set()
            self._verbs.shutdown(wait=False, cancel_futures=True)
            self._finds.shutdown(wait=False, cancel_futures=True)
        super().close()

    # -- session to view -------------------------------------------------------------------------

    def _show(self) -> None:
        """Sync what there is now; the session calls this after each change, holding its lock."""
        with self.session.lock:
            snapshot = self.session.snapshot().to_dict()
            state = self.session.state
            drawn = (state.suggestions, state.segmentation, state.data_type)
            with self.hold_sync():
                if len(self._drawn) != 3 or any(
                    new is not old for new, old in zip(drawn, self._drawn, strict=True)
                ):
                    self._drawn = drawn
                    self.set_trait("charts", self._specs())
                self.set_trait("snapshot", snapshot)
            if state.suggestions and not self._building_is_prepared:
                # Whoever reads suggestions builds next; that would begin with a second of imports.
                self._building_is_prepared = True
                self._finds.submit(_prepare_building)
        self._follow()

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
            if "chart people" in rule_of(state.data_type).allows:
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
        self._finds.submit(self._prepare)
        return super()._repr_mimebundle_(**kwargs)

    def _prepare(self) -> None:
        try:
            self.session.find("people", limit=1)
            self._show()
        except Exception:
            logger.exception("The search could not be prepared.")

    # -- view to session -------------------------------------------------------------------------

    def _receive(self, _widget: Any, content: Any, _buffers: Any) -> None:
        """Take one message of the front end. Nothing raised here would be shown anywhere."""
        if not isinstance(content, dict):
            return
        id = content.get("id")
        verb, arguments = content.get("verb"), content.get("arguments") or {}
        if not isinstance(id, str) or len(id) > 64:
            return
        if not isinstance(verb, str) or not isinstance(arguments, dict):
            with self._answering(id):
                raise InvalidInput("The message names no verb.", "Send a verb and its arguments.")
        elif verb == "cancel":
            self._cancel.set()
            self.send({"id": id, "ok": True})
        elif verb == "find":
            self._later(self._finds, self._find, id, arguments)
        else:
            self._later(self._verbs, self._perform, id, verb, arguments)

    def _later(self, line: ThreadPoolExecutor, work: Callable[..., None], *given: Any) -> None:
        # The context tells the kernel which message the output of the work belongs to.
        line.submit(contextvars.copy_context().run, work, *given)

    def _find(self, id: str, arguments: dict[str, Any]) -> None:
        with self._answering(id):
            text, limit = arguments.get("text"), arguments.get("limit", 8)
            if not isinstance(text, str) or not isinstance(limit, int):
                raise InvalidInput("find takes a text and a limit.", "Give both.")
            found = self.session.find(text[:200], limit=min(max(limit, 1), _MOST_FOUND))
            self.send({"id": id, "found": [suggestion_values(s) for s in found]})
            self._follow()

    def _perform(self, id: str, verb: str, arguments: dict[str, Any]) -> None:
        with self._answering(id), self._progress(id) as tell:
            self._cancel.clear()
            try:
                self.session.perform(verb, arguments, tell)
            except BaseException:
                # A verb that failed told no one, yet what was said before it failed shall show.
                self._show()
                raise
            self.send({"id": id, "ok": True})

    @contextmanager
    def _answering(self, id: str) -> Iterator[None]:
        """Answer with the error if there is one; the log alone gets more than its name."""
        try:
            yield
        except AudienceError as error:
            self._send_error(id, error.fact, error.next_move)
        except Exception as error:
            logger.exception("A message of the view failed.")
            self._send_error(
                id,
                f"Something failed inside: {type(error).__name__}.",
                "Your work so far is intact. Try again; the log of the kernel says more.",
            )

    def _send_error(self, id: str, fact: str, next_move: str) -> None:
        self.send({"id": id, "error": {"fact": fact, "next_move": next_move}})

    @contextmanager
    def _progress(self, id: str) -> Iterator[Callable[[str, float], None]]:
        """Send progress as it is told, and the last of it again while nothing is told."""
        last = {"stage": "", "fraction": 0.0}
        sent_at = 0.0
        over = threading.Event()

        def send() -> None:
            self.send({"id": id, "progress": dict(last)})

        def tell(stage: str, fraction: float) -> None:
            nonlocal sent_at
            if self._cancel.is_set():
                raise Cancelled("Stopped, as you asked.", "Nothing was changed.")
            fresh = stage != last["stage"]
            last.update(stage=str(stage)[:80], fraction=min(max(float(fraction), 0.0), 1.0))
            if fresh or time.monotonic() - sent_at > _PROGRESS_S:
                sent_at = time.monotonic()
                send()

        def beat() -> None:
            while not over.wait(_HEARTBEAT_S):
                send()

        threading.Thread(target=beat, name="audience-heartbeat", daemon=True).start()
        try:
            yield tell
        finally:
            over.set()


# Name -> how it is drawn, and whether it is about segments rather than suggestions.
_CHARTS: dict[str, tuple[Callable[[Any], AnyChart], bool]] = {
    "relevance": (relevance_chart, False),
    "types": (type_chart, False),
    "sizes": (size_chart, True),
    "map": (map_chart, True),
    "k_curve": (k_curve_chart, True),
}
