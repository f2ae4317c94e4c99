"""What segments of real tables tell: names, performance, lookalikes, overlap, drift.

    python benchmarks/insights.py PATH

PATH is a folder with `person/*.csv` (where each came from stands in its PROVENANCE.md). Segments
are cut without the outcome. Prints the names with the outcome of each segment and whether it is
more than chance; the lookalike's AUC beside scikit-learn's own logistic regression on the same
folds; names that platforms would flag; and what a tenth of the records, taken in as a batch, and
the same a little shifted, does to segments formed of the other nine.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from real_data import MARKETING

from audience_nb import Session
from audience_nb.policy.wording import lint

# Table, codebook, id, variables to cut by, outcome, columns that say the same as the outcome.
TABLES: list[tuple[str, Any, str | None, list[str] | None, str, tuple[str, ...]]] = [
    (
        "young_people_responses.csv",
        "young_people_columns.csv",
        None,
        ["Age", "Gender", "Shopping", "Socializing", "Internet", "Reading", "Active sport",
         "Spending on looks", "Spending on gadgets", "Entertainment spending", "Healthy eating"],
        "Shopping centres=5",
        ("Shopping centres",),
    ),
    ("telco_customer_churn.csv", None, "customerID", None, "Churn", ("Churn", "TotalCharges")),
    (
        "marketing_campaign.csv",
        MARKETING,
        "ID",
        None,
        "Response",
        (
            *("Response", "Z_CostContact", "Z_Revenue", "Complain"),
            *(f"AcceptedCmp{i}" for i in range(1, 6)),
        ),
    ),
    ("cc_general.csv", None, "customer_id", None, "CASH_ADVANCE", ("CASH_ADVANCE",
     "CASH_ADVANCE_FREQUENCY", "CASH_ADVANCE_TRX")),
]  # fmt: skip


def told(folder: Path) -> None:
    """Print what each table tells."""
    for table, dictionary, id_column, wanted, outcome, same in TABLES:
        if isinstance(dictionary, str):
            dictionary = folder / "person" / dictionary
        session = Session(folder / "person" / table, dictionary, id=id_column)
        codes = wanted or [c for c in session.source.codes if c not in same]
        by_fold = {c.casefold(): c for c in session.source.codes}
        codes = [by_fold[c.casefold()] for c in codes if c.casefold() in by_fold]
        if "=" not in outcome:
            outcome = by_fold.get(outcome.casefold(), outcome)
        session.confirm(codes)
        cut = session.segment()
        table_of = session.performance(outcome)
        rate = table_of["mean"].between(0, 1).all()
        print(f"\n{table}: {cut.n_segments} segments of {cut.n_records:,}, outcome {outcome}")
        for segment in cut.segments:
            row = table_of.loc[segment.id]
            mean = f"{row['mean']:.1%}" if rate else f"{row['mean']:,.0f}"
            sure = "*" if row["significant"] else " "
            flags = ", ".join(sorted({f.rule for f in lint(segment.name)}))
            flags = f"  [{flags}: {segment.plain_name}]" if flags else ""
            lift = f"{row['lift']:>5.0f}" if row["lift"] == row["lift"] else "    –"
            print(f"  {segment.size:>4} {mean:>8} {lift}{sure} {segment.name}{flags}")
        print(f"  {int(table_of['significant'].sum())} of {cut.n_segments} more than chance (*)")
        if rate:
            for method in ("logistic", "boosting"):
                found = session.lookalike(seed=outcome, method=method)
                best = found.lift.set_index("share").loc[0.05]
                print(
                    f"  lookalike, {method}: AUC {found.auc:.3f} of {found.n_seed:,}; the best 5% "
                    f"hold {best['lift']:.1f} times as many as chance"
                )
            print(f"  scikit-learn's logistic regression: AUC {reference(session, outcome):.3f}")
        batches(session)


def reference(session: Session, outcome: str) -> float:
    """Cross-validate a plain pipeline over the same variables, as scikit-learn's users write it."""
    from sklearn.compose import make_column_selector, make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    frame = session.frame
    assert frame is not None
    own = outcome.partition("=")[0]
    frame = frame.drop(columns=[own], errors="ignore")
    # One kind of missing value, and texts that are plain objects.
    texts = frame.select_dtypes(exclude="number").columns
    frame = frame.astype(dict.fromkeys(texts, object)).where(frame.notna(), np.nan)
    y = session._outcome(outcome)[0].to_numpy() == 1
    columns = make_column_transformer(
        (
            make_pipeline(SimpleImputer(strategy="median"), StandardScaler()),
            make_column_selector(dtype_include="number"),
        ),
        (OneHotEncoder(handle_unknown="ignore"), make_column_selector(dtype_exclude="number")),
    )
    model = make_pipeline(columns, LogisticRegression(max_iter=2000))
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    scores = cross_val_predict(model, frame, y, cv=folds, method="predict_proba")[:, 1]
    return float(roc_auc_score(y, scores))


def batches(session: Session) -> None:
    """Form segments of nine tenths, take the last one in as it is and shifted."""
    from audience_nb.segments import Segmentation

    frame = session.frame
    assert frame is not None
    variables = [session.catalog[c] for c in session.state.confirmed]
    last = frame.sample(frac=0.1, random_state=0)
    first = frame.drop(index=last.index)
    cut = Segmentation.fit(first, variables, n_segments=12)
    print("  a tenth as a batch:", cut.update(last).summary())
    numbers = last.select_dtypes("number")
    moved = last.assign(**{c: numbers[c] + numbers[c].std() for c in numbers.columns[:3]})
    print("  three numbers up by a deviation:", cut.update(moved).summary())
    again = cut.update(pd.concat([first, last]))
    known = int(again.sizes["arrived"].sum())
    print(f"  all of them: {known} of {again.n_changed:,} known move, so that sizes stay allowed")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", type=Path)
    told(parser.parse_args().path)
