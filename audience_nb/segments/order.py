"""Records and segments in an order that does not depend on the order given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from audience_nb.errors import InvalidInput

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["canonical", "check_records", "ranked"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]


def check_records(frame: pd.DataFrame) -> None:
    """Refuse a frame that cannot be cut: too few records, or one that is there twice."""
    if len(frame) < 2:
        raise InvalidInput(
            f"The frame has {len(frame)} record{'s' if len(frame) != 1 else ''}; segments need "
            "at least 2.",
            "Give a frame with more records.",
        )
    if not frame.index.is_unique:
        repeated = int(frame.index.duplicated().sum())
        raise InvalidInput(
            f"{repeated:,} of {len(frame):,} records repeat an index label.",
            "Use frame.reset_index() or an index that is unique.",
        )


def canonical(matrix: FloatArray, index: pd.Index[Any]) -> IntArray:
    """Order rows by a hash of their content, equal rows by one of their index label.

    Any order would do that does not depend on the order given; hashing costs one pass, sorting on
    every column many.
    """
    import pandas as pd

    # Entries are multiples of 2**-40, hence exact as integers; odd multipliers mix them mod 2**64.
    whole = np.round(matrix * 2.0**40).astype(np.int64).view(np.uint64)
    odd = np.random.default_rng(0).integers(0, 2**63, matrix.shape[1], dtype=np.uint64) * 2 + 1
    content = (whole * odd).sum(axis=1, dtype=np.uint64)
    labels = np.asarray(pd.util.hash_pandas_object(index, index=False))
    return np.lexsort((labels, content))


def ranked(labels: IntArray, centers: FloatArray) -> IntArray:
    """Give each cluster its place from 0: by size, descending, then by its median."""
    sizes = np.bincount(labels, minlength=len(centers))
    keys = [*(np.round(centers[:, j], 9) for j in reversed(range(centers.shape[1]))), -sizes]
    position = np.empty(len(centers), dtype=np.intp)
    position[np.lexsort(keys)] = np.arange(len(centers))
    return position
