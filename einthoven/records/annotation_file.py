"""The bytes of annotation files in MIT format: what the `wfdb` package reads and writes, at once.

Format: annot(5) of the WFDB Applications Guide, https://physionet.org/physiotools/wag/annot-5.htm.
`wfdb` goes through a file word by word; a day's hundred thousand beats take it seconds, and its
import half of one. What is unusual is left to it: `decode` and `encode` say None then. Tests hold
both to `wfdb`, file for file.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_SYMBOLS = {
    code: symbol
    for code, symbol in enumerate(' NLRaVFJASEj/Q~\0|\0sT*D"=pB^t+u?![]en@xf()r')
    if symbol != "\0"
}
"""Code to symbol, by WFDB's ecgcodes.h; 0 is no annotation."""
_TABLE = np.array([_SYMBOLS.get(code, "") for code in range(max(_SYMBOLS) + 1)], dtype=np.str_)
_NOTE = 22
_SKIP, _NUM, _SUB, _CHN, _AUX = range(59, 64)
_OF_ONE_STEP = 1023
_DEFINITIONS = b"## annotation type definitions"
_END_OF_HEAD = (_SKIP << 10, 0xFFFF, 0xFFFF, 1)
"""A step back by 1 and, 1 later, no annotation: so `wfdb` ends what it says of the file itself."""

_NOT_IN_A_NOTE = re.compile("[\t\n\r\f\v]")

Words = NDArray[np.int64]


class Columns(NamedTuple):
    """Annotations, one row each; fields as of `annotations.Annotations`."""

    samples: NDArray[np.int64]
    symbols: NDArray[np.str_]
    subtype: NDArray[np.int16]
    chan: NDArray[np.int16]
    num: NDArray[np.int16]
    aux: tuple[str, ...]


def decode(data: bytes) -> Columns | None:
    """The annotations of a file, without what it says of itself; None: ask `wfdb`."""
    if len(data) % 2 or _DEFINITIONS in data:
        return None
    words = np.frombuffer(data, "<u2").astype(np.int64)[:-1]  # the last one is the end mark
    code, low = words >> 10, words & 0xFF
    steps, notes, last = np.where(code < _SKIP, words & _OF_ONE_STEP, 0), {}, -1
    content = np.zeros(len(words), dtype=np.bool_)  # of a SKIP or an AUX: no words of their own
    for at in np.flatnonzero((code == _SKIP) | (code == _AUX)).tolist():
        if at <= last:
            continue
        length = 2 if code[at] == _SKIP else -(-int(low[at]) // 2)
        last = at + length
        if last >= len(words):
            return None
        content[at + 1 : last + 1] = True
        if code[at] == _SKIP:
            step = int(words[at + 1]) << 16 | int(words[at + 2])
            steps[at] = step - (step >> 31 << 32)
            if not (code[last + 1 : last + 2] <= _SKIP).any():
                return None
        else:
            first = 2 * (at + 1)
            notes[at] = data[first : first + int(low[at])].decode("latin-1")
    steps[content] = 0
    core = (code < _SKIP) & ~content
    owner = np.cumsum(core) - 1
    more = (code > _SKIP) & ~content
    once = owner[more] * 4 + code[more] - _NUM
    if not core.any() or (owner[more] < 0).any() or len(np.unique(once)) != len(once):
        return None
    kind = code[core]
    if not np.isin(kind, list(_SYMBOLS)).all():
        return None
    samples = np.cumsum(steps)[core]
    aux = [""] * len(kind)
    for at, note in notes.items():
        aux[owner[at]] = note.rstrip("\0")
    kept = (kind != 0) & ~((kind == _NOTE) & (samples == 0))
    signed = low - (low >> 7 << 8)
    return Columns(
        samples=samples[kept],
        symbols=_TABLE[kind[kept]],
        subtype=_placed(signed, more & (code == _SUB), owner, len(kind))[kept],
        chan=_lasting(low, more & (code == _CHN), owner, len(kind))[kept],
        num=_lasting(signed, more & (code == _NUM), owner, len(kind))[kept],
        aux=tuple(note for note, keep in zip(aux, kept.tolist(), strict=True) if keep),
    )


def _placed(values: Words, where: NDArray[np.bool_], owner: Words, n: int) -> NDArray[np.int16]:
    """[n] a field of annotations; 0 where there is none."""
    field = np.zeros(n, dtype=np.int16)
    field[owner[where]] = values[where]
    return field


def _lasting(values: Words, where: NDArray[np.bool_], owner: Words, n: int) -> NDArray[np.int16]:
    """[n] a field that holds until there is another."""
    since = np.zeros(n, dtype=np.int64)
    since[owner[where]] = owner[where] + 1
    field = np.concatenate([[0], _placed(values, where, owner, n)]).astype(np.int16)
    return field[np.maximum.accumulate(since)]


def encode(
    samples: NDArray[np.int64],
    symbols: Sequence[str],
    rate_hz: float,
    subtype: NDArray[np.int64],
    num: NDArray[np.int64],
    aux: Sequence[str],
) -> bytes | None:
    """A file that says its rate; None: ask `wfdb`, which also says what is wrong with them."""
    codes = {symbol: code for code, symbol in _SYMBOLS.items()}
    kind = np.array([codes.get(symbol, -1) for symbol in symbols], dtype=np.int64)
    step = np.diff(samples, prepend=0)
    if not len(step) or (kind <= 0).any() or not _within(step, 0, 0x7FFFFFFF):
        return None
    if not _within(subtype, -128, 127) or not _within(num, 0, 127):
        return None
    if any(_NOT_IN_A_NOTE.search(note) for note in set(aux)):
        return None
    skip = step > _OF_ONE_STEP
    has_num = np.diff(num, prepend=0) != 0
    has_sub = subtype != 0
    notes = {i: _note(aux[i]) for i in np.flatnonzero([bool(note) for note in aux]).tolist()}
    length = 3 * skip + 1 + has_num + has_sub
    for i, note in notes.items():
        length[i] += len(note)
    begin = np.cumsum(length) - length
    words = np.zeros(int(length.sum()), dtype=np.int64)
    at = begin[skip]
    words[at] = _SKIP << 10
    words[at + 1], words[at + 2] = step[skip] >> 16, step[skip] & 0xFFFF
    at = begin + 3 * skip
    words[at] = kind << 10 | np.where(skip, 0, step)
    at = at + has_num
    words[at[has_num]] = _NUM << 10 | num[has_num] & 0xFF
    at = at + has_sub
    words[at[has_sub]] = _SUB << 10 | subtype[has_sub] & 0xFF
    for i, note in notes.items():
        words[at[i] + 1 : at[i] + 1 + len(note)] = note
    rate = int(rate_hz) if round(rate_hz, 8) == int(rate_hz) else rate_hz
    head = [_NOTE << 10, *_note(f"## time resolution: {rate}"), *_END_OF_HEAD]
    return np.concatenate([head, words, [0]]).astype("<u2").tobytes()


def _within(values: Words, low: int, high: int) -> bool:
    return bool(((values >= low) & (values <= high)).all())


def _note(text: str) -> list[int]:
    """The words of an AUX."""
    data = text.encode("latin-1")
    padded = np.frombuffer(data + b"\0" * (len(data) % 2), "<u2")
    return [_AUX << 10 | len(data), *padded.tolist()]
