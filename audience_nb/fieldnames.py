"""Names under which others keep our fields: found by name, where that fails by content."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from itertools import islice
from typing import Any

from audience_nb.errors import InvalidInput
from audience_nb.rows import Rows
from audience_nb.variable import DATA_TYPES, KINDS, VALUE_TYPES, Kind, ValueType

__all__ = ["KIND_WORDS", "VALUE_TYPE_WORDS", "fields_of", "known_names", "plain_name"]

# Beside our own names and the source document's those of codebooks, survey files and statistics
# offices, in English and French. Where a file has several, the earlier wins.
_ALIASES: Mapping[str, Sequence[str]] = {
    "code": (
        *("variable_code", "variable", "var_code", "variable_id", "var", "varname", "var_name"),
        *("column", "column_name", "column_id", "col", "field", "field_name", "field_id"),
        *("attribute", "attribute_name", "mnemonic", "short", "short_name", "unique_id", "uid"),
        *("key", "identifier", "question_id", "question_code", "segment_id", "code_variable"),
        *("feature", "feature_name", "item", "header", "champ", "identifiant", "id", "name", "nom"),
    ),
    "label": (
        *("variable_name", "variable_label", "title", "name", "libelle", "intitule"),
        *("question_text", "question", "statement", "long_name", "display_name", "segment_name"),
        *("column_title", "column_label", "characteristic", "caption", "wording", "text", "texte"),
        *("original", "etiquette", "nom"),
    ),
    "kind": ("variable_type", "type", "variable_kind"),
    "description": (
        *("desc", "definition", "details", "explanation", "long_description", "universe"),
        *("concept", "notes", "comment", "comments", "remarks", "meaning", "question_text"),
        *("question", "statement", "long_name", "title", "text"),
    ),
    "category": (
        *("theme", "section", "group", "domain", "module", "categorie", "subject_area", "subject"),
        *("topic", "rubrique"),
    ),
    "subcategory": ("sub_category", "subtopic", "topic", "subtheme", "subgroup", "sous_categorie"),
    "measure": ("base_question", "stem"),
    "value_type": (
        *("data_type", "datatype", "dtype", "type", "scale", "scale_type", "measurement_level"),
        *("level", "storage_type", "predicate_type", "variable_type"),
    ),
    "values": (
        *("possible_values", "allowed_values", "levels", "options", "choices", "answers"),
        *("value_labels", "categories", "modalites", "responses", "codes", "coding"),
        *("value_codes", "response_options", "answer_options", "valid_values", "valeurs"),
    ),
    "value_range": ("range", "valid_range", "bounds", "plage"),
    "unit": ("units", "unit_of_measure", "uom", "unite", "measurement_unit"),
    "update_frequency": ("frequency", "refresh", "periodicity"),
    "source": ("data_source", "provider", "vendor", "dataset", "origin", "fournisseur"),
    "availability": ("data_availability", "available_in", "data_types", "data_type"),
    "keywords": ("tags", "synonyms", "mots_cles", "search_terms", "topics"),
    "missing": (
        *("missing_values", "missing_codes", "missing_value", "na_values", "na_codes", "na"),
        *("invalid_values", "invalid_codes", "user_missing", "no_answer", "manquant"),
    ),
    # Fields that somebody set by hand, in catalogues that we wrote.
    "edited": (),
    # Columns that make up a cell of ours together.
    "first_party": (),
    "third_party": (),
    "clean_room": (),
    "min": ("minimum", "min_value"),
    "max": ("maximum", "max_value"),
}

KIND_WORDS: Mapping[str, Kind] = {
    "demographics": "demographic",
    "demo": "demographic",
    "demographique": "demographic",
    "behavioural": "behavioral",
    "behaviour": "behavioral",
    "behavior": "behavioral",
    "comportemental": "behavioral",
    "psychographics": "psychographic",
    "values": "psychographic",
    "attitude": "psychographic",
    "attitudinal": "psychographic",
    "psychographique": "psychographic",
    "lifestyles": "lifestyle",
    "prizm": "lifestyle",
}
VALUE_TYPE_WORDS: Mapping[str, ValueType] = {
    "integer": "numeric",
    "int": "numeric",
    "int64": "numeric",
    "bigint": "numeric",
    "smallint": "numeric",
    "float": "numeric",
    "float64": "numeric",
    "double": "numeric",
    "number": "numeric",
    "decimal": "numeric",
    "continuous": "numeric",
    "interval": "numeric",
    "ratio": "numeric",
    "percent": "numeric",
    "currency": "numeric",
    "likert": "ordinal",
    "rating": "ordinal",
    "ordered": "ordinal",
    "categorical": "nominal",
    "category": "nominal",
    "string": "nominal",
    "str": "nominal",
    "varchar": "nominal",
    "object": "nominal",
    "factor": "nominal",
    "enum": "nominal",
    "bool": "boolean",
    "binary": "boolean",
    "flag": "boolean",
    "datetime": "date",
    "timestamp": "date",
    "free_text": "text",
}
_VOCABULARY: Mapping[str, Collection[str]] = {
    "kind": {*KINDS, *KIND_WORDS},
    "value_type": {*VALUE_TYPES, *VALUE_TYPE_WORDS},
    "availability": set(DATA_TYPES),
}
# Names that say too little; what stands below them decides.
_VAGUE = frozenset({"type", "data_type", "variable_type", "level", "scale"})
_SAMPLE = 500
# With more columns that mean nothing, and none that is known, no guess is made.
MAX_UNKNOWN = 6


def plain_name(name: str) -> str:
    """Write a column's name in lower case with underscores.

    Parameters
    ----------
    name : str
        With spaces, dashes, accents, camel case or a note's asterisk.

    Returns
    -------
    str

    Examples
    --------
    >>> plain_name("dataAvailability"), plain_name("Libellé "), plain_name("Unique ID*")
    ('data_availability', 'libelle', 'unique_id')
    """
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.strip())
    flat = unicodedata.normalize("NFKD", spaced).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "_", flat).strip("_")


def known_names(names: Sequence[str]) -> int:
    """Count the names that mean a field.

    Parameters
    ----------
    names : sequence of str
        Cells of a row that may be a header.

    Returns
    -------
    int

    Examples
    --------
    >>> known_names(["Variable", "Question text", "Wave 3"])
    2
    """
    return sum(any(True for _ in _meanings(plain_name(name))) for name in names)


def _meanings(plain: str) -> list[tuple[int, str]]:
    """Give the fields that a plain name may mean, each with its rank; 0 is our own name."""
    return [
        (0 if plain == field else 1 + names.index(plain), field)
        for field, names in _ALIASES.items()
        if plain == field or plain in names
    ]


def fields_of(rows: Rows, *, guess: bool = True) -> tuple[dict[str, list[int]], list[str]]:
    """Tell which columns hold which field.

    Parameters
    ----------
    rows : Rows
        Anybody's.
    guess : bool, optional
        Whether content may tell the code and the label where no name does.

    Returns
    -------
    columns : dict of str to list of int
        For each field found, its columns: where the first is empty the next is asked. Beside the
        fields of `Variable` also "first_party", "third_party", "clean_room", "min" and "max".
    notes : list of str
        What was guessed and what is not used.

    Raises
    ------
    InvalidInput
        If it looks like a table of records.

    Examples
    --------
    >>> fields_of(Rows(["Nom", "Libellé", "x"], [["A"], ["Âge"], ["?"]], [2]))
    ({'label': [1], 'code': [0]}, ['1 column was not used: “x”.'])
    """
    plain = [plain_name(name) for name in rows.names]
    pairs = sorted(
        (rank, i, field)
        for i, name in enumerate(plain)
        for rank, field in _meanings(name)
        if name not in _VAGUE or rank == 0 or _speaks_of(rows.columns[i], field)
    )
    found: dict[str, list[int]] = {}
    used: set[int] = set()
    for _, i, field in pairs:
        if field not in found and i not in used:
            found[field] = [i]
            used.add(i)
    # A second column for a field answers where the first is empty.
    for _, i, field in pairs:
        if i not in used:
            found[field].append(i)
            used.add(i)
    if "category" not in found and "subcategory" in found:
        found["category"] = found.pop("subcategory")
    notes = []
    if "code" not in found and "label" in found:
        named = [i for i in found["label"] if plain[i] in ("name", "nom")]
        found.update({"code": named} if named else {})
    said = any(field in found for field in ("code", "label", "description"))
    if guess:
        notes += _guess(rows, found, used)
    unused = [rows.names[i] for i, name in enumerate(plain) if i not in used and name]
    if guess and not said and len(unused) > MAX_UNKNOWN:
        raise InvalidInput(
            f"None of {len(rows.names)} columns is called a code or a label: this looks like a "
            "table of records, not a catalogue of variables.",
            "Give the table to Catalog.from_frame, or call two columns 'code' and 'label'.",
        )
    if unused:
        shown = ", ".join(f"“{name}”" for name in unused[:5])
        more = f" and {len(unused) - 5:,} more" if len(unused) > 5 else ""
        columns = "1 column was" if len(unused) == 1 else f"{len(unused):,} columns were"
        notes.append(f"{columns} not used: {shown}{more}.")
    return found, notes


def _speaks_of(column: Sequence[Any], field: str) -> bool:
    """Tell whether most of a column's first values are words of a field."""
    seen = [str(v).strip().lower() for v in islice(column, _SAMPLE) if v not in (None, "")]
    known = sum(v in _VOCABULARY.get(field, ()) for v in seen)
    return known > len(seen) / 2


def _guess(rows: Rows, found: dict[str, list[int]], used: set[int]) -> list[str]:
    """Find a code and a label by what stands in the columns; say so."""
    notes = []
    texts = {
        i: [str(v).strip() for v in islice(column, _SAMPLE) if v is not None]
        for i, column in enumerate(rows.columns)
        if i not in used and rows.names[i].strip()
    }
    lengths = {i: sum(map(len, t)) / max(len(t), 1) for i, t in texts.items()}
    if "code" not in found:
        own = [i for i, t in texts.items() if t and all(t) and len(set(t)) == len(t)]
        # A code is written in one word; the shortest is least a label.
        own = [i for i in own if sum(" " in x for x in texts[i]) <= len(texts[i]) / 2] or own
        best = min(own, key=lambda i: (lengths[i], i), default=None)
        if best is not None and (
            "label" in found
            or "description" in found
            or len(own) > 1
            or any(lengths[i] > lengths[best] for i in texts)
        ):
            found["code"] = [best]
            used.add(best)
            notes.append(f"“{rows.names[best]}” was taken for the code: each row has its own.")
    if "label" not in found and "description" not in found:
        worded = {
            i: lengths[i]
            for i, t in texts.items()
            if i not in used and sum(any(c.isalpha() for c in x) for x in t) > len(t) / 2
        }
        best = max(worded, key=lambda i: (worded[i], -i), default=None)
        if best is not None:
            found["label"] = [best]
            used.add(best)
            notes.append(f"“{rows.names[best]}” was taken for the label: it has the longest texts.")
    return notes
