"""An HTTP interface that gives one variable at a time: POST {base}/data/{variable}."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from threading import Event
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from audience_nb.dropped import Dropped, merged
from audience_nb.embedding.retries import Failure, Patience, retry_after
from audience_nb.errors import (
    AudienceError,
    Cancelled,
    InvalidInput,
    NotAllowed,
    NotFound,
    SourceFailed,
)
from audience_nb.sources.conditions import Condition, ValueKind, mask_of
from audience_nb.sources.frame import kinds_of_columns
from audience_nb.sources.tabular import (
    NO_ID,
    REPEATED,
    STAGE,
    Fetched,
    Progress,
    Tabular,
    one_row_each,
    require_records,
)
from audience_nb.sources.text import reading_of

if TYPE_CHECKING:
    import pandas as pd
    import urllib3

__all__ = ["HttpSource"]

_PIECE = 1 << 16
# No variable of ten million people is longer; more is a fault or worse.
_MOST_BYTES = 2_000_000_000
_PASSING = {408, 425, 429, 500, 502, 503, 504}


class HttpSource(Tabular):
    """Variables from an HTTP interface, each by `POST {base}/data/{variable}`.

    The body sent is `{"filters": {column: {operator: value}}}`; the answer is JSON, either a list
    of records or a mapping from column to list, with the id and the variable, which may also be
    called "value". Filters are applied again to what comes, so that an interface may pass them
    over. Connections are kept and shared; a busy or failing server is asked again, after as long
    as it says (`Retry-After`) or longer each time. The token goes into the header
    `Authorization: Bearer` and nowhere else.

    Parameters
    ----------
    base : str
        Such as "https://data.example.com/v1"; redirects are not followed, for they would take
        the token along.
    columns : sequence of str
        The variables it has: it cannot say so itself. The first of them decides who is a record.
    id : str, optional
        Field that identifies a record.
    token : str, optional
        What lets one in.
    timeout : float, optional
        Seconds to connect, and to wait for more of an answer.
    max_retries : int, optional
        Further attempts for each variable.
    longest_wait : float, optional
        Seconds between two attempts at most, whatever the server asks.
    connections : int, optional
        Variables that are fetched at a time.
    name : str, optional
        Shown to people; by default the host.

    Raises
    ------
    NotAllowed
        If the server refuses the token (401, 403).
    NotFound
        If the server does not know a variable (404).
    SourceFailed
        If it stays busy (429), fails (500 and above), cannot be reached, or its answer cannot be
        used.
    InvalidInput
        If the address, the token or an option cannot be used.
    """

    def __init__(
        self,
        base: str,
        *,
        columns: Sequence[str] = (),
        id: str | None = None,
        token: str | None = None,
        timeout: float = 30.0,
        max_retries: int = 4,
        longest_wait: float = 30.0,
        connections: int = 4,
        name: str | None = None,
    ) -> None:
        parts = urlsplit(base)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise InvalidInput(f"{parts.scheme}:// is no HTTP address.", "Begin it with https://.")
        if parts.username or parts.query or parts.fragment:
            raise InvalidInput(
                "The address holds a user, a query or a fragment.",
                "Give the address alone, and what lets you in as token.",
            )
        if not columns:
            raise InvalidInput(
                "An HTTP interface cannot say which variables it has.",
                "Name them as columns, or give the catalogue.",
            )
        if id is None:
            raise InvalidInput("No id is named.", "Name the field that identifies a record as id.")
        if token is not None and not (token.isascii() and token.isprintable()):
            raise InvalidInput("The token holds characters that no header can.", "Check the token.")
        if connections < 1:
            raise InvalidInput(f"connections is {connections}.", "Give at least 1.")
        self._base = base.rstrip("/")
        self._token = token
        self._connections = connections
        self._patience = Patience(timeout, max_retries, longest_wait)
        self._pool = _pool_of(connections, timeout)
        self.id = id
        self.name = name or parts.hostname
        names = list(dict.fromkeys(str(c) for c in columns if c != id))
        first, _ = self._variable(names[0], [], Event())
        kinds: dict[str, ValueKind] = {id: kinds_of_columns(first.index.to_frame(name=id))[id]}
        # Of the others the kinds show only once they are fetched.
        kinds |= dict.fromkeys(names, "text")
        kinds |= kinds_of_columns(first)
        self._seen = {names[0]}
        super().__init__(self.name, len(first), kinds, id=id)

    def _fetch(self, columns: list[str], where: list[Condition], tell: Progress) -> Fetched:
        import pandas as pd

        names = [c for c in dict.fromkeys([*columns, *(c.column for c in where)]) if c != self.id]
        people = next(c for c in self.kinds if c != self.id)
        stop = Event()
        parts: dict[str, tuple[pd.DataFrame, tuple[Dropped, ...]]] = {}
        wanted = list(dict.fromkeys([people, *names]))
        with ThreadPoolExecutor(self._connections, thread_name_prefix="audience-http") as pool:
            try:
                futures = {
                    # Who is a record must not depend on what the interface filters.
                    name: pool.submit(self._variable, name, [] if name == people else where, stop)
                    for name in wanted
                }
                for done, (name, future) in enumerate(futures.items(), start=1):
                    parts[name] = _patient(future, tell, (done - 1) / len(futures))
                    tell(STAGE, done / len(futures))
            except BaseException:
                stop.set()
                for future in futures.values():
                    future.cancel()
                raise
        index = parts[people][0].index
        dropped = parts[people][1]
        given = {}
        n_strange = 0
        for name in names:
            column = parts.pop(name)[0][name] if name != people else parts[name][0][name]
            n_strange += int((~column.index.isin(index)).sum()) if not where else 0
            given[name] = column.reindex(index) if not column.index.equals(index) else column
        keep = mask_of(where, {**given, self.id or "": index.to_series()}, len(index))
        if self.id in columns:
            given[str(self.id)] = index.to_series()
        frame = pd.DataFrame({c: given[c] for c in columns}, index=index).loc[keep]
        frame.columns = pd.Index(columns, dtype=object if not columns else None)
        strange = Dropped(f"a value for an id that {people!r} does not have", n_strange)
        return Fetched(frame, len(frame), merged(dropped, [strange]))

    def sample(self, n: int) -> pd.DataFrame:
        """Fetch all variables, and give records spread over them.

        Parameters
        ----------
        n : int
            At most so many, at least 1.

        Returns
        -------
        pandas.DataFrame of shape (n_rows, n_columns)

        Raises
        ------
        InvalidInput
            If `n` is below 1.
        """
        if n < 1:
            raise InvalidInput(f"A sample of {n:,} rows was asked for.", "Ask for at least 1.")
        frame = self.fetch([c for c in self.kinds if c != self.id])
        return frame.iloc[:: max(1, -(-len(frame) // n))]

    # -- one variable ----------------------------------------------------------------------------

    def _checked(self, where: Sequence[Condition]) -> list[Condition]:
        for condition in where:
            column = getattr(condition, "column", None)
            if column in self.kinds and column != self.id and column not in self._seen:
                self._variable(str(column), [], Event())
        return super()._checked(where)

    def _variable(
        self, name: str, where: Sequence[Condition], stop: Event
    ) -> tuple[pd.DataFrame, tuple[Dropped, ...]]:
        """Fetch one variable, indexed by the id, one row each."""
        import pandas as pd

        if name in (".", "..") or "\0" in name:
            raise NotFound(f"{name!r} is no name of a variable.", "Check the code.")
        filters: dict[str, dict[str, Any]] = {}
        for condition in where:
            if condition.operator != "is missing":
                filters.setdefault(condition.column, {}).setdefault(
                    condition.operator, condition.value
                )
        body = json.dumps({"filters": filters}, default=lambda moment: moment.isoformat())
        content = self._asked(name, body.encode(), stop)
        try:
            answer = json.loads(content)
            frame = pd.DataFrame(answer)
        except (ValueError, TypeError, RecursionError, AttributeError):
            answer, frame = None, pd.DataFrame()
        del content
        if not isinstance(answer, list | dict):
            raise SourceFailed(
                f"{self.name} answered for {name!r} with something that is no table.",
                "The interface has to answer with a list of records, or a mapping of lists.",
            )
        if answer in ([], {}):
            frame = pd.DataFrame({self.id: pd.Series(dtype="str"), name: pd.Series(dtype=float)})
        value = name if name in frame.columns else "value"
        if self.id not in frame.columns or value not in frame.columns:
            raise SourceFailed(
                f"The answer for {name!r} lacks the field {self.id!r} or one called {name!r} or "
                "'value'.",
                "Check the id, and what the interface gives.",
            )
        ids = frame[self.id]
        known = ids.notna() & ids.astype("string").str.strip().ne("").fillna(False)
        n_rows, n_without = len(frame), int((~known).sum())
        frame = pd.DataFrame(
            {name: frame[value][known].to_numpy()}, index=pd.Index(ids[known], name=self.id)
        ).infer_objects()
        frame[name] = _dates_read(frame[name])
        frame, n_repeated = one_row_each(frame)
        require_records(n_rows, len(frame), n_without, str(self.id), self.name)
        if len(frame) and not where:
            self._learn(name, frame)
        dropped = merged([Dropped(NO_ID, n_without), Dropped(REPEATED, n_repeated)])
        return frame.sort_index(), dropped

    def _learn(self, name: str, frame: pd.DataFrame) -> None:
        kinds = getattr(self, "kinds", None)
        if kinds is not None:
            kinds[name] = kinds_of_columns(frame)[name]
            self._seen.add(name)

    def _asked(self, name: str, body: bytes, stop: Event) -> bytes:
        """Ask until there is an answer, or no more patience."""
        import urllib3

        url = f"{self._base}/data/{quote(name, safe='')}"
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self._token is not None:
            headers["Authorization"] = f"Bearer {self._token}"
        failure = Failure("no answer")
        status = 0
        for attempt in range(self._patience.max_retries + 1):
            if attempt and stop.wait(self._patience.wait(failure, attempt - 1)):
                break
            try:
                response = self._pool.request(
                    "POST",
                    url,
                    body=body,
                    headers=headers,
                    redirect=False,
                    retries=False,
                    preload_content=False,
                )
                try:
                    status = response.status
                    if status == 200:
                        return _content(response, stop, self.name)
                    failure = Failure(
                        f"answered {status}",
                        passing=status in _PASSING,
                        asked_wait=retry_after({k.lower(): v for k, v in response.headers.items()}),
                    )
                    if not failure.passing:
                        raise self._refused(status, name)
                    response.drain_conn()
                finally:
                    response.release_conn()
            except urllib3.exceptions.NewConnectionError:
                status, failure = 0, Failure("cannot be reached")
            except urllib3.exceptions.TimeoutError:
                status, failure = 0, Failure("gave no answer in time")
            except urllib3.exceptions.HTTPError as error:
                status, failure = 0, Failure(f"gave no whole answer ({type(error).__name__})")
        if stop.is_set():
            raise Cancelled("Stopped, as you asked.", "")
        raise self._given_up(status, failure, name)

    def _refused(self, status: int, name: str) -> AudienceError:
        if status in (401, 403):
            what = "no token was given" if self._token is None else "it does not take the token"
            return NotAllowed(
                f"{self.name} answered {status} for {name!r}: {what}.",
                "Give a token that may read it." if status == 401 else "Ask for access to it.",
            )
        if status == 404:
            return NotFound(
                f"{self.name} answered 404: it has no variable {name!r}.",
                "Check the code and the address.",
            )
        if 300 <= status < 400:
            return SourceFailed(
                f"{self.name} answered {status}: it wants another address to be asked.",
                "Give that one; redirects are not followed, as they would take the token along.",
            )
        return SourceFailed(
            f"{self.name} answered {status} for {name!r}.", "Check what the interface expects."
        )

    def _given_up(self, status: int, failure: Failure, name: str) -> AudienceError:
        n = self._patience.max_retries + 1
        times = "once" if n == 1 else f"{n} times"
        if status == 429:
            asked = failure.asked_wait
            wait = "" if math.isnan(asked) else f" and asks to wait {asked:,.0f} s"
            return SourceFailed(
                f"{self.name} is busy: it answered 429 {times} for {name!r}{wait}.",
                "Try again later, with fewer connections or a larger longest_wait.",
            )
        if status >= 500:
            return SourceFailed(
                f"{self.name} failed inside: it answered {status} {times} for {name!r}.",
                "Try again later, or tell those who run it.",
            )
        return SourceFailed(
            f"{self.name} {failure.reason}, asked {times} for {name!r}.",
            "Check the address and that it is running, or raise timeout.",
        )


def _dates_read(column: pd.Series[Any]) -> pd.Series[Any]:
    """Read as dates the texts that all are: JSON has no dates of its own."""
    import pandas as pd

    if kinds_of_columns(column.to_frame())[str(column.name)] != "text":
        return column
    texts = [t if isinstance(t, str) else None for t in column.dropna().unique()]
    if None in texts or reading_of(texts, decimal_comma=False) != "date":
        return column
    dates: pd.Series[Any] = pd.to_datetime(column, format="ISO8601", errors="coerce")
    return dates.astype("datetime64[us]")


def _pool_of(connections: int, timeout: float) -> urllib3.PoolManager:
    import urllib3

    return urllib3.PoolManager(
        num_pools=1,
        maxsize=connections,
        block=True,
        timeout=urllib3.Timeout(connect=timeout, read=timeout),
    )


def _content(response: urllib3.BaseHTTPResponse, stop: Event, name: str) -> bytes:
    pieces = bytearray()
    for piece in response.stream(_PIECE):
        pieces += piece
        if stop.is_set():
            raise Cancelled("Stopped, as you asked.", "")
        if len(pieces) > _MOST_BYTES:
            raise SourceFailed(
                f"{name} answers with more than {_MOST_BYTES:,} bytes.", "Filter the records."
            )
    return bytes(pieces)


def _patient(future: Future[Any], tell: Progress, fraction: float) -> Any:
    """Wait for an answer, and let people stop the waiting."""
    while True:
        try:
            return future.result(timeout=0.2)
        except FutureTimeout:
            if future.done():
                return future.result()
            tell(STAGE, fraction)
