"""Search that finds what people mean: words, concepts, spelling and meaning, explained."""

from audience_nb.search.concepts import Concept, Concepts, default_concepts, register
from audience_nb.search.evaluate import Evaluation, evaluate
from audience_nb.search.feedback import Feedback
from audience_nb.search.fusion import Weights
from audience_nb.search.index import SearchIndex
from audience_nb.search.query import Query, Suggestion

__all__ = [
    "Concept",
    "Concepts",
    "Evaluation",
    "Feedback",
    "Query",
    "SearchIndex",
    "Suggestion",
    "Weights",
    "default_concepts",
    "evaluate",
    "register",
]
