"""An audience: a named choice of segments, written to a file and read back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from audience_nb.errors import InvalidInput
from audience_nb.export.manifest import manifest_of

if TYPE_CHECKING:
    import pandas as pd

    from audience_nb.segments import Segment

__all__ = ["Audience"]

Format = Literal["csv", "parquet", "json"]
# A file that ends so and holds CSV would be opened by nothing.
_OTHERS = {"xlsx", "xls", "ods", "feather", "arrow", "orc", "avro", "pkl", "gz", "zip", "xml"}


@dataclass(frozen=True)
class Audience:
    """A named choice of segments: what leaves the house.

    Parameters
    ----------
    name : str
        Shown to people and written into the file.
    segments : tuple of Segment
        The chosen segments.
    frame : pandas.DataFrame of shape (size, 2 + n_variables)
        The records, indexed by identifier: `segment`, `segment_name`, then the variables.
    base_size : int
        Records in the base the segments were cut from.
    metadata : mapping
        Decisions that led here (query, variables, bounds, seed …), written into the file.

    Examples
    --------
    >>> import pandas as pd
    >>> Audience("All", (), pd.DataFrame({"segment": [1, 1]}), base_size=4).share
    0.5
    """

    name: str
    segments: tuple[Segment, ...]
    frame: pd.DataFrame = field(repr=False)
    base_size: int
    metadata: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def __repr__(self) -> str:
        return f"Audience({self.name!r}, {len(self.segments)} segments, {self.size:,} records)"

    @property
    def size(self) -> int:
        """Records in the audience."""
        return len(self.frame)

    @property
    def share(self) -> float:
        """Fraction of the base that the audience holds, in [0, 1]."""
        return self.size / self.base_size

    @property
    def manifest(self) -> dict[str, Any]:
        """How the audience came about: query, variables, bounds, seed, counts, label, columns.

        It holds no record and no identifier. Every exported file carries it.
        """
        return manifest_of(self)

    def _leaving(self, plain: bool) -> Audience:
        """Give the audience as a file holds it."""
        from audience_nb.export.hashes import pseudonymous
        from audience_nb.export.table import tidied

        frame = tidied(self.frame)
        return replace(self, frame=frame if plain else pseudonymous(frame))

    def to_csv(
        self,
        path: str | Path,
        *,
        safe: bool = True,
        header: bool = True,
        bom: bool = False,
        plain: bool = False,
    ) -> Path:
        """Write the audience as CSV under a header of `# key: value` lines.

        `read_csv` reads it back; to pandas and DuckDB header lines are comments (`comment="#"`).

        The file appears whole or not at all: it is written beside its place, piece by piece, and
        renamed. Equal audiences give equal bytes. Texts are quoted and numbers are not; `""` is an
        empty text, and where nothing is written a value is missing. What pandas keeps as objects
        that are no texts comes back as texts.

        Parameters
        ----------
        path : str or pathlib.Path
            Where to; folders are made.
        safe : bool, optional
            Put an apostrophe before text that a spreadsheet would run as a formula (OWASP,
            "CSV Injection"), in cells, names and header lines; numbers stay numbers. `read_csv`
            takes it away again. False for machines.
        header : bool, optional
            False for a bare table, with the manifest beside it in `<name>.manifest.json`.
        bom : bool, optional
            Begin with a byte order mark, by which Excel knows UTF-8.
        plain : bool, optional
            Whether e-mail addresses and telephone numbers may leave as they are; by default their
            SHA-256 does.

        Returns
        -------
        pathlib.Path
            The file.

        Raises
        ------
        InvalidInput
            If the place cannot be written to.

        Examples
        --------
        >>> import pandas as pd, tempfile
        >>> audience = Audience("Two", (), pd.DataFrame({"segment": [1, 2]}), base_size=2)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     Audience.read_csv(audience.to_csv(Path(folder) / "two.csv")).equals(audience.frame)
        True
        """
        from audience_nb.export.delimited import write_csv

        leaving = self._leaving(plain)
        return write_csv(leaving.frame, leaving.manifest, path, safe=safe, header=header, bom=bom)

    def to_parquet(self, path: str | Path, *, plain: bool = False) -> Path:
        """Write the audience as Parquet, with the manifest in the file's metadata.

        Parameters
        ----------
        path : str or pathlib.Path
            Where to; folders are made.
        plain : bool, optional
            Whether e-mail addresses and telephone numbers may leave as they are; by default their
            SHA-256 does.

        Returns
        -------
        pathlib.Path
            The file.

        Raises
        ------
        InvalidInput
            If the place cannot be written to, or a column mixes types.
        """
        from audience_nb.export.columnar import write_parquet

        leaving = self._leaving(plain)
        return write_parquet(leaving.frame, leaving.manifest, path)

    def to_json(self, path: str | Path, *, plain: bool = False) -> Path:
        """Write the audience as JSON: `manifest`, then `records`, one a line.

        Parameters
        ----------
        path : str or pathlib.Path
            Where to; folders are made.
        plain : bool, optional
            Whether e-mail addresses and telephone numbers may leave as they are; by default their
            SHA-256 does.

        Returns
        -------
        pathlib.Path
            The file.

        Raises
        ------
        InvalidInput
            If the place cannot be written to.
        """
        from audience_nb.export.lines import write_json

        leaving = self._leaving(plain)
        return write_json(leaving.frame, leaving.manifest, path)

    def write(self, path: str | Path, format: Format | None = None, **options: bool) -> Path:
        r"""Write the audience in the format that the file's name ends in.

        Parameters
        ----------
        path : str or pathlib.Path
            Where to.
        format : {"csv", "parquet", "json"}, optional
            By default the ending; CSV without one, and for .txt.
        **options
            As `to_csv`, `to_parquet` or `to_json` takes them.

        Returns
        -------
        pathlib.Path
            The file.

        Raises
        ------
        InvalidInput
            If there is no such format or option, or the place cannot be written to.

        Examples
        --------
        >>> import pandas as pd, tempfile
        >>> audience = Audience("Two", (), pd.DataFrame({"segment": [1, 2]}), base_size=2)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     audience.write(Path(folder) / "two.csv", bom=True).read_bytes()[:3]
        b'\xef\xbb\xbf'
        """
        chosen = format or Path(path).suffix.lower().lstrip(".") or "csv"
        writers: dict[str, Callable[..., Path]] = {
            "csv": self.to_csv,
            "parquet": self.to_parquet,
            "json": self.to_json,
        }
        if format is None and chosen not in (*writers, *_OTHERS):
            # Names such as "plan.txt" hold CSV.
            chosen = "csv"
        if chosen not in writers:
            raise InvalidInput(f"There is no format {chosen!r}.", "Use csv, parquet or json.")
        takes = {"plain"} | ({"safe", "header", "bom"} if chosen == "csv" else set())
        unknown = sorted(set(options) - takes)
        if unknown:
            raise InvalidInput(
                f"{chosen} has no option {unknown[0]!r}.", f"It has: {', '.join(sorted(takes))}."
            )
        return writers[chosen](path, **options)

    @staticmethod
    def read_csv(path: str | Path) -> pd.DataFrame:
        """Read a file that `to_csv` wrote back to the frame it came from.

        Parameters
        ----------
        path : str or pathlib.Path
            The file.

        Returns
        -------
        pandas.DataFrame of shape (size, 2 + n_variables)
            Equal to the audience's frame: index, columns, dtypes, values. The header stands in
            `frame.attrs["audience"]`.

        Raises
        ------
        NotFound
            If there is no such file.
        DamagedFile
            If it has no header of ours, or fewer rows than the header says.
        """
        from audience_nb.export.delimited import read_csv

        return read_csv(path)

    @staticmethod
    def read(path: str | Path) -> pd.DataFrame:
        """Read a file of any of the three formats back to the frame it came from.

        Parameters
        ----------
        path : str or pathlib.Path
            The file.

        Returns
        -------
        pandas.DataFrame of shape (size, 2 + n_variables)
            As `read_csv` gives it.

        Raises
        ------
        NotFound
            If there is no such file.
        DamagedFile
            If it is none of ours, or torn.
        """
        from audience_nb.export.columnar import read_parquet
        from audience_nb.export.delimited import read_csv
        from audience_nb.export.lines import read_json

        readers = {".parquet": read_parquet, ".json": read_json}
        return readers.get(Path(path).suffix.lower(), read_csv)(path)
