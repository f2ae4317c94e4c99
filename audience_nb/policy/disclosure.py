"""What figures about people may be shown: the one gate between records and a clean room's views.

It prevents that a figure is about few people (each is about at least `minimum_count`), that a
hidden one follows from those beside it (complementary suppression), and that a person is found by
the difference of two figures, or by asking the same again and again (sticky noise and a budget).

It cannot prevent that a figure about a large group tells something of everyone in it; that
somebody who knows all but one of a group's members learns a little of the last (the noise bounds
how much: `epsilon` for each new question, `budget` for all); nor that figures of two different
releases, with different secrets, are put together. Whoever runs the process can read its memory:
the gate is against those who see the views, not against those who hold the data.
"""

from __future__ import annotations

import hashlib
import hmac
import math
import secrets
from collections.abc import Hashable, Mapping, Sequence

from audience_nb.errors import InvalidInput, NotAllowed

__all__ = ["Disclosure", "suppressed"]

# Of the figures shown, so many digits carry information; the rest is rounded away.
ROUNDED_TO = 10


def suppressed(
    counts: Mapping[Hashable, int], minimum_count: int, *, complementary: bool = True
) -> dict[Hashable, int | None]:
    """Hide the cells of a table that are about too few people, and those that would tell them.

    Parameters
    ----------
    counts : mapping of cell to int
        People in each cell of one table, whose total is known.
    minimum_count : int
        Fewest people that a shown cell may be about. A cell of nobody is hidden too.
    complementary : bool, default True
        Whether further cells are hidden so that none follows from the total and the others.

    Returns
    -------
    dict of cell to int or None
        None for a hidden cell.

    Notes
    -----
    One hidden cell is the total less all others. The smallest shown cell is hidden with it, and
    more, smallest first, until those hidden hold at least `minimum_count` people together: then
    the total tells of that many people at least (Cox, 1980, complementary suppression).

    Examples
    --------
    >>> suppressed({"a": 120, "b": 80, "c": 3}, 50)
    {'a': 120, 'b': None, 'c': None}
    """
    hidden = [cell for cell, count in counts.items() if count < minimum_count]
    shown = sorted(
        (cell for cell in counts if cell not in set(hidden)),
        key=lambda cell: (counts[cell], str(cell)),
    )
    while (
        complementary
        and hidden
        and shown
        and (len(hidden) < 2 or sum(counts[cell] for cell in hidden) < minimum_count)
    ):
        hidden.append(shown.pop(0))
    gone = set(hidden)
    return {cell: None if cell in gone else count for cell, count in counts.items()}


class Disclosure:
    """Answers counts of people with noise, each question alike for ever, until a budget is spent.

    Parameters
    ----------
    minimum_count : int, default 50
        Fewest people that a figure may be about.
    epsilon : float, default 0.1
        How much each new question may tell of one person: that a person is there changes the
        chance of any answer by a factor of at most exp(epsilon). The noise is two-sided geometric
        with a standard deviation of about 1.4 / epsilon.
    budget : float, default 10
        Of epsilon, for all questions of this object together.
    secret : bytes, optional
        Key of the noise: the same key, question and count give the same answer. By default drawn
        anew, and known to nobody.
    noise : bool, default True
        False shows exact counts of at least `minimum_count`: then differences of two of them may
        tell of one person.

    Raises
    ------
    InvalidInput
        If a number is out of range.

    Notes
    -----
    The two-sided geometric distribution is the discrete form of Laplace's (Ghosh, Roughgarden and
    Sundararajan, 2012). It is drawn from an HMAC of the question and its exact count, so that
    repeating a question averages nothing out, and two questions about the same people by other
    words get answers that are drawn apart, each paid for.

    Examples
    --------
    >>> gate = Disclosure(secret=b"for the example")
    >>> gate.count("segment 1", 400) == gate.count("segment 1", 400)
    True
    >>> gate.count("segment 2", 12) is None
    True
    """

    def __init__(
        self,
        minimum_count: int = 50,
        *,
        epsilon: float = 0.1,
        budget: float = 10.0,
        secret: bytes | None = None,
        noise: bool = True,
    ) -> None:
        if minimum_count < 1:
            raise InvalidInput(f"A minimum of {minimum_count} people is none.", "Use 2 or more.")
        if not (0 < epsilon <= budget and math.isfinite(budget)):
            raise InvalidInput(
                f"An epsilon of {epsilon} does not fit a budget of {budget}.",
                "Use an epsilon above 0 and a budget of at least as much.",
            )
        self.minimum_count, self.epsilon, self.budget = minimum_count, epsilon, budget
        self.noise = noise
        self._secret = secrets.token_bytes(32) if secret is None else secret
        self._answers: dict[str, int] = {}

    def __repr__(self) -> str:
        return (
            f"Disclosure(at least {self.minimum_count:,} people, {self.spent:g} of "
            f"{self.budget:g} spent)"
        )

    @property
    def spent(self) -> float:
        """Of the budget, by the questions so far."""
        return len(self._answers) * self.epsilon if self.noise else 0.0

    def count(self, question: Hashable, exact: int) -> int | None:
        """Answer how many people there are.

        Parameters
        ----------
        question : hashable
            What is asked, the same for the same people: its representation is the key.
        exact : int
            How many there are.

        Returns
        -------
        int or None
            A multiple of 10 near it with noise, the exact count without; None below the minimum.
            Whether it is hidden depends on the noisy count, so that hiding tells no more than
            showing.

        Raises
        ------
        NotAllowed
            If the budget is spent and the question is new.
        """
        if not self.noise:
            return exact if exact >= self.minimum_count else None
        key = f"{question!r}"
        if key not in self._answers:
            if (len(self._answers) + 1) * self.epsilon > self.budget * (1 + 1e-9):
                raise NotAllowed(
                    f"{len(self._answers):,} figures have been shown, which spent the privacy "
                    f"budget of {self.budget:g}.",
                    "Work with the figures at hand, or have the room's owner start a new release.",
                )
            self._answers[key] = exact + self._drawn(key, exact)
        noisy = self._answers[key]
        return ROUNDED_TO * round(noisy / ROUNDED_TO) if noisy >= self.minimum_count else None

    def table(
        self, question: Hashable, counts: Mapping[Hashable, int]
    ) -> dict[Hashable, int | None]:
        """Answer a table of counts of different people.

        Parameters
        ----------
        question : hashable
            What is asked.
        counts : mapping of cell to int
            People in each cell; nobody is in two.

        Returns
        -------
        dict of cell to int or None
            As `suppressed` hides, then with noise. One question of the budget for each cell shown.
        """
        hidden = suppressed(counts, self.minimum_count)
        return {
            cell: None if count is None else self.count((question, cell), count)
            for cell, count in hidden.items()
        }

    def center(self, value: float, spread: float) -> float:
        """Round a centre so that no single record can be read from it.

        Parameters
        ----------
        value : float
            A median, in its own unit.
        spread : float
            Of the variable, in the same unit; 0 leaves a constant as it is.

        Returns
        -------
        float
            To the nearest tenth of the spread's power of ten: ages to the year, incomes to the
            thousand.

        Examples
        --------
        >>> Disclosure().center(48_312.7, 26_000)
        48000.0
        """
        if not (math.isfinite(value) and math.isfinite(spread)) or spread <= 0:
            return value
        step = 10.0 ** (math.floor(math.log10(spread)) - 1)
        return round(value / step) * step

    def _drawn(self, key: str, exact: int) -> int:
        """Draw two-sided geometric noise from the question itself."""
        digest = hmac.new(self._secret, f"{key}|{exact}".encode(), hashlib.sha256).digest()
        u = (int.from_bytes(digest[:8], "big") + 1) / (2**64 + 2)
        alpha = math.exp(-self.epsilon)
        # The difference of two geometric numbers, by inversion of one distribution function.
        sign, u = (1, 1 - u) if u > 0.5 else (-1, u)
        size = math.ceil(math.log(u * (1 + alpha)) / math.log(alpha)) - 1
        return sign * max(0, size)


def shares_of(counts: Sequence[int | None]) -> list[float | None]:
    """Give shares of shown counts, hidden ones left out of the whole."""
    whole = sum(count for count in counts if count is not None)
    return [None if count is None or not whole else count / whole for count in counts]
