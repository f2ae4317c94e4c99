"""The record of each segment that is most like all others of it: its medoid.

A representative is a real person's record. It is no part of a `Segmentation`, which never holds
rows: whoever asks for it brings the frame, and the session asks its policy first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from audience_nb.encoding import FrameEncoder
from audience_nb.errors import InvalidInput

if TYPE_CHECKING:
    import pandas as pd

    from audience_nb.catalog import Variable
    from audience_nb.segments import Segmentation

__all__ = ["representatives"]


def representatives(
    frame: pd.DataFrame,
    segmentation: Segmentation,
    variables: Sequence[Variable | str] | None = None,
) -> pd.DataFrame:
    """Find the record nearest to the medians of each segment.

    Parameters
    ----------
    frame : pandas.DataFrame of shape (n_records, n_columns)
        The records that were segmented, with the same index labels.
    segmentation : Segmentation
        Of these records.
    variables : sequence of Variable or str, optional
        What the segmentation was given; by default its codes, whose types are then inferred.

    Returns
    -------
    pandas.DataFrame of shape (n_segments, 2 + n_variables)
        Index `segment`; record (its index label), distance (Gower's, from the segment's medians)
        and the variables as they stand in the frame. Of equally near records the one that is
        first by label is given. A row a real person: show it only where the data type allows.

    Raises
    ------
    InvalidInput
        If the frame lacks records of the segmentation.

    Examples
    --------
    >>> import pandas as pd
    >>> from audience_nb.segments import Segmentation
    >>> frame = pd.DataFrame({"age": [20, 21, 25, 60, 70, 71]})
    >>> found = Segmentation.fit(frame, ["age"], n_segments=2, min_share=0.3, max_share=0.7)
    >>> representatives(frame, found)["age"].tolist()
    [21, 70]
    """
    import pandas as pd

    absent = int((~segmentation.labels.index.isin(frame.index)).sum())
    if absent or not frame.index.is_unique:
        raise InvalidInput(
            f"{absent:,} of the {len(segmentation.labels):,} records of the segmentation are not "
            "in the frame, or it repeats a label.",
            "Give the frame that was segmented.",
        )
    rows = frame.loc[segmentation.labels.index]
    chosen = list(variables if variables is not None else segmentation.parameters["variables"])
    parameters = segmentation.parameters
    encoder = FrameEncoder(scaling=parameters["scaling"], weights=parameters["weights"])
    matrix = encoder.fit_transform(rows, chosen)
    codes = list(encoder.groups)
    found = []
    for segment in segmentation.segments:
        places = np.flatnonzero(segmentation.labels.to_numpy() == segment.id)
        own = matrix[places]
        distances = np.abs(own - np.median(own, axis=0)).sum(axis=1) / encoder.total_weight
        nearest = places[distances == distances.min()]
        first = min(nearest, key=lambda place: str(rows.index[place]))
        record = rows.iloc[first]
        values = {code: record[code] for code in codes}
        found.append({"record": rows.index[first], "distance": float(distances.min()), **values})
    return pd.DataFrame(
        found, index=pd.Index([s.id for s in segmentation.segments], name="segment")
    )
