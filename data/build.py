"""Write the demo data: catalogue, lifestyles, drivers, typical values, records and vectors.

::

    python data/build.py            writes the files beside this script
    python data/build.py --check    exits 1 if the files on disk say something else

The catalogue and its companions need the standard library only; `records.csv` is drawn by
`audience_nb.sources.synthetic` and is left alone where that cannot be imported, and so is
`vectors.bin`, which the offline encoder computes from the catalogue's texts.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from demographics import (  # noqa: E402
    N_DEMOGRAPHIC,
    demographic_drivers,
    demographic_records,
    demographic_typicals,
)
from lifestyle_types import LIFESTYLE_COLUMNS, lifestyle_profiles, lifestyle_records  # noqa: E402

__all__ = [
    "FIELDS",
    "catalog_csv",
    "drivers_csv",
    "lifestyles_csv",
    "main",
    "records_csv",
    "typicals_csv",
    "vectors_bin",
]

FIELDS = (
    "code", "label", "kind", "description", "category", "subcategory", "measure", "value_type",
    "values", "value_range", "unit", "update_frequency", "source", "availability", "keywords",
)  # fmt: skip
COUNTS = {"demographic": N_DEMOGRAPHIC, "lifestyle": 68, "statements": 11_655}
N_RECORDS = 1_000
# Vectors that a check computes again.
N_CHECKED = 300
DIFFERS = "differs from what the sources give. Run: python data/build.py"
ATTRIBUTES = (
    "customer_id", "postal_code", "email", "rampid", "uid2", "lifestyle",
    "consent_ads", "consent_sharing", "do_not_sell",
)  # fmt: skip
CODE = re.compile(r"[A-Z0-9_]{3,24}")


def _csv(header: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return buffer.getvalue()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else "|".join(str(part) for part in value)


def _range_cell(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    low, high = value
    return f"{low:g}|{high:g}"


def _check(parts: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """Refuse a catalogue whose counts, codes or labels are not as promised."""
    for name, wanted in COUNTS.items():
        if len(parts[name]) != wanted:
            raise ValueError(f"{len(parts[name]):,} {name} records, not {wanted:,}.")
    for field in ("code", "label"):
        seen: set[str] = set()
        for record in (record for part in parts.values() for record in part):
            value = record[field]
            if value in seen:
                raise ValueError(f"Two variables share the {field} {value!r}.")
            if field == "code" and not CODE.fullmatch(value):
                raise ValueError(f"The code {value!r} is not of the form {CODE.pattern}.")
            seen.add(value)


def catalog_csv() -> str:
    """Give the catalogue as CSV text: 48,333 rows and a header.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If a count is wrong, or a code or label repeats.
    """
    from statements import statement_records

    parts = {
        "demographic": demographic_records(),
        "lifestyle": lifestyle_records(),
        "statements": statement_records(),
    }
    _check(parts)
    return _csv(
        FIELDS,
        (
            [_range_cell(r[f]) if f == "value_range" else _cell(r[f]) for f in FIELDS]
            for part in parts.values()
            for r in part
        ),
    )


def lifestyles_csv() -> str:
    """Give the lifestyle types and their profiles as CSV text: 68 rows and a header."""
    return _csv(
        LIFESTYLE_COLUMNS, ([p[c] for c in LIFESTYLE_COLUMNS] for p in lifestyle_profiles())
    )


def drivers_csv() -> str:
    """Give the loadings on the latents as CSV text: of topics, and of measures against theirs."""
    from statements import against_topic, statement_drivers, statement_records

    of_topics = statement_drivers()
    topic_of = {r["measure"]: r["subcategory"] for r in statement_records()}
    reversed_rows = [
        (measure, latent, -loading)
        for measure in against_topic()
        for topic, latent, loading in of_topics
        if topic == topic_of[measure]
    ]
    rows = [*demographic_drivers(), *of_topics, *reversed_rows]
    return _csv(("topic", "latent", "loading"), ((t, name, f"{v:g}") for t, name, v in rows))


def typicals_csv() -> str:
    """Give what an ordinary area shows for well-known measures as CSV text."""
    rows = ((m, quantity, f"{v:g}", f"{p:g}") for m, quantity, v, p in demographic_typicals())
    return _csv(("measure", "quantity", "typical", "middle"), rows)


def records_csv() -> str | None:
    """Draw the records that ship, as CSV text: 1,000 rows and a header.

    Returns
    -------
    str or None
        None where the package or pandas cannot be imported. All other files are read from the
        disk, so they are written first.

    Raises
    ------
    ValueError
        If a label of `vocabulary/record_variables.csv` is not in the catalogue.
    """
    # Beside the script, not installed: a plain `python data/build.py` must find the checkout.
    sys.path.insert(0, str(HERE.parent))
    try:
        from audience_nb.catalog import Catalog
        from audience_nb.sources.synthetic import SyntheticSource
    except ImportError:
        return None
    finally:
        sys.path.remove(str(HERE.parent))
    try:
        import pandas  # noqa: F401
    except ImportError:
        return None
    catalog = Catalog.demo()
    codes = dict(zip(catalog.column("label"), catalog.codes, strict=True))
    with (HERE / "vocabulary" / "record_variables.csv").open(encoding="utf-8", newline="") as file:
        labels = [row["label"] for row in csv.DictReader(file)]
    unknown = [label for label in labels if label not in codes]
    if unknown:
        raise ValueError(f"{len(unknown)} record variables are unknown, first {unknown[0]!r}.")
    source = SyntheticSource(catalog, N_RECORDS, random_state=0)
    frame = source.fetch([*ATTRIBUTES, *(codes[label] for label in labels)])
    return str(frame.to_csv(index="customer_id" not in frame.columns, lineterminator="\n"))


def vectors_bin() -> bytes | None:
    """Encode what the catalogue's measures say, so that the first search need not.

    Returns
    -------
    bytes or None
        A file of `audience_nb.search.container`: hashes of the texts, rising, and a direction of
        512 8-bit integers for each. None where the package or its encoder cannot be imported.
    """
    texts = _texts_to_encode()
    if texts is None:
        return None
    import numpy as np

    from audience_nb.embedding import OfflineEncoder
    from audience_nb.search.container import write_arrays
    from audience_nb.search.learning import text_key
    from audience_nb.search.vectors import quantized

    encoder = OfflineEncoder()
    texts.sort(key=text_key)
    keys = np.array([text_key(text) for text in texts], np.uint64)
    vectors = quantized(encoder.encode(texts))
    buffer = io.BytesIO()
    write_arrays(buffer, _vectors_key(), {"keys": keys, "vectors": vectors})
    return buffer.getvalue()


def _vectors_key() -> dict[str, str]:
    from audience_nb.embedding import OfflineEncoder

    encoder = OfflineEncoder()
    return {"encoder": encoder.name, "dimensions": str(encoder.n_dimensions)}


def _texts_to_encode() -> list[str] | None:
    sys.path.insert(0, str(HERE.parent))
    try:
        from audience_nb.catalog import Catalog
        from audience_nb.embedding import OfflineEncoder
        from audience_nb.errors import MissingExtra
        from audience_nb.search.documents import Documents
    except ImportError:
        return None
    finally:
        sys.path.remove(str(HERE.parent))
    try:
        OfflineEncoder()
    except MissingExtra:
        return None
    documents = Documents.build(Catalog.demo())
    return list(dict.fromkeys(text for texts in documents.texts() for text, _ in texts))


def _vectors_agree(path: Path) -> bool | None:
    """Tell whether the vectors are of the catalogue's texts, and some of them right.

    Numbers differ in the last place between processors, so a rounded value may be 1 off.
    """
    texts = _texts_to_encode()
    if texts is None:
        return None
    import numpy as np

    from audience_nb.embedding import OfflineEncoder
    from audience_nb.errors import DamagedFile
    from audience_nb.search.container import read_arrays
    from audience_nb.search.learning import text_key

    try:
        arrays = read_arrays(path, _vectors_key())
    except (DamagedFile, FileNotFoundError):
        return False
    by_key = {text_key(text): text for text in texts}
    keys, vectors = arrays["keys"], arrays["vectors"]
    if keys.tolist() != sorted(by_key):
        return False
    sample = range(0, len(keys), max(1, len(keys) // N_CHECKED))
    encoded = OfflineEncoder().encode([by_key[int(keys[i])] for i in sample])
    stored = vectors[sample].astype(np.float64)
    scale = np.linalg.norm(stored, axis=1, keepdims=True)
    return bool(np.abs(encoded * scale - stored).max() < 1.0)


FILES: dict[str, Callable[[], str | None]] = {
    "catalog.csv.gz": catalog_csv,
    "lifestyles.csv": lifestyles_csv,
    "drivers.csv": drivers_csv,
    "typicals.csv": typicals_csv,
    "records.csv": records_csv,
}


def _read(path: Path) -> str | None:
    if not path.is_file():
        return None
    content = path.read_bytes()
    return (gzip.decompress(content) if path.suffix == ".gz" else content).decode("utf-8")


def _write(path: Path, text: str) -> None:
    content = text.encode("utf-8")
    if path.suffix == ".gz":
        # No name and no time in the header: the same text gives the same bytes.
        content = gzip.compress(content, compresslevel=9, mtime=0)
    path.write_bytes(content)


def main(arguments: list[str]) -> int:
    """Write or check the files.

    Parameters
    ----------
    arguments : list of str
        Empty, or ``["--check"]``.

    Returns
    -------
    int
        0 if the files were written or agree, 1 if one differs, 2 for an unknown argument.
    """
    if set(arguments) - {"--check"}:
        print(f"Unknown argument {arguments[0]!r}. Use --check or nothing.", file=sys.stderr)
        return 2
    status = 0
    for name, build in FILES.items():
        path = HERE / name
        text = build()
        if text is None:
            print(f"{name}: left alone, audience_nb cannot be imported")
        elif not arguments:
            _write(path, text)
            print(f"{name}: {text.count(chr(10)) - 1:,} rows, {path.stat().st_size:,} bytes")
        # Compressed bytes may differ between builds of zlib, so the content is compared.
        elif _read(path) != text:
            print(f"{name}: {DIFFERS}")
            status = 1
    return max(status, _vectors(check=bool(arguments)))


def _vectors(*, check: bool) -> int:
    path = HERE / "vectors.bin"
    if check:
        agree = _vectors_agree(path)
        if agree is False:
            print(f"{path.name}: {DIFFERS}")
        return int(agree is False)
    content = vectors_bin()
    if content is None:
        print(f"{path.name}: left alone, audience_nb or its encoder cannot be imported")
    else:
        path.write_bytes(content)
        print(f"{path.name}: {len(content):,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
