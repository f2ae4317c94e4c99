"""Texts to vectors: an encoder protocol, the offline default, OpenAI and compatible servers."""

from __future__ import annotations

from audience_nb.embedding.encoder import Encoder
from audience_nb.embedding.offline import OfflineEncoder, default_encoder
from audience_nb.embedding.openai import OpenAIEncoder
from audience_nb.embedding.vectorcache import VectorCache

__all__ = ["Encoder", "OfflineEncoder", "OpenAIEncoder", "VectorCache", "default_encoder"]
