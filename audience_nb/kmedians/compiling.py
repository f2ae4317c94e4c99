"""Compiled loops before they are needed: seconds once a machine, half a second once a process.

Up to 10,000 records nothing waits for them: plain NumPy gives the same labels to the last bit. It
takes several times as long, though, so that few records use them too once they are loaded.
"""

from __future__ import annotations

import sys
import threading

__all__ = ["loaded", "prepare"]


def loaded() -> bool:
    """Tell whether this process has the compiled solver at hand.

    Returns
    -------
    bool

    Examples
    --------
    >>> prepare()
    >>> loaded()
    True
    """
    flow = sys.modules.get("audience_nb.kmedians.flow")
    return flow is not None and bool(flow.transfer.signatures)


def prepare(*, background: bool = False) -> threading.Thread | None:
    """Compile or load all loops of the clustering.

    Parameters
    ----------
    background : bool, default False
        Whether to do it on a thread of its own and return at once.

    Returns
    -------
    threading.Thread or None
        The thread, if there is one; nothing needs to wait for it.

    Examples
    --------
    >>> prepare(background=True).join()
    >>> loaded()
    True
    """
    if not background:
        _prepare()
        return None
    thread = threading.Thread(target=_prepare, name="kmedians-prepare", daemon=True)
    thread.start()
    return thread


def _prepare() -> None:
    import numpy as np

    from audience_nb.kmedians.fitting import Plan, form
    from audience_nb.kmedians.rows import SMALL

    rows = np.random.default_rng(0).normal(size=(SMALL + 1, 2))
    plan = Plan([3], 1, len(rows) // 2, 1, 2, 0.1, 0, lambda stage, fraction: None, 1)
    form(rows, None, plan)
    form(rows.astype(np.float32), None, plan)
