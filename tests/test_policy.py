"""Data types: what each allows is enforced here, not in a view."""

from __future__ import annotations

import pytest

from audience_nb.errors import InvalidInput, NotAllowed, NotFound
from audience_nb.policy import (
    DATA_TYPES,
    check_identifier,
    check_values,
    require_allowed,
    rule_of,
)


def test_the_first_party_description_promises_maximum_control() -> None:
    assert "maximum control" in rule_of("first_party").description


def test_a_clean_room_lets_no_row_out() -> None:
    assert rule_of("clean_room").allows == ("segment",)
    for operation in ("view rows", "chart people", "export rows", "distribute"):
        with pytest.raises(NotAllowed, match=f"Clean room data does not allow to {operation}"):
            require_allowed(rule_of("clean_room"), operation)
    require_allowed(rule_of("clean_room"), "segment")


def test_unknown_types_and_subtypes_list_the_known() -> None:
    with pytest.raises(InvalidInput, match="first_party, third_party, clean_room"):
        rule_of("zeroth_party")
    with pytest.raises(InvalidInput, match="rampid, uid2, hashed_email"):
        rule_of("clean_room").subtype("postal_code")


def test_a_subtype_needs_its_column_but_every_record_is_a_customer() -> None:
    first_party = rule_of("first_party")
    check_identifier(first_party.subtype("customer_id"), [])
    check_identifier(first_party.subtype("uid2"), ["uid2"])
    with pytest.raises(NotFound, match="no column 'uid2'"):
        check_identifier(first_party.subtype("uid2"), ["rampid"])


@pytest.mark.parametrize(
    ("subtype", "good", "bad"),
    [
        ("customer_id", "C0000001", "has space"),
        ("hashed_email", "a" * 64, "a" * 63),
        ("hashed_email", "A" * 43 + "=", "A" * 43),
        ("rampid", "XY" + "a" * 47, "XZ" + "a" * 47),
        ("rampid", "Xi" + "a" * 68, "Xi" + "a" * 47),
        ("uid2", "Q" * 44, "Q" * 101),
        ("postal_code", "M5V 2T6", "MM5 2T6"),
        ("postal_code", "90210-1234", "9021"),
        ("postal_code", "M5V", "M5"),
        ("phone", "+1 (416) 555-0100", "555"),
        ("phone", "b" * 64, "b" * 63),
        ("maid", "38400000-8CF0-11BD-B23E-10B96E40000D", "38400000-8cf0-11bd-b23e"),
        ("cookie", "a.b|c=", "two words"),
        ("household_id", "H-1", ""),
    ],
)
def test_identifiers_have_their_published_shapes(subtype: str, good: str, bad: str) -> None:
    known = rule_of("first_party").subtype(subtype)
    assert known.accepts(good)
    assert not known.accepts(bad)


def test_each_rule_shows_what_it_allows_and_refuses() -> None:
    for rule in DATA_TYPES:
        shown = rule.to_dict()
        assert set(shown["allows"]).isdisjoint(shown["refuses"])
        assert len(shown["allows"]) + len(shown["refuses"]) == 5
        assert [s["code"] for s in shown["subtypes"]] == [s.code for s in rule.subtypes]


def test_a_column_is_looked_at_before_it_is_taken_for_an_identifier() -> None:
    rampid = rule_of("first_party").subtype("rampid")
    hashed = rule_of("first_party").subtype("hashed_email")
    good = "XY" + "a" * 47
    assert check_values(rampid, [good, None, float("nan")]) == ""
    assert check_values(rampid, [good, good, "?"]) == "1 of 3 values looked at are no rampid."
    with pytest.raises(InvalidInput, match="1 of 3 values of 'rampid'") as raised:
        check_values(rampid, ["secret-1", "secret-2", good])
    assert "secret" not in str(raised.value)
    assert check_values(hashed, ["ann@example.com"]) == ""
    with pytest.raises(InvalidInput, match="1 of 2 values of 'email' looked at are plain"):
        check_values(hashed, ["ann@example.com", "0" * 64])


@pytest.mark.parametrize(
    ("subtype", "identifier", "minimum_count"),
    [
        ("rampid", "rampid", 50),
        ("aws_clean_rooms", "email", 100),
        ("snowflake", "email", 50),
        ("ads_data_hub", "email", 50),
        ("amazon_marketing_cloud", "email", 2000),
        ("liveramp", "rampid", 100),
        ("pair", "email", 50),
    ],
)
def test_each_clean_room_has_its_own_threshold(
    subtype: str, identifier: str, minimum_count: int
) -> None:
    rule = rule_of("clean_room").under(subtype)
    assert rule.minimum_count == minimum_count
    assert rule.subtype(subtype).identifier == identifier
    assert rule.allows == ("segment",)
    assert rule.description.endswith(rule.subtype(subtype).note)


def test_a_subtype_may_refuse_what_its_data_type_allows() -> None:
    cookie = rule_of("first_party").under("cookie")
    assert cookie.allows == ("view rows", "segment", "chart people")
    with pytest.raises(NotAllowed, match="does not allow to distribute"):
        require_allowed(cookie, "distribute")
    assert "export rows" not in rule_of("first_party").under("phone").allows
    assert rule_of("first_party").under(None).allows == rule_of("first_party").allows


def test_views_learn_which_identifiers_the_records_have() -> None:
    shown = rule_of("third_party").to_dict(["postal_code", "maid"])["subtypes"]
    assert {s["code"] for s in shown if s["at_hand"]} == {"postal_code", "maid"}
    assert next(s for s in shown if s["code"] == "maid")["granularity"] == "device"
    assert all(s["at_hand"] for s in rule_of("third_party").to_dict()["subtypes"])
