"""How far audiences hold the same people."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from audience_nb.errors import InvalidInput

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Overlap", "overlap"]

# Sets of all combinations: beyond this many audiences nobody reads them.
MOST_AUDIENCES = 40


@dataclass(frozen=True, slots=True, eq=False)
class Overlap:
    """Counts of people that audiences have in common.

    Parameters
    ----------
    pairs : pandas.DataFrame
        One row for each pair: first, second, size_first, size_second, both, jaccard (both over
        either, in [0, 1]), first_in_second and second_in_first (containment: both over the size
        of the first, of the second). A count that may not be shown is missing, and what follows
        from it too.
    combinations : pandas.DataFrame
        One row for each combination that somebody is in, largest first: audiences (a tuple of
        names), degree (how many), count (people in exactly these).

    Examples
    --------
    >>> overlap({"a": [1, 2, 3], "b": [2, 3, 4]}).pairs.loc[0, "jaccard"]
    np.float64(0.5)
    """

    pairs: pd.DataFrame
    combinations: pd.DataFrame

    def matrix(self, measure: str = "jaccard") -> pd.DataFrame:
        """Give one measure of all pairs as a square table.

        Parameters
        ----------
        measure : {"jaccard", "both", "containment"}, default "jaccard"
            Which one; "containment" is the share of the row's audience that is in the column's.

        Returns
        -------
        pandas.DataFrame of shape (n_audiences, n_audiences)

        Raises
        ------
        InvalidInput
            If there is no such measure.

        Examples
        --------
        >>> found = overlap({"a": [1, 2, 3, 4], "b": [3, 4]})
        >>> found.matrix("containment").loc["b", "a"]
        np.float64(1.0)
        """
        import pandas as pd

        if measure not in ("jaccard", "both", "containment"):
            raise InvalidInput(
                f"There is no measure {measure!r}.", "Use jaccard, both or containment."
            )
        names = list(dict.fromkeys([*self.pairs["first"], *self.pairs["second"]]))
        table = pd.DataFrame(np.nan, index=names, columns=names)
        there, back = (
            ("first_in_second", "second_in_first")
            if measure == "containment"
            else (measure, measure)
        )
        for row in self.pairs.to_dict("records"):
            table.loc[row["first"], row["second"]] = row[there]
            table.loc[row["second"], row["first"]] = row[back]
            for side in ("first", "second"):
                own = row[f"size_{side}"]
                table.loc[row[side], row[side]] = (
                    own if measure == "both" else (1.0 if own else np.nan)
                )
        return table


def overlap(audiences: Mapping[str, Collection[Hashable]], *, minimum_count: int = 1) -> Overlap:
    """Count the people whom audiences have in common.

    Parameters
    ----------
    audiences : mapping of str to collection of identifiers
        Who is in each, as a `frame.index` gives it; at least 2 and at most 40.
    minimum_count : int, default 1
        Counts between 1 and one less are left out; so is a count from which, with the sizes,
        such a one would follow (both, and the rest of either audience).

    Returns
    -------
    Overlap

    Raises
    ------
    InvalidInput
        If there are fewer than 2 audiences or more than 40.

    Notes
    -----
    Jaccard's index is the size of the intersection over the size of the union (Jaccard, 1912);
    of two empty audiences it is missing.

    Examples
    --------
    >>> found = overlap({"a": [1, 2, 3], "b": [2, 3, 4], "c": [9]})
    >>> found.combinations.values.tolist()
    [[('a', 'b'), 2, 2], [('a',), 1, 1], [('b',), 1, 1], [('c',), 1, 1]]
    """
    import pandas as pd

    if not 2 <= len(audiences) <= MOST_AUDIENCES:
        raise InvalidInput(f"{len(audiences)} audiences are given.", f"Give 2 to {MOST_AUDIENCES}.")
    names = list(audiences)
    members = [pd.Index(audiences[name]).unique() for name in names]
    people = members[0]
    for other in members[1:]:
        people = people.union(other, sort=False)
    within = np.column_stack([people.isin(own) for own in members])
    inside = within.astype(np.int64)
    both = inside.T @ inside
    rows = []
    for i in range(len(names)):
        for j in range(i + 1, len(names)):
            first, second, common = int(both[i, i]), int(both[j, j]), int(both[i, j])
            parts = (common, first - common, second - common)
            shown = all(part == 0 or part >= minimum_count for part in parts)
            either = first + second - common
            rows.append(
                {
                    "first": names[i],
                    "second": names[j],
                    "size_first": _shown(first, minimum_count),
                    "size_second": _shown(second, minimum_count),
                    "both": common if shown else np.nan,
                    "jaccard": common / either if shown and either else np.nan,
                    "first_in_second": common / first if shown and first else np.nan,
                    "second_in_first": common / second if shown and second else np.nan,
                }
            )
    return Overlap(pd.DataFrame(rows), _combinations(names, within, minimum_count))


def _combinations(names: list[str], within: np.ndarray, minimum_count: int) -> pd.DataFrame:
    import pandas as pd

    sets, counts = np.unique(within, axis=0, return_counts=True)
    rows: list[tuple[tuple[str, ...], int, int]] = [
        (
            tuple(name for name, there in zip(names, row, strict=True) if there),
            int(row.sum()),
            int(count),
        )
        for row, count in zip(sets, counts, strict=True)
        if count >= minimum_count
    ]
    rows.sort(key=lambda row: (-row[2], row[1], row[0]))
    return pd.DataFrame(rows, columns=["audiences", "degree", "count"])


def _shown(count: int, minimum_count: int) -> float:
    return float(count) if count == 0 or count >= minimum_count else np.nan
