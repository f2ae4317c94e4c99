"""Normal forms that several platforms share: numbers, names, dates, places."""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from functools import lru_cache

from audience_nb.distribution.rule import Unusable
from audience_nb.errors import InvalidInput, require

__all__ = [
    "bare_word",
    "birth_date",
    "checked_region",
    "country",
    "digits_of",
    "e164",
    "gmail_local",
    "international",
    "lower",
    "lower_device",
    "month",
    "us_state",
]

# A number that was a float, and one that Excel cut short.
_FLOAT = re.compile(r"(\+?[0-9]{7,15})\.0*")
_POWER = re.compile(r"[0-9][eE]\+?[0-9]")
_EXTENSION = re.compile(r"(?:extension|ext|poste|x|#)[\s.:]*[0-9]{1,6}\s*$", re.IGNORECASE)
# Written for those who call from within the country: +44 (0)20 …
_WITHIN = re.compile(r"\(0\)")
_DEVICE = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
# ITU-T E.164: at most 15 digits, country code included.
_MOST_DIGITS = 15
_FEWEST_WITH_COUNTRY = 11
_FEWEST_DIGITS = 7


def lower(text: str, region: str | None = None) -> str:
    """Trim and write small.

    Examples
    --------
    >>> lower(" Ann@Example.com ")
    'ann@example.com'
    """
    return text.strip().lower()


def gmail_local(text: str, domains: tuple[str, ...], *, plus: bool) -> str:
    """Take the dots, and with `plus` what follows a plus, from the local part at some domains.

    Examples
    --------
    >>> gmail_local("jane.doe+news@gmail.com", ("gmail.com",), plus=True)
    'janedoe@gmail.com'
    """
    local, _, domain = text.rpartition("@")
    if domain not in domains:
        return text
    if plus:
        local = local.partition("+")[0]
    local = local.replace(".", "")
    return f"{local}@{domain}" if local else ""


def bare_word(text: str, region: str | None = None) -> str:
    """Write small, with letters and digits of every script alone.

    Examples
    --------
    >>> bare_word("O'Brien"), bare_word("New York"), bare_word("Valéry")
    ('obrien', 'newyork', 'valéry')
    """
    text = unicodedata.normalize("NFC", text).lower()
    return "".join(c for c in text if c.isalnum() or unicodedata.category(c)[0] == "M")


def international(text: str, region: str | None = None) -> str:
    """Give the digits of a telephone number with its country code, without a plus.

    A plus or a leading 00 says that the country code is there. Without either the region decides,
    by the national rules that the library of Google's libphonenumber holds; without a region only
    eleven digits or more are taken to begin with one.

    Raises
    ------
    Unusable
        If no country code can be told, or there are more than 15 digits.

    Examples
    --------
    >>> international("+1 (800) 555-1234"), international("0044 207 123 4567")
    ('18005551234', '442071234567')
    """
    text = unicodedata.normalize("NFKC", text).strip()
    digits = digits_of(text)
    if text.startswith("+") or digits.startswith("00"):
        digits = digits_of(_WITHIN.sub("", text)).lstrip("0")
    elif region is not None:
        digits = _with_country(digits, region)
    elif digits.startswith("0") or len(digits) < _FEWEST_WITH_COUNTRY:
        raise Unusable("no country code")
    if not _FEWEST_DIGITS <= len(digits) <= _MOST_DIGITS:
        raise Unusable("no telephone number")
    return digits


def digits_of(text: str) -> str:
    """Give the digits of a telephone number, without an extension.

    Raises
    ------
    Unusable
        If a spreadsheet has cut it short, as 1.65E+10.

    Examples
    --------
    >>> digits_of("+1 (800) 555-1234 ext. 5"), digits_of("16505551212.0")
    ('18005551234', '16505551212')
    """
    if not text.isascii():
        text = "".join(
            str(unicodedata.decimal(c)) if c.isdecimal() else c
            for c in unicodedata.normalize("NFKC", text)
        )
    text = text.strip()
    whole = _FLOAT.fullmatch(text)
    if whole:
        text = whole[1]
    elif _POWER.search(text):
        raise Unusable("cut short by a spreadsheet")
    return re.sub(r"[^0-9]", "", _EXTENSION.sub("", text))


def e164(text: str, region: str | None = None) -> str:
    """Write a telephone number in the form of E.164, with the plus.

    Raises
    ------
    Unusable
        As `international`.

    Examples
    --------
    >>> e164("1 (234) 567-8901"), e164("020 7946 0958", "GB")
    ('+12345678901', '+442079460958')
    """
    return f"+{international(text, region)}"


def _with_country(digits: str, region: str) -> str:
    phonenumbers = require("phonenumbers", "platforms")
    code = str(phonenumbers.country_code_for_region(region.upper()))
    if code == "0":
        raise InvalidInput(
            f"No country has the code {region!r}.", "Give two letters of ISO 3166-1, such as GB."
        )
    national = whole = None
    try:
        national = phonenumbers.parse(digits, region.upper())
        if phonenumbers.is_valid_number(national):
            return f"{national.country_code}{phonenumbers.national_significant_number(national)}"
        whole = phonenumbers.parse(f"+{digits}")
    except phonenumbers.NumberParseException:
        pass
    # Written with the country code, and possible as such though nobody has the number yet.
    if digits.startswith(code) and whole and phonenumbers.is_possible_number(whole):
        return digits
    if national is not None and phonenumbers.is_possible_number(national):
        return f"{national.country_code}{phonenumbers.national_significant_number(national)}"
    raise Unusable("no telephone number of the region")


def birth_date(text: str, region: str | None = None) -> date:
    """Read a day of birth: year first, or month first as in 2/16/1997.

    Raises
    ------
    Unusable
        If it is no day between 1900 and today.

    Examples
    --------
    >>> birth_date("2/16/1997"), birth_date("1997-02-16")
    (datetime.date(1997, 2, 16), datetime.date(1997, 2, 16))
    """
    parts = [int(p) for p in re.findall(r"\d+", text.partition("T")[0])][:3]
    compact = re.fullmatch(r"\s*(\d{4})(\d{2})(\d{2})\s*", text)
    if compact:
        parts = [int(p) for p in compact.groups()]
    try:
        if len(parts) != 3:
            raise ValueError
        day = date(*parts) if parts[0] > 999 else date(parts[2], parts[0], parts[1])
    except ValueError:
        raise Unusable("no date") from None
    if not day.year >= 1900 or day > date.today():
        raise Unusable("no day of birth")
    return day


def month(text: str, region: str | None = None) -> str:
    """Write a month with two digits.

    Examples
    --------
    >>> month("January"), month("3")
    ('01', '03')
    """
    text = text.strip().lower()
    number = int(text) if text.isdecimal() else 0
    if text[:3] in _MONTHS:
        number = 1 + _MONTHS.index(text[:3])
    if not 1 <= number <= 12:
        raise Unusable("no month")
    return f"{number:02d}"


def country(text: str, region: str | None = None) -> str:
    """Write a country with two small letters (ISO 3166-1 alpha-2), from these or its name.

    Examples
    --------
    >>> country("U.S."), country("GB")
    ('us', 'gb')
    """
    letters = bare_word(text)
    return letters if len(letters) == 2 else _country_named(text.strip())


@lru_cache(maxsize=1024)
def _country_named(name: str) -> str:
    if len(name) < 4:
        # Three letters stand for other countries in other lists: USA, UAE, GER.
        return ""
    found = require("pycountry", "platforms").countries.get(name=name.title())
    return "" if found is None else str(found.alpha_2).lower()


@lru_cache(maxsize=1024)
def us_state(name: str) -> str:
    """Give the two letters of a state of the United States, "" if it is none.

    Examples
    --------
    >>> us_state("California"), us_state("British Columbia")
    ('ca', '')
    """
    wanted = bare_word(name)
    for division in require("pycountry", "platforms").subdivisions.get(country_code="US"):
        if wanted in (bare_word(division.name), division.code[3:].lower()):
            return str(division.code[3:]).lower()
    return ""


def lower_device(text: str, region: str | None = None) -> str:
    """Write an advertising id of a device small, hyphens kept.

    Raises
    ------
    Unusable
        If it is none, or the zeros that a device gives whose owner does not want to be tracked.

    Examples
    --------
    >>> lower_device(" 38400000-8CF0-11BD-B23E-10B96E40000D")
    '38400000-8cf0-11bd-b23e-10b96e40000d'
    """
    text = text.strip().lower()
    if not _DEVICE.fullmatch(text) or not text.strip("0-"):
        raise Unusable("no id of a device")
    return text


def checked_region(region: str | None) -> str | None:
    """Give a region in capitals.

    Parameters
    ----------
    region : str or None
        ISO 3166-1 alpha-2, or None.

    Returns
    -------
    str or None

    Raises
    ------
    InvalidInput
        If it is not two letters.

    Examples
    --------
    >>> checked_region("de")
    'DE'
    """
    if region is None or (isinstance(region, str) and re.fullmatch("[A-Za-z]{2}", region)):
        return None if region is None else region.upper()
    raise InvalidInput(f"{region!r} is no region.", "Give two letters of ISO 3166-1, such as GB.")
