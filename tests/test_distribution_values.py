"""Values that people have in their tables: what is no identifier stays, and is never hashed."""

from __future__ import annotations

import hashlib
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from audience_nb.distribution import destination, destinations
from audience_nb.distribution.amazon import Amazon
from audience_nb.distribution.file import LiveRamp
from audience_nb.distribution.google import Google
from audience_nb.distribution.meta import Meta
from audience_nb.distribution.platform import Platform
from audience_nb.distribution.rule import Rule
from audience_nb.distribution.tiktok import TikTok
from audience_nb.distribution.trade_desk import UID2_RULES
from audience_nb.distribution.webhook import Webhook
from audience_nb.errors import InvalidInput
from audience_nb.export import Audience

PHONES = (Meta.rules[1], UID2_RULES[1], TikTok.rules[1], Webhook.rules[1], Google.rules[1])
MAILS = (
    Meta.rules[0],
    UID2_RULES[0],
    TikTok.rules[0],
    Webhook.rules[0],
    Google.rules[0],
    Amazon.rules[0],
    LiveRamp.rules[0],
)


def of(rule: Rule) -> str:
    return f"{rule.wire}-{rule.write.__module__.rpartition('.')[2]}"


@pytest.mark.parametrize("rule", PHONES, ids=of)
@pytest.mark.parametrize(
    "value",
    [
        "+1 (650) 555-1212",
        16505551212,
        16505551212.0,
        np.float64(16505551212),
        Decimal("16505551212"),
        "16505551212.0",
        "+1 650 555 1212 ext. 17",
        "+1 650 555 1212x17",
        "+1 650 555 1212 #4",
        "\uff0b1 650 555 1212",
        "+\u0661 650 555 1212",
    ],
    ids=repr,
)
def test_a_number_is_one_number_however_it_is_written(rule: Rule, value: Any) -> None:
    normal = "16505551212" if rule in Meta.rules else "+16505551212"
    assert rule.text(str(value) if isinstance(value, str) else "+1 650 555 1212") == normal
    assert rule.apply([value]).values == [rule.digest(normal)]


@pytest.mark.parametrize("rule", PHONES, ids=of)
@pytest.mark.parametrize(
    "value",
    ["1.65055512E+10", "+", "none of your business", "+1-800-FLOWERS", True, ["+16505551212"]],
)
def test_what_is_no_number_is_not_hashed(rule: Rule, value: Any) -> None:
    written = rule.apply([value])
    # Google's own code takes any digits there are, and nothing else.
    if value == "+1-800-FLOWERS" and rule in Google.rules:
        return
    assert (written.values, written.given, written.unreadable) == ([""], 1, 1)


def test_a_zero_for_callers_within_the_country_is_left_out() -> None:
    for rule in PHONES[:4]:
        assert rule.text("+44 (0)20 7946 0958").lstrip("+") == "442079460958"
        assert rule.text("0044 (0)20 7946 0958").lstrip("+") == "442079460958"
    assert Meta.rules[1].text("(0)20 7946 0958", "GB") == "442079460958"


@pytest.mark.parametrize("rule", MAILS, ids=of)
@pytest.mark.parametrize(
    "value",
    [
        "ann@example",
        "ann@example.com, bob@example.com",
        "ann@example.com;bob@example.com",
        "Ann <ann@example.com>",
        "mailto:ann@example.com",
        "ann@@example.com",
        "ann@.com",
        "ann@example..com",
        '"ann@example.com"',
        ["ann@example.com"],
        {"ann@example.com"},
        b"ann@example.com",
        1.0,
        "N/A",
        "null",
    ],
    ids=repr,
)
def test_what_is_no_address_is_not_hashed(rule: Rule, value: Any) -> None:
    written = rule.apply([value])
    assert (written.values, written.given, written.unreadable) == ([""], 1, 1)


@pytest.mark.parametrize("rule", [Meta.rules[13], TikTok.rules[2], Webhook.rules[2]], ids=of)
def test_a_device_that_is_not_to_be_tracked_stays(rule: Rule) -> None:
    device = "38400000-8CF0-11BD-B23E-10B96E40000D"
    assert rule.text(device) == device.lower()
    for value in ("00000000-0000-0000-0000-000000000000", "38400000", "nobody", device + "0"):
        assert rule.apply([value]).values == [""]


def test_rows_of_odd_values_are_counted_by_reason(tmp_path: Path) -> None:
    audience = Audience("a", (), pd.DataFrame({"segment": [1] * 8}), 8)
    values = ["a@b.co", " A@B.CO ", 1.0, None, "", ["c@d.co"], float("nan"), "no address"]
    people = pd.DataFrame({"email": pd.Series(values, dtype=object)})
    for name in ("file", "x"):
        path = tmp_path / f"{name}.csv"
        receipt = destination(name, path=path).push(audience, people, confirm=True)
        assert receipt.rows_sent == 1
        assert receipt.rows_dropped == {
            "identifier not readable": 3,
            "no identifier": 3,
            "repeated identifier": 1,
        }
        assert path.read_text().split()[1:] == [hashlib.sha256(b"a@b.co").hexdigest()]


def test_numbers_without_a_country_need_a_region(tmp_path: Path) -> None:
    audience = Audience("a", (), pd.DataFrame({"segment": [1] * 2}), 2)
    people = pd.DataFrame({"phone": ["416-555-0100", "(416) 555 0101"]})
    path = tmp_path / "a.csv"
    assert destination("file", path=path).push(audience, people).rows_sent == 0
    destination("file", path=path, region="ca").push(audience, people, confirm=True)
    assert path.read_text().split() == [
        "phone_sha256",
        *(hashlib.sha256(f"+1416555010{i}".encode()).hexdigest() for i in range(2)),
    ]
    with pytest.raises(InvalidInput, match="No country has the code 'XX'"):
        destination("file", path=path, region="XX").push(audience, people)
    with pytest.raises(InvalidInput, match="'Canada' is no region"):
        destination("file", path=path, region="Canada")


def test_options_that_are_no_numbers_are_refused() -> None:
    for days in ("30", 1.5, True):
        with pytest.raises(InvalidInput, match="retention_days is"):
            destination("google", retention_days=days)
    with pytest.raises(InvalidInput, match="No column of identifiers"):
        nobody = pd.DataFrame(index=pd.RangeIndex(1))
        destination("file", path="x").check(
            Audience("a", (), pd.DataFrame({"segment": [1]}), 1), nobody
        )


PLUGIN = '''
from audience_nb.distribution.platform import Platform

class Gazette(Platform):
    """A destination of another package."""
    name = "gazette"
    title = "The gazette"
    base = "https://gazette.example.com"
    rules = ()
    direct = ()
'''


def test_a_destination_of_another_package_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "gazette" not in destinations()
    (tmp_path / "gazette_package.py").write_text(PLUGIN)
    installed = tmp_path / "gazette_package-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: gazette-package\nVersion: 1.0\n"
    )
    (installed / "entry_points.txt").write_text(
        "[audience_nb.destinations]\n"
        "gazette = gazette_package:Gazette\n"
        "broken = gazette_package.missing:Nothing\n"
        "meta = gazette_package:Gazette\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    try:
        assert destinations()["gazette"] == "gazette"
        opened = destination("gazette", region="de")
        assert isinstance(opened, Platform)
        assert (opened.name, opened.region) == ("gazette", "DE")
        # Nobody takes the place of one of ours.
        assert isinstance(destination("meta"), Meta)
        with pytest.raises(InvalidInput, match=r"of gazette_package.missing:Nothing cannot be"):
            destination("broken")
    finally:
        sys.modules.pop("gazette_package", None)
