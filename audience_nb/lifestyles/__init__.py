"""Lifestyle systems: what types of people a segment is made of, against the base."""

from __future__ import annotations

import csv
import math
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audience_nb.catalog import demo_file
from audience_nb.errors import DamagedFile, InvalidInput, NotFound
from audience_nb.lifestyles.by_postal_code import by_postal_code, read_postal_codes
from audience_nb.lifestyles.by_profile import by_profile

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "Lifestyle",
    "LifestyleSystem",
    "by_postal_code",
    "by_profile",
    "entropy",
    "how_to_read",
    "read_postal_codes",
]


@dataclass(frozen=True, slots=True)
class Lifestyle:
    """One type of a lifestyle system.

    Parameters
    ----------
    code : str
        Name for machines, unique in its system.
    name : str
        Name for people.
    social_group, lifestage_group : str
        The coarser groups it belongs to, or "".
    description : str
        One sentence, or "".

    Examples
    --------
    >>> Lifestyle("LS01", "Lakeside Terraces").code
    'LS01'
    """

    code: str
    name: str
    social_group: str = ""
    lifestage_group: str = ""
    description: str = ""


_FIELDS = tuple(field.name for field in fields(Lifestyle))


def entropy(counts: Collection[int]) -> float:
    """Measure how evenly records spread over types.

    Parameters
    ----------
    counts : collection of int
        Records of each type; zeros change nothing.

    Returns
    -------
    float
        Shannon entropy in nats: 0 for one type, exactly ln(m) for m equal counts.

    Raises
    ------
    InvalidInput
        If a count is negative or all are zero.

    Notes
    -----
    H = -Σ p ln p with p = count / total (Shannon 1948, "A mathematical theory of
    communication").

    Examples
    --------
    >>> entropy([7]), round(entropy([2, 1, 1]), 4)
    (0.0, 1.0397)
    """
    present = [int(count) for count in counts if count != 0]
    if not present or min(present) < 0:
        raise InvalidInput(
            f"{len(counts)} counts hold {len(present)} that differ from zero, "
            f"the smallest {min(present, default=0)}.",
            "Give at least one positive count and none below zero.",
        )
    if min(present) == max(present):
        # The sum would miss ln(m) by a rounding error, and equal is what people check first.
        return math.log(len(present))
    total = sum(present)
    spread = -math.fsum(n / total * math.log(n / total) for n in present)
    return min(max(spread, 0.0), math.log(len(present)))


class LifestyleSystem:
    """A table of lifestyle types, in the manner of Claritas' PRIZM.

    Parameters
    ----------
    lifestyles : iterable of Lifestyle
        Any number of types with unique codes.
    name : str, optional
        Shown to people.

    Raises
    ------
    InvalidInput
        If there are no types, a code or name is empty, or codes repeat.

    Examples
    --------
    >>> system = LifestyleSystem([Lifestyle("A", "Settled"), Lifestyle("B", "On the move")])
    >>> len(system), system["B"].name
    (2, 'On the move')
    """

    def __init__(self, lifestyles: Iterable[Lifestyle], *, name: str = "lifestyles") -> None:
        self.name = name
        given = list(lifestyles)
        self._types = {lifestyle.code: lifestyle for lifestyle in given}
        if not given:
            raise InvalidInput("The lifestyle system has 0 types.", "Give at least one.")
        nameless = [t for t in given if not (t.code.strip() and t.name.strip())]
        if nameless:
            raise InvalidInput(
                f"{len(nameless)} of {len(given)} types lack a code or a name.",
                "Give each type both.",
            )
        if len(self._types) != len(given):
            code, times = Counter(t.code for t in given).most_common(1)[0]
            raise InvalidInput(
                f"{len(given) - len(self._types)} of {len(given)} types repeat a code; "
                f"{code!r} stands {times} times.",
                "Give each type its own code.",
            )
        # Spreadsheets turn the code "07" into the number 7: both find the type.
        self._found = {_plain(code): code for code in reversed(self._types)}
        self._found.update({code: code for code in self._types})

    def __len__(self) -> int:
        return len(self._types)

    def __iter__(self) -> Iterator[Lifestyle]:
        return iter(self._types.values())

    def __contains__(self, code: object) -> bool:
        return code in self._types

    def __getitem__(self, code: str) -> Lifestyle:
        try:
            return self._types[code]
        except KeyError:
            raise NotFound(
                f"No lifestyle of {len(self)} has the code {code!r}.",
                f"Codes look like {next(iter(self._types))!r}.",
            ) from None

    def __repr__(self) -> str:
        return f"LifestyleSystem({self.name!r}, {len(self)} types)"

    @property
    def codes(self) -> tuple[str, ...]:
        """Codes in the order of the table."""
        return tuple(self._types)

    def resolved(self, code: object) -> str | None:
        """Give a code as the table writes it.

        Parameters
        ----------
        code : object
            As somebody else's table writes it: 7, "07" and " 7 " are one.

        Returns
        -------
        str or None
            None for a type that is not in the system.

        Examples
        --------
        >>> LifestyleSystem([Lifestyle("07", "Settled")]).resolved(7)
        '07'
        """
        text = _text(code)
        return self._found.get(text, self._found.get(_plain(text)))

    @classmethod
    def demo(cls) -> LifestyleSystem:
        """Read the 68 types that ship with the package.

        Returns
        -------
        LifestyleSystem

        Examples
        --------
        >>> LifestyleSystem.demo()
        LifestyleSystem('Lifestyles 68', 68 types)
        """
        return cls(cls.read(demo_file("lifestyles.csv")), name="Lifestyles 68")

    @classmethod
    def read(cls, path: str | Path) -> LifestyleSystem:
        """Read a system of any number of types.

        Parameters
        ----------
        path : str or pathlib.Path
            CSV with the columns code and name, and perhaps social_group, lifestage_group and
            description; further columns are passed over.

        Returns
        -------
        LifestyleSystem
            Named after the file.

        Raises
        ------
        NotFound
            If there is no such file.
        DamagedFile
            If it is not UTF-8 text, or lacks the columns code and name.
        InvalidInput
            As for the class itself.

        Examples
        --------
        >>> LifestyleSystem.read(demo_file("lifestyles.csv"))["LS01"].code
        'LS01'
        """
        path = Path(path)
        if not path.is_file():
            raise NotFound(f"There is no file {path.name!r}.", "Check the path.")
        try:
            with path.open(encoding="utf-8-sig", newline="") as file:
                table = list(csv.DictReader(file))
        except (UnicodeDecodeError, csv.Error) as error:
            raise DamagedFile(
                f"{path.name} cannot be read as CSV ({error}).", "Save it as UTF-8 CSV."
            ) from error
        rows = [_cells(row) for row in table]
        missing = [name for name in ("code", "name") if rows and name not in rows[0]]
        if missing:
            raise DamagedFile(
                f"{path.name} has no column {' nor '.join(missing)} among {len(rows[0])} columns.",
                "Name the columns code, name, social_group, lifestage_group, description.",
            )
        known = ({name: row[name] for name in _FIELDS if name in row} for row in rows)
        return cls((Lifestyle(**row) for row in known), name=path.stem)

    def profile(self, codes: pd.Series[Any], labels: pd.Series[Any]) -> pd.DataFrame:
        """Compare each segment's types with those of the base.

        Parameters
        ----------
        codes : pandas.Series of shape (n_records,)
            Lifestyle code of each record; the base is all records whose code is known.
        labels : pandas.Series of shape (n_records,)
            Segment of each record, on the same index in any order.

        Returns
        -------
        pandas.DataFrame
            One row for each type present in a segment, the most frequent first: segment,
            lifestyle (code), name, count, share, base_share (fractions in [0, 1]), index
            (100 × share / base_share; 100 = base), and for the whole segment entropy
            (nats) and diversity (entropy / ln(number of types in the system): 0 for one type,
            1 for all types equally often). `attrs["unknown"]` maps codes that the system lacks
            to their counts (missing ones under ""), `attrs["notes"]` says it in sentences.

        Raises
        ------
        InvalidInput
            If the two indexes hold different records, or no code is known.

        Examples
        --------
        >>> import pandas as pd
        >>> system = LifestyleSystem([Lifestyle("A", "Settled"), Lifestyle("B", "On the move")])
        >>> profile = system.profile(pd.Series(list("AABB")), pd.Series([1, 1, 1, 2]))
        >>> profile[["segment", "lifestyle", "count", "index"]].iloc[0].tolist()
        [np.int64(1), 'A', np.int64(2), np.float64(133.33333333333331)]
        """
        import pandas as pd

        labels = _aligned(labels, codes)
        texts = codes.astype(object).map(_text, na_action="ignore").fillna("")
        found = {text: self.resolved(text) for text in set(texts)}
        known = pd.Series([found[text] for text in texts], index=codes.index, dtype=object)
        unknown = Counter(text for text in texts if found[text] is None)
        n_known = int(known.notna().sum())
        if not n_known:
            raise InvalidInput(
                f"None of {len(codes):,} records has one of the {len(self)} codes of {self.name}; "
                f"the first has {str(texts.iloc[0]) if len(texts) else ''!r}.",
                f"Name the column with codes such as {self.codes[0]!r}, or read their table.",
            )
        counts = pd.crosstab(labels.to_numpy(), known.to_numpy())
        base = known.value_counts()
        ln_types = math.log(len(self))
        rows = []
        for segment, row in counts.iterrows():
            present = row[row > 0]
            nats = entropy(present.tolist())
            for code in sorted(present.index, key=lambda c: (-present[c], self.codes.index(c))):
                share = present[code] / present.sum()
                base_share = base[code] / n_known
                rows.append(
                    {
                        "segment": segment,
                        "lifestyle": code,
                        "name": self[code].name,
                        "count": int(present[code]),
                        "share": share,
                        "base_share": base_share,
                        "index": 100 * share / base_share,
                        "entropy": nats,
                        "diversity": nats / ln_types if ln_types else 0.0,
                    }
                )
        profile = pd.DataFrame(rows, columns=list(_PROFILE))
        profile.attrs["unknown"] = dict(unknown)
        profile.attrs["notes"] = self._notes(unknown, labels, profile)
        return profile

    def _notes(
        self, unknown: Mapping[str, int], labels: pd.Series[Any], profile: pd.DataFrame
    ) -> list[str]:
        """Say which records the shares leave out."""
        notes = []
        foreign = {code: count for code, count in unknown.items() if code}
        if foreign:
            first = max(foreign, key=lambda code: foreign[code])
            notes.append(
                f"{sum(foreign.values()):,} of {len(labels):,} records have {len(foreign)} codes "
                f"that {self.name} lacks, most often {first!r}; shares leave them out."
            )
        if unknown.get(""):
            notes.append(
                f"{unknown['']:,} of {len(labels):,} records have no lifestyle code; "
                "shares leave them out."
            )
        if labels.isna().any():
            notes.append(
                f"{int(labels.isna().sum()):,} of {len(labels):,} records are in no segment; "
                "they count in the base only."
            )
        bare = sorted(set(labels.dropna()) - set(profile["segment"]))
        if bare:
            notes.append(
                f"Segments without any known lifestyle code: {', '.join(map(_text, bare))}."
            )
        return notes


_PROFILE = (
    *("segment", "lifestyle", "name", "count", "share", "base_share", "index"),
    *("entropy", "diversity"),
)


def how_to_read(profile: pd.DataFrame, segment: object = None) -> str:
    """Put the first row of a segment's profile into words.

    Parameters
    ----------
    profile : pandas.DataFrame
        From `LifestyleSystem.profile`.
    segment : optional
        Which segment; by default the first.

    Returns
    -------
    str
        One sentence on the most frequent type, one on diversity.

    Raises
    ------
    NotFound
        If the profile has no row for the segment.

    Examples
    --------
    >>> import pandas as pd
    >>> system = LifestyleSystem([Lifestyle("A", "Settled"), Lifestyle("B", "On the move")])
    >>> print(how_to_read(system.profile(pd.Series(list("AABB")), pd.Series([1, 1, 1, 2])), 1))
    In segment 1, 66.7 % of records are Settled, against 50.0 % of the base: \
index 133, 1.33 times as common as in the base. Diversity 0.92 of at most 1: 0 would be a single \
type, 1 all types equally often.
    """
    rows = profile if segment is None else profile[profile["segment"] == segment]
    if not len(rows):
        raise NotFound(
            f"The profile has {len(profile)} rows, none for segment {segment!r}.",
            "Choose one of its segments.",
        )
    top = rows.iloc[0]
    index = round(float(top["index"]))
    if index == 100:
        compared = "as common as in the base"
    else:
        compared = f"{index / 100:.2f} times as common as in the base"
    share, base_share = (f"{100 * top[name]:.1f} %" for name in ("share", "base_share"))
    return (
        f"In segment {top['segment']}, {share} of records are {top['name']}, against "
        f"{base_share} of the base: index {index}, {compared}. "
        f"Diversity {top['diversity']:.2f} of at most 1: 0 would be a single type, "
        "1 all types equally often."
    )


def _cells(row: Mapping[str | Any, Any]) -> dict[str, str]:
    return {str(k).strip().lower(): str(v or "").strip() for k, v in row.items() if k is not None}


def _text(code: object) -> str:
    """Write a code as its table does: a column with gaps holds 7 as 7.0."""
    if isinstance(code, float) and code.is_integer():
        return str(int(code))
    return str(code).strip()


def _plain(code: str) -> str:
    return str(int(code)) if code.isdecimal() else code


def _aligned(labels: pd.Series[Any], codes: pd.Series[Any]) -> pd.Series[Any]:
    """Put the labels into the codes' order."""
    if labels.index.equals(codes.index):
        return labels
    both = int(labels.index.isin(codes.index).sum())
    unique = labels.index.is_unique and codes.index.is_unique
    if not unique or both != len(labels) or len(labels) != len(codes):
        raise InvalidInput(
            f"{len(codes):,} codes and {len(labels):,} labels share {both:,} records.",
            "Give both for the same records, each once.",
        )
    return labels.reindex(codes.index)
