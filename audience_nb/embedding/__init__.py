"""Texts to vectors: one protocol, encoders that work offline, OpenAI and compatible servers."""

from __future__ import annotations

from audience_nb.embedding.cost import CostEstimate, Usage
from audience_nb.embedding.encoder import Encoder
from audience_nb.embedding.model import ModelEncoder
from audience_nb.embedding.multilingual import MultilingualEncoder
from audience_nb.embedding.offline import OfflineEncoder, default_encoder
from audience_nb.embedding.openai import OpenAIEncoder
from audience_nb.embedding.registry import (
    as_encoder,
    encoder_named,
    encoder_names,
    register_encoder,
)
from audience_nb.embedding.vectorcache import VectorCache

__all__ = [
    "CostEstimate",
    "Encoder",
    "ModelEncoder",
    "MultilingualEncoder",
    "OfflineEncoder",
    "OpenAIEncoder",
    "Usage",
    "VectorCache",
    "as_encoder",
    "default_encoder",
    "encoder_named",
    "encoder_names",
    "register_encoder",
]
