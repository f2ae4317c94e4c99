"""Sixty-eight lifestyle types of our own, and the rule that gives each person one of them.

The types span urbanity, life stage, affluence and culture. Each has a profile over the latents
of the synthetic population; an area belongs to the type with the smallest

    sum over latents of (latent - profile)^2 + offset

which is a power diagram (Aurenhammer, 1987): offsets move the borders without moving the
profiles. They were fitted once, so that no type is empty or overwhelming::

    python data/lifestyle_types.py        prints offsets and shares; --write stores them
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import Any

__all__ = ["LATENTS", "LIFESTYLE_COLUMNS", "lifestyle_profiles", "lifestyle_records"]

LATENTS = (
    "age", "income", "education", "family", "urban", "green", "tech", "health", "tradition",
    "novelty", "thrift", "community", "culture", "outdoors", "digital", "newcomer", "francophone",
)  # fmt: skip
LIFESTYLE_COLUMNS = (
    "code", "name", "description", "social_group", "lifestage_group", "urbanity", *LATENTS,
    "offset",
)  # fmt: skip

# Those of audience_nb.sources.population, under which the offsets are fitted; a test compares.
CORRELATIONS = {
    ("income", "education"): 0.45,
    ("income", "age"): 0.20,
    ("age", "family"): -0.30,
    ("urban", "education"): 0.25,
    ("age", "tech"): -0.40,
    ("tech", "digital"): 0.50,
    ("tradition", "novelty"): -0.30,
    ("health", "outdoors"): 0.30,
}
SMALLEST_SHARE, LARGEST_SHARE = 0.007, 0.025

_VOCABULARY = Path(__file__).resolve().parent / "vocabulary" / "lifestyle_types.csv"
_URBANITY = {
    "core": ("urban", "city", "downtown"),
    "suburb": ("suburban", "suburbs"),
    "town": ("small city", "town"),
    "rural": ("rural", "countryside"),
}
_LIFESTAGE = {
    "Solo Starters": ("young", "single", "starting out"),
    "First Keys": ("young", "first home", "couples"),
    "Cradle and Crib": ("babies", "young family", "new parents"),
    "School-Run Years": ("kids", "school age", "family"),
    "Many Under One Roof": ("multigenerational", "large family", "adult children"),
    "Mid-Life Couples": ("middle-aged", "couples", "no kids at home"),
    "Third Act": ("retired", "empty nesters", "older adults"),
    "Quiet Years": ("seniors", "elderly", "living alone"),
}


def lifestyle_profiles() -> list[dict[str, str]]:
    """Give the lifestyle types with their profiles.

    Returns
    -------
    list of dict
        68 rows with the columns of `data/lifestyles.csv`, as text.

    Examples
    --------
    >>> profiles = lifestyle_profiles()
    >>> len(profiles), profiles[0]["code"], profiles[0]["name"]
    (68, 'LS01', 'Penthouse Ledgers')
    """
    with _VOCABULARY.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [{"code": f"LS{n:02d}", **row} for n, row in enumerate(rows, start=1)]


def lifestyle_records() -> list[dict[str, Any]]:
    """Give the lifestyle types as variables of the demo catalogue.

    Returns
    -------
    list of dict
        68 records with the fields of `audience_nb.catalog.Variable` as text.

    Examples
    --------
    >>> lifestyle_records()[0]["label"]
    'Lifestyle: Penthouse Ledgers'
    """
    records = []
    for profile in lifestyle_profiles():
        affluence = float(profile["income"])
        words = [*_URBANITY[profile["urbanity"]], *_LIFESTAGE[profile["lifestage_group"]]]
        if affluence >= 0.8:
            words += ["affluent", "high income"]
        elif affluence <= -0.7:
            words += ["low income"]
        if float(profile["francophone"]) >= 1.5:
            words += ["francophone", "French-speaking"]
        if float(profile["newcomer"]) >= 1:
            words += ["newcomers", "immigrants"]
        if float(profile["green"]) >= 0.9:
            words += ["green", "environment"]
        label = f"Lifestyle: {profile['name']}"
        records.append(
            {
                "code": profile["code"],
                "label": label,
                "kind": "lifestyle",
                "description": profile["description"],
                "category": "Lifestyles",
                "subcategory": profile["social_group"],
                "measure": label,
                "value_type": "boolean",
                "values": "no|yes",
                "value_range": "",
                "unit": "",
                "update_frequency": "yearly",
                "source": "Lifestyles 68",
                "availability": "first_party|third_party|clean_room",
                "keywords": "|".join(words),
            }
        )
    return records


def _population(n_records: int, random_state: int) -> Any:
    """Draw latents of shape (n_records, n_latents) under `CORRELATIONS`."""
    import numpy as np

    correlation = np.eye(len(LATENTS))
    for (one, other), value in CORRELATIONS.items():
        i, j = LATENTS.index(one), LATENTS.index(other)
        correlation[i, j] = correlation[j, i] = value
    noise = np.random.default_rng(random_state).standard_normal((n_records, len(LATENTS)))
    return noise @ np.linalg.cholesky(correlation).T


def lifestyle_shares(n_records: int = 50_000, random_state: int = 1) -> list[float]:
    """Simulate how many people each type gets.

    Parameters
    ----------
    n_records : int, optional
        Size of the simulated population.
    random_state : int, optional
        Seed; the offsets were fitted with seed 0, so another is an honest check.

    Returns
    -------
    list of float
        68 shares in [0, 1], in the order of the codes. Needs numpy.
    """
    costs, offsets = _costs(n_records, random_state)
    return [float(share) for share in _shares(costs, offsets)]


def _costs(n_records: int, random_state: int) -> tuple[Any, Any]:
    import numpy as np

    profiles = np.array([[float(p[name]) for name in LATENTS] for p in lifestyle_profiles()])
    offsets = np.array([float(p["offset"]) for p in lifestyle_profiles()])
    people = _population(n_records, random_state)
    # The person's own length is the same for every type and drops out of the comparison.
    return (profiles**2).sum(axis=1) - 2 * people @ profiles.T, offsets


def _shares(costs: Any, offsets: Any) -> Any:
    import numpy as np

    nearest = (costs + offsets).argmin(axis=1)
    return np.bincount(nearest, minlength=costs.shape[1]) / len(costs)


def fit_offsets(n_records: int = 50_000, random_state: int = 0, n_steps: int = 400) -> list[float]:
    """Fit offsets so that every share lies within bounds, but stays as natural as it can.

    Parameters
    ----------
    n_records, random_state : int, optional
        Simulated population.
    n_steps : int, optional
        Steps of the fixed-point iteration.

    Returns
    -------
    list of float
        68 offsets, rounded to 2 decimals. Needs numpy.
    """
    import numpy as np

    costs, _ = _costs(n_records, random_state)
    offsets = np.zeros(costs.shape[1])
    natural = np.clip(_shares(costs, offsets), SMALLEST_SHARE, LARGEST_SHARE)
    target = natural / natural.sum()
    for step in range(n_steps):
        shares = np.maximum(_shares(costs, offsets), 1 / n_records)
        offsets -= (0.5 if step < n_steps / 2 else 0.1) * np.log(target / shares)
    return [round(float(value), 2) for value in offsets - offsets.mean()]


def _main(arguments: list[str]) -> int:
    offsets = fit_offsets()
    rows = lifestyle_profiles()
    if "--write" in arguments:
        with _VOCABULARY.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, LIFESTYLE_COLUMNS[1:], lineterminator="\n")
            writer.writeheader()
            for row, offset in zip(rows, offsets, strict=True):
                writer.writerow({**{k: row[k] for k in LIFESTYLE_COLUMNS[1:]}, "offset": offset})
    for row, offset, share in zip(rows, offsets, lifestyle_shares(), strict=True):
        print(f"{row['code']} {offset:6.2f} {share:7.2%} {row['name']}")
    return 0


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1:]))
