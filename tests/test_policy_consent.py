"""Consent as it is recorded, suppression lists, and what is sensitive."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audience_nb.catalog import Variable
from audience_nb.dropped import Dropped
from audience_nb.errors import AudienceError, InvalidInput
from audience_nb.policy.consent import agreed, answers, read_gpp, read_tcf
from audience_nb.policy.sensitive import category_of
from audience_nb.policy.suppression import SuppressionList, normalised

# Published in the specification of the Transparency and Consent String (version 2, 2026).
TCF = "CQSbk4AQSbk4ANwAAAENAwCgAAAAAAAAAAYgACPAAAAA.IDKQA4AAgAKAGQAygAAA.YAAAAAAAAAAA"
# Published in the specification of the Global Privacy Platform.
GPP = "DBABM~CPXxRfAPXxRfAAfKABENB-CgAAAAAAAAAAYgAAAAAAAA"
GPP_US = "DBACNY~CPXxRfAPXxRfAAfKABENB-CgAAAAAAAAAAYgAAAAAAAA~1YNN"

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def written(*fields: tuple[int, int]) -> str:
    """Write numbers of so many bits, as these strings do."""
    bits = "".join(f"{value:0{width}b}" for value, width in fields)
    bits += "0" * (-len(bits) % 6)
    return "".join(LETTERS[int(bits[i : i + 6], 2)] for i in range(0, len(bits), 6))


def tcf(consented: set[int], version: int = 2) -> str:
    purposes = sum(1 << (24 - i) for i in consented)
    return written(
        (version, 6), (0, 36), (0, 36), (7, 12), (1, 12), (1, 6), (4, 6), (13, 6), (48, 12),
        (2, 6), (1, 1), (0, 1), (0, 12), (purposes, 24), (0, 24), (0, 1), (3, 6), (4, 6),
    )  # fmt: skip


def usnat(sale: int = 2, sharing: int = 2, targeted: int = 2, child: int = 0) -> str:
    fields = [(1, 6), *[(1, 2)] * 6, (sale, 2), (sharing, 2), (targeted, 2)]
    return written(*fields, *[(1, 2), *[(2, 2)] * 11], (child, 2), (0, 2), *[(0, 2)] * 4)


# -- strings -------------------------------------------------------------------------------------


def test_the_published_tcf_string() -> None:
    found = read_tcf(TCF)
    assert found.created == found.updated == datetime(2025, 6, 3, tzinfo=UTC)
    assert (found.version, found.cmp_id, found.language) == (2, 880, "EN")
    assert (found.vendor_list_version, found.publisher_country) == (48, "DE")
    assert found.consented == frozenset()
    assert not found.allows_advertising


def test_the_published_gpp_strings() -> None:
    one, two = read_gpp(GPP), read_gpp(GPP_US)
    assert (one.sections, two.sections) == (("tcfeuv2",), ("tcfeuv2", "uspv1"))
    assert one.tcf is not None and one.tcf.cmp_id == 31
    assert two.us_privacy == "1YNN"
    assert not one.allows_advertising


@given(st.sets(st.integers(1, 24)))
def test_purposes_are_read_as_they_were_written(consented: set[int]) -> None:
    found = read_tcf(tcf(consented))
    assert found.consented == consented
    assert (found.language, found.publisher_country) == ("EN", "DE")
    assert found.allows_advertising == ({1, 3, 4} <= consented)


@pytest.mark.parametrize(
    ("options", "allowed"),
    [({}, True), ({"sale": 1}, False), ({"sharing": 1}, False), ({"targeted": 1}, False),
     ({"child": 1}, False), ({"sale": 0}, True)],
)  # fmt: skip
def test_the_us_national_section(options: dict[str, int], allowed: bool) -> None:
    # Header: type 3, version 1, one section: number 7, whose Fibonacci code is 01011.
    header = written((3, 6), (1, 6), (1, 12), (0, 1), (0b01011, 5))
    found = read_gpp(f"{header}~{usnat(**options)}")
    assert found.sections == ("usnat",)
    assert found.us_national is not None
    assert found.us_national.sensitive_data_refused == {1}
    assert found.allows_advertising is allowed
    signal = read_gpp(f"{header}~{usnat()}.{written((1, 2), (1, 1))}")
    assert signal.us_national is not None and signal.us_national.gpc
    assert not signal.allows_advertising


@given(st.text(max_size=80))
def test_other_texts_are_refused_and_not_repeated(text: str) -> None:
    for read in (read_tcf, read_gpp):
        try:
            read(text)
        except InvalidInput as error:
            assert len(text.strip()) < 6 or text.strip() not in str(error)


def test_strings_of_other_versions_and_absurd_lengths() -> None:
    with pytest.raises(InvalidInput, match="version 1"):
        read_tcf(tcf(set(), version=1))
    for text in ("", "C" * 100_000, "DB~" * 9, "DBABM", "DBABM~x~y", "ÄÖ~"):
        with pytest.raises(AudienceError):
            read_gpp(text)


# -- columns -------------------------------------------------------------------------------------


def test_rows_are_left_out_by_their_first_reason() -> None:
    frame = pd.DataFrame(
        {
            "opt_out": ["no", "yes", None, "no", "no", "no"],
            "consent": ["yes", "no", "oui", "no", None, 1],
            "tcf_string": [tcf({1, 3, 4}), TCF, tcf({1, 3, 4, 7}), TCF, TCF, "nonsense"],
            "age": range(6),
        }
    )
    keep, dropped = agreed(frame)
    assert keep.tolist() == [True, False, True, False, False, False]
    assert dropped == (
        Dropped("refused: opt_out", 1),
        Dropped("no consent: consent", 2),
        Dropped("unreadable consent string: tcf_string", 1),
    )


def test_without_columns_of_consent_everyone_stays() -> None:
    keep, dropped = agreed(pd.DataFrame({"age": [1, 2]}))
    assert keep.all() and dropped == ()


def test_what_is_neither_yes_nor_no_is_counted_not_shown() -> None:
    with pytest.raises(InvalidInput, match="1 of 3 values of 'consent'") as raised:
        answers(pd.Series(["yes", "ann@example.com", ""], name="consent"))
    assert "ann" not in str(raised.value)
    assert answers(pd.Series([1.0, 0.0, np.nan])).tolist() == [1, 0, -1]


# -- suppression ---------------------------------------------------------------------------------


def test_lists_match_after_normalisation_plain_or_hashed() -> None:
    digest = hashlib.sha256(b"bob@example.com").hexdigest()
    listed = SuppressionList(["ANN@example.com ", digest.upper(), "+1 (416) 555-0100", ""])
    assert len(listed) == 3
    values = pd.Series(
        ["ann@example.com", "Bob@Example.com", "14165550100", "c@example.com", None, digest]
    )
    assert listed.lists(values).tolist() == [True, True, True, False, False, True]
    keep, dropped = listed.left_out(values)
    assert keep.sum() == 2
    assert dropped == Dropped("on the suppression list", 4)


def test_a_list_shows_nobody() -> None:
    listed = SuppressionList(["ann@example.com"])
    assert "ann" not in repr(listed) + str(vars(listed))
    with pytest.raises(InvalidInput, match="a single text"):
        SuppressionList("ann@example.com")


@given(st.text(max_size=40))
def test_normalising_twice_is_normalising_once(text: str) -> None:
    assert normalised(normalised(text)) == normalised(text)


# -- sensitive -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("label", "category"),
    [
        ("People aged 65 and over who are Catholic", "religion"),
        ("Went to church last week", "religion"),
        ("Lives on Church Street", None),
        ("People diagnosed with diabetes", "health"),
        ("Buys healthy food", None),
        ("Retail therapy cheers me up", None),
        ("Race or ethnic origin", "race"),
        ("Watches race cars", None),
        ("Listens to Latin music", None),
        ("Voted in a federal election", "politics"),
        ("Member of a trade union", "union"),
        ("Banks with a credit union", None),
        ("Travels within the European Union", None),
        ("Same-sex couples", "sex life"),
        ("Took a DNA test", "biometrics"),
        ("Latitude of home", "precise location"),
        ("Owns a GPS watch", None),
        ("Appartient à un syndicat", "union"),
        ("Atteint d'une maladie chronique", "health"),
        ("Va à l'église", "religion"),
        ("Households with children under 18", None),
        ("Household income", None),
    ],
)
def test_what_is_sensitive_and_what_only_sounds_so(label: str, category: str | None) -> None:
    assert category_of(Variable("X", label)) == category
