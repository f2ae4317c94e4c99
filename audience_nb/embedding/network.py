"""The offline encoder's network: word pieces to sentence vectors, in numpy."""

from __future__ import annotations

import hashlib
import os
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from audience_nb.embedding.encoder import FloatArray

__all__ = ["SentenceNetwork", "read_weights"]

Integers: TypeAlias = npt.NDArray[np.int64]
Weights: TypeAlias = Mapping[str, npt.NDArray[Any]]

# The table of pieces lies in the package in so many parts, each quantised by itself: piece i is
# row i // 17 of part i % 17.
_PARTS = 17
_EMBEDDING, _WIDTH = 512, 256
# Pieces that each of the three convolutions sees at once, and where its window begins.
_SIZES, _BEFORE = (2, 3, 5), (0, 1, 2)
_OFFSETS = np.concatenate([np.arange(n) - b for n, b in zip(_SIZES, _BEFORE, strict=True)])
_BRANCH = np.repeat(np.arange(len(_SIZES)), _SIZES)
# Pieces whose first layer is kept for queries, 15 KB each, and those of them that stay.
_MAX_KEPT, _MAX_STAYING = 1536, 1024
# Pieces of one pass: what they need stays in the processor's cache.
_PASS = 384
# Calls of so few sentences are queries, larger ones are catalogues.
_FEW = 16
# With rows in multiples of this, a row of a product does not depend, to the last bit, on how many
# rows there are (seen in OpenBLAS; elsewhere it may, by rounding).
_ROWS = 8


class SentenceNetwork:
    """Multilingual Universal Sentence Encoder, convolutional (Yang et al. 2020).

    The same sums as in the package that ships the weights, in another order; vectors differ by
    rounding only, below 1e-6. The first layer of each convolution is linear in the pieces of its
    window, and so a sum of one product for each; a product depends on the piece and its place
    alone, so each is computed once for all texts of a call, and kept for the queries that follow.
    A query's vector is nevertheless the same, whatever was asked before or with it.

    Parameters
    ----------
    weights : mapping of str to ndarray
        As `read_weights` gives them.

    Raises
    ------
    KeyError, ValueError
        If the weights are of another network.
    """

    def __init__(self, weights: Weights) -> None:
        w = weights
        self._table, self._scale, self._low = w["table"], w["scale"], w["lo"]
        self._eps = float(w["eps"])
        self._project = np.concatenate([w[f"proj{n}"] for n in _SIZES], axis=1)
        self._project_bias = np.concatenate([w[f"proj_b{n}"] for n in _SIZES])
        self._gain1 = np.concatenate([w[f"ln_g{n}"] for n in _SIZES])
        self._shift1 = np.concatenate([w[f"ln_b{n}"] for n in _SIZES])
        # (window × 256, 256) to (256, window × 256): one product for each place of the window.
        self._conv1 = [
            np.ascontiguousarray(
                w[f"w1_{n}"].reshape(n, _WIDTH, _WIDTH).transpose(1, 0, 2).reshape(_WIDTH, -1)
            )
            for n in _SIZES
        ]
        self._conv1_bias = np.stack([w[f"b1_{n}"] for n in _SIZES])
        self._conv2 = [w[f"w2_{n}"].reshape(n * _WIDTH, _WIDTH) for n in _SIZES]
        self._conv2_bias = np.stack([w[f"b2_{n}"] for n in _SIZES])
        # Layers that read the same are one product, straight on and into a hidden layer, and what
        # is linear before it is part of it.
        first = np.concatenate([w["p1"], w["d0"]], axis=1)
        self._first = (w["ln_g"][:, None] * w["cnn_W"]) @ first
        self._first_bias = (w["ln_b"] @ w["cnn_W"] + w["cnn_b"]) @ first
        self._second = np.concatenate([w["p3"], w["d2"]], axis=1)
        self._first_hidden, self._second_hidden = w["d1"], w["d3"]
        self._kept = _Pieces(_MAX_KEPT)

    def encode(self, sentences: Sequence[Sequence[int]]) -> FloatArray:
        """Give the vectors of sentences.

        Parameters
        ----------
        sentences : sequence of sequence of int
            Numbers of pieces, at least one each.

        Returns
        -------
        ndarray of shape (n_sentences, 512), float32
            Rows of length one.
        """
        result = np.empty((len(sentences), _EMBEDDING), np.float32)
        # Kept for queries only: a catalogue's pieces would push them out.
        pieces = self._kept if len(sentences) <= _FEW else _Pieces(4096)
        first = n_pieces = 0
        for i, sentence in enumerate(sentences):
            if i > first and n_pieces + len(sentence) > _PASS:
                result[first:i] = self._pass(sentences[first:i], pieces)
                first, n_pieces = i, 0
            n_pieces += len(sentence)
        if first < len(sentences):
            result[first:] = self._pass(sentences[first:], pieces)
        return result

    def keep(self, pieces: Sequence[int]) -> None:
        """Compute the first layer of pieces beforehand.

        Parameters
        ----------
        pieces : sequence of int
            Those that queries will have; the first 1,024 distinct ones are kept until others are
            given for which there is no room.
        """
        kept = self._kept
        wanted = list(dict.fromkeys(pieces))[:_MAX_STAYING]
        kept.forget()
        if len(kept.row_of.keys() | wanted) > _MAX_STAYING:
            kept.row_of.clear()
            kept.n_staying = 0
        self._rows(wanted, kept)
        kept.n_staying = len(kept.row_of)

    def _pass(self, sentences: Sequence[Sequence[int]], pieces: _Pieces) -> FloatArray:
        lengths = np.array([len(sentence) for sentence in sentences])
        flat = [piece for sentence in sentences for piece in sentence]
        n, n_rows = len(flat), _multiple(len(flat))
        known = self._rows(flat, pieces)
        rows = np.full(n_rows + 1, pieces.nothing)
        rows[:n] = known
        starts = np.cumsum(lengths) - lengths
        # Of each piece, the pieces in its ten windows; the last row is nothing: what lies beyond
        # a sentence's ends.
        window = np.arange(n_rows)[:, None] + _OFFSETS
        outside = window[:n] < np.repeat(starts, lengths)[:, None]
        outside |= window[:n] >= np.repeat(starts + lengths, lengths)[:, None]
        window[:n][outside] = n_rows
        window[n:] = n_rows
        places, rows = rows[window], rows[:n_rows]

        hidden = np.empty((n_rows, len(_SIZES), _WIDTH), np.float32)
        hidden[:] = self._conv1_bias
        for place, branch in enumerate(_BRANCH.tolist()):
            hidden[:, branch] += pieces.products[place].take(places[:, place], axis=0)
        np.maximum(hidden, 0, out=hidden)
        hidden += pieces.projected.take(rows, axis=0).reshape(hidden.shape)

        padded = np.zeros((n_rows + 1, len(_SIZES), _WIDTH), np.float32)
        padded[:n] = hidden[:n]
        seen = padded[window, _BRANCH]
        features = np.empty((n_rows, _EMBEDDING + hidden[0].size), np.float32)
        features[:, :_EMBEDDING] = pieces.embedded.take(rows, axis=0)
        second = features[:, _EMBEDDING:].reshape(hidden.shape)
        at = 0
        for branch, size in enumerate(_SIZES):
            part = seen[:, at : at + size].reshape(n_rows, size * _WIDTH)
            second[:, branch] = part @ self._conv2[branch]
            at += size
        second += self._conv2_bias
        np.maximum(second, 0, out=second)
        second += hidden
        _standardize(features, self._eps)

        # The sum over a sentence comes before the linear layer that follows: fewer rows.
        total = np.zeros((_multiple(len(lengths)), features.shape[1]), np.float32)
        np.add.reduceat(features[:n], starts, axis=0, out=total[: len(lengths)])
        roots = np.ones((len(total), 1), np.float32)
        roots[: len(lengths), 0] = np.sqrt(lengths)
        total /= roots
        both = total @ self._first
        both += roots * self._first_bias
        one = _through(both, self._first_hidden)
        np.maximum(one, 0, out=one)
        two = _through(one @ self._second, self._second_hidden)[: len(lengths)]
        np.tanh(two, out=two)
        vectors: FloatArray = two / np.sqrt(np.einsum("ij,ij->i", two, two))[:, None]
        return vectors

    def _rows(self, flat: Sequence[int], pieces: _Pieces) -> Integers:
        """Give the row of each piece among those kept, computing what is new."""
        row_of = pieces.row_of
        new = [piece for piece in dict.fromkeys(flat) if piece not in row_of]
        if len(row_of) + len(new) > pieces.capacity:
            pieces.forget()
            new = [piece for piece in dict.fromkeys(flat) if piece not in row_of]
        if new:
            pieces.reserve(len(row_of) + len(new))
            at = np.s_[len(row_of) : len(row_of) + len(new)]
            ids = np.array(new + new[-1:] * (_multiple(len(new)) - len(new)))
            part = ids % _PARTS
            embedded = self._table[ids].astype(np.float32)
            embedded *= self._scale[part, None]
            embedded += self._low[part, None]
            x = embedded @ self._project
            x += self._project_bias
            _standardize(x, self._eps)
            x *= self._gain1
            x += self._shift1
            place = 0
            for branch, size in enumerate(_SIZES):
                products = x[:, branch * _WIDTH : (branch + 1) * _WIDTH] @ self._conv1[branch]
                for one in np.split(products[: len(new)], size, axis=1):
                    pieces.products[place, at] = one
                    place += 1
            pieces.embedded[at] = embedded[: len(new)]
            pieces.projected[at] = x[: len(new)]
            row_of.update(zip(new, range(len(row_of), len(row_of) + len(new)), strict=True))
        return np.array([row_of[piece] for piece in flat])


class _Pieces:
    """What the first layer makes of pieces."""

    def __init__(self, capacity: int) -> None:
        # One pass has no more than this, unless a single sentence is longer.
        self.capacity = max(capacity, _PASS)
        self.row_of: dict[int, int] = {}
        self.n_staying = 0
        self._allocate(self.capacity)

    def _allocate(self, capacity: int) -> None:
        # Memory that is not written to is not used yet. The last row is nothing.
        self.embedded = np.zeros((capacity + 1, _EMBEDDING), np.float32)
        self.projected = np.zeros((capacity + 1, len(_SIZES) * _WIDTH), np.float32)
        self.products = np.zeros((len(_OFFSETS), capacity + 1, _WIDTH), np.float32)
        self.nothing = capacity

    def forget(self) -> None:
        """Let go of all but those that stay."""
        for piece in [piece for piece, row in self.row_of.items() if row >= self.n_staying]:
            del self.row_of[piece]

    def reserve(self, n_rows: int) -> None:
        """Make room for a sentence of more distinct pieces than there are rows."""
        if n_rows > self.capacity:
            before = self.embedded, self.projected, self.products
            n = len(self.row_of)
            self._allocate(n_rows)
            self.embedded[:n], self.projected[:n] = before[0][:n], before[1][:n]
            self.products[:, :n] = before[2][:, :n]
            self.capacity = n_rows


def _multiple(n: int) -> int:
    return -(-n // _ROWS) * _ROWS


def _through(both: FloatArray, hidden: FloatArray) -> FloatArray:
    """Add what comes straight, the first columns, and what comes through a hidden layer."""
    width = hidden.shape[1]
    sums: FloatArray = np.maximum(both[:, width:], 0) @ hidden
    sums += both[:, :width]
    return sums


def _standardize(x: FloatArray, eps: float) -> None:
    """Normalise rows in place (Ba, Kiros and Hinton 2016, "Layer normalization")."""
    x -= x.mean(axis=1, keepdims=True)
    variance = np.einsum("ij,ij->i", x, x) / x.shape[1]
    x *= (1 / np.sqrt(variance + eps))[:, None]


# -- weights -----------------------------------------------------------------------------------


def read_weights(path: Path, folder: Path) -> Weights:
    """Read the network's weights, the large table memory-mapped.

    Parameters
    ----------
    path : pathlib.Path
        The package's file: compressed, so that it takes 0.4 s and 65 MB of memory to read.
    folder : pathlib.Path
        Where an uncompressed copy is kept. It is checked each time, and made anew if it is
        damaged; where it cannot be written, all is held in memory.

    Returns
    -------
    mapping of str to ndarray

    Raises
    ------
    KeyError, ValueError, OSError, zipfile.BadZipFile
        If the package's file is of another kind.
    """
    with zipfile.ZipFile(path) as packed:
        checks = " ".join(f"{member.filename} {member.CRC:08x}" for member in packed.infolist())
    copy = folder / f"sentences-{hashlib.sha256(checks.encode()).hexdigest()[:12]}.npz"
    try:
        return _open(copy)
    except (OSError, KeyError, ValueError, zipfile.BadZipFile):
        pass
    with np.load(path, allow_pickle=False) as stored:
        parts = [stored[f"q{i + 1}"] for i in range(_PARTS)]
        weights = {k: stored[k] for k in stored.files if k[0] != "q"}
    table = np.empty((len(parts) * len(parts[0]), _EMBEDDING), np.uint8)
    for i, part in enumerate(parts):
        table[i::_PARTS] = part
    weights["table"] = table
    del parts
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix="sentences-") as place:
            whole = Path(place) / copy.name
            with whole.open("wb") as file:
                np.savez(file, **weights)
                file.flush()
                os.fsync(file.fileno())
            whole.replace(copy)
        return _open(copy)
    except (OSError, KeyError, ValueError, zipfile.BadZipFile):
        return weights


def _open(copy: Path) -> Weights:
    """Read the uncompressed copy; every byte of it is checked on the way."""
    weights: dict[str, npt.NDArray[Any]] = {}
    with zipfile.ZipFile(copy) as stored:
        for member in stored.infolist():
            name = member.filename.removesuffix(".npy")
            with stored.open(member) as file:
                if name != "table":
                    weights[name] = np.lib.format.read_array(file, allow_pickle=False)
                    continue
                version = np.lib.format.read_magic(file)
                if version != (1, 0):
                    raise ValueError("an array of another version")
                shape, _, dtype = np.lib.format.read_array_header_1_0(file)
                head = file.tell()
                while file.read(1 << 20):
                    pass
            with copy.open("rb") as raw:
                # Of the local header, 30 bytes are fixed; the rest is named in the last four.
                raw.seek(member.header_offset + 26)
                extra = sum(np.frombuffer(raw.read(4), "<u2").tolist())
            start = member.header_offset + 30 + extra + head
            weights[name] = np.memmap(copy, dtype, "r", start, shape)
    if weights["table"].dtype != np.uint8:
        raise ValueError("a table of another type")
    return weights
