"""Names under which people keep identifiers, and the one name that rules use."""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["ALIASES", "PERSONAL", "PSEUDONYMOUS", "columns_for", "field_of"]

ALIASES: dict[str, tuple[str, ...]] = {
    "email": ("email", "emailaddress", "mail", "hashedemail", "emailsha256", "courriel"),
    "phone": (
        "phone",
        "phonenumber",
        "mobile",
        "telephone",
        "mobilephone",
        "phonesha256",
        "cell",
    ),
    "first_name": ("firstname", "givenname", "forename", "prenom"),
    "last_name": ("lastname", "surname", "familyname"),
    "gender": ("gender", "sex"),
    "birth_date": ("birthdate", "dateofbirth", "dob", "birthday"),
    "address": ("address", "address1", "street", "streetaddress"),
    "city": ("city", "town", "ville"),
    "state": ("state", "province", "region"),
    "postal_code": ("postalcode", "zip", "zipcode", "postcode", "codepostal"),
    "country": ("country", "countrycode", "pays"),
    "maid": ("maid", "idfa", "aaid", "gaid", "mobileadid", "advertisingid"),
    "uid2": ("uid2",),
    "rampid": ("rampid",),
    "customer_id": ("customerid", "externid", "externalid", "crmid"),
    "username": ("username", "handle"),
}
PERSONAL = frozenset({"email", "phone", "first_name", "last_name", "address"})
PSEUDONYMOUS = frozenset({"uid2", "rampid", "maid"})
_FIELD = {alias: name for name, aliases in ALIASES.items() for alias in aliases}


def field_of(column: object) -> str | None:
    """Give the field that a column's name stands for.

    Parameters
    ----------
    column : object
        A name in any case, with or without underscores.

    Returns
    -------
    str or None

    Examples
    --------
    >>> field_of("E-mail address"), field_of("ZIP"), field_of("age")
    ('email', 'postal_code', None)
    """
    return _FIELD.get(re.sub(r"[^a-z0-9]", "", str(column).lower()))


def columns_for(fields: Iterable[str], available: Iterable[str]) -> list[str]:
    """Give the columns that hold some fields, the first of each.

    Parameters
    ----------
    fields : iterable of str
        Our names.
    available : iterable of str
        Columns that there are.

    Returns
    -------
    list of str

    Examples
    --------
    >>> columns_for(["email"], ["age", "Mail", "email"])
    ['Mail']
    """
    found: dict[str, str] = {}
    for column in available:
        name = field_of(column)
        if name is not None:
            found.setdefault(name, column)
    return [found[name] for name in dict.fromkeys(fields) if name in found]
