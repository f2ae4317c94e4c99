"""Write the customers of an invented outdoor shop, with a real table's dirt, and their codebook.

    python notebooks/data/make.py [--check]

Nobody in it exists: every value is drawn from a seeded generator. The dirt is put in on purpose:
codes for no answer (-9, 99, "Refused"), amounts with dollar signs and thousands commas, percents,
dates as text in two formats, yes and no in four spellings, repeated customers, a column that
never differs, and people who did not consent. --check tells whether the files are what this
writes.
"""

from __future__ import annotations

import csv
import io
import random
import sys
from datetime import date, timedelta
from pathlib import Path

HERE = Path(__file__).resolve().parent
N_CUSTOMERS, N_REPEATED = 600, 8
ACTIVITIES = ("Hiking", "Climbing", "Cycling", "Paddling", "Camping", "Running")
REGIONS = ("Coast", "Mountains", "Prairies", "Lakes", "City")

# Kind of customer: share, age, orders a year, spend an order, main activities, and from 1 to 5
# how they feel about adventure, thrift, the environment and gear.
KINDS = (
    (0.20, 27, 5, 60, ("Climbing", "Running"), (5, 4, 3, 3)),
    (0.20, 41, 8, 140, ("Cycling", "Running"), (3, 2, 3, 5)),
    (0.25, 38, 4, 110, ("Camping", "Hiking"), (2, 4, 4, 2)),
    (0.15, 63, 3, 95, ("Hiking", "Paddling"), (2, 3, 5, 2)),
    (0.20, 48, 1, 45, ("Hiking", "Camping"), (1, 5, 2, 1)),
)

# Column, label, section, unit, values, missing.
CODEBOOK = (
    ("cust_id", "Customer number", "", "", "", ""),
    ("joined", "Customer since", "Relationship", "", "", ""),
    ("age", "Age of the customer", "About the customer", "years", "", "-9"),
    ("household", "People in the household", "About the customer", "persons", "", ""),
    ("region", "Region of the home", "About the customer", "", "", ""),
    ("orders_12m", "Orders in the last 12 months", "Purchases", "orders", "", ""),
    ("spend_12m", "Spending in the last 12 months", "Purchases", "dollars", "", ""),
    ("online_share", "Share of orders placed online", "Purchases", "percent", "", ""),
    ("activity", "Main activity", "Outdoors", "", "", ""),
    ("tier", "Club tier", "Relationship", "", "bronze|silver|gold", ""),
    (
        "channel",
        "How they heard of us",
        "Relationship",
        "",
        "1=Friends;2=Search;3=Shop;9=Refused",
        "",
    ),
    ("rents_gear", "Gear rental", "Outdoors", "", "", ""),
    ("att_1", "Love of adventure", "Attitudes", "", "1-5", "99"),
    ("att_2", "Interest in sales", "Attitudes", "", "1-5", "99"),
    ("att_3", "Care for the environment", "Attitudes", "", "1-5", "99"),
    ("att_4", "Interest in new gear", "Attitudes", "", "1-5", "99"),
    ("returns", "Returned at least one order", "Purchases", "", "", ""),
    ("loyalty_points", "Points in the club", "Relationship", "points", "", ""),
)


def customers() -> list[dict[str, str]]:
    """Draw the rows of the table, repeated customers at the end."""
    draw = random.Random(20260401)
    rows = []
    for number in range(1, N_CUSTOMERS + 1):
        kind = draw.choices(KINDS, weights=[k[0] for k in KINDS])[0]
        _, age, orders, ticket, activities, attitudes = kind
        n_orders = max(0, round(draw.gauss(orders, 1 + orders / 4)))
        spend = sum(ticket * draw.lognormvariate(0, 0.5) for _ in range(n_orders))
        if draw.random() < 0.01:
            spend *= 25  # A club that orders for all of its members.
        joined = date(2015, 1, 1) + timedelta(days=draw.randrange(4000))
        home = draw.choices(REGIONS, weights=(2, 3, 1, 2, 4))[0]
        rows.append(
            {
                "customer_id": f"C-{number:04d}",
                "Joined": f"{joined:%d/%m/%Y}" if draw.random() < 0.5 else f"{joined:%d %b %Y}",
                "age": str(-9 if draw.random() < 0.05 else max(18, round(draw.gauss(age, 6)))),
                "household": str(min(6, max(1, round(draw.gauss(1.5 + (age in (38, 41)), 1))))),
                "region": home if draw.random() > 0.03 else "Refused",
                "Orders 12m": str(n_orders),
                "Spend 12m": f"${spend:,.2f}",
                "online_share": f"{min(100, max(0, round(draw.gauss(110 - age, 15))))}%",
                "activity": draw.choice(activities)
                if draw.random() < 0.8
                else draw.choice(ACTIVITIES),
                "tier": "gold" if spend > 900 else "silver" if spend > 300 else "bronze",
                "channel": str(draw.choices((1, 2, 3, 9), weights=(4, 4, 3, 1))[0]),
                "rents gear": draw.choice(
                    ("Yes", "yes", "Y") if draw.random() < attitudes[1] / 8 else ("No", "N", "no")
                ),
                **{
                    f"att_{place}": str(
                        99 if draw.random() < 0.04 else min(5, max(1, round(draw.gauss(mean, 0.8))))
                    )
                    for place, mean in enumerate(attitudes, start=1)
                },
                "returned": draw.choice(("TRUE", "FALSE", "FALSE", "FALSE")),
                "country": "CA",
                "comment": draw.choice(("", "", "asked about delivery times for order"))
                and f"asked about delivery of order {draw.randrange(10**6)} by telephone",
                "marketing_consent": "no" if draw.random() < 0.08 else "yes",
            }
        )
    return rows + [dict(row) for row in draw.sample(rows, N_REPEATED)]


def tables() -> dict[str, str]:
    """Give the files' contents by name."""
    rows = customers()
    words = [
        dict(zip(("column", "meaning", "section", "units", "values", "missing"), line, strict=True))
        for line in CODEBOOK
    ]
    files = {}
    for name, records in (("customers.csv", rows), ("codebook.csv", words)):
        target = io.StringIO(newline="")
        writer = csv.DictWriter(target, list(records[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(records)
        files[name] = target.getvalue()
    return files


def main(arguments: list[str]) -> int:
    """Write the files, or compare them with what is there."""
    differ = 0
    for name, text in tables().items():
        path = HERE / name
        if arguments == ["--check"]:
            same = path.is_file() and path.read_text(encoding="utf-8") == text
            print(f"{name}: {'same' if same else 'differs'}")
            differ += not same
        else:
            path.write_text(text, encoding="utf-8", newline="")
    return 1 if differ else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
