"""Several of unicorn's registers at once: by its binding each costs as much as an interrupt may."""

import ctypes
from collections.abc import Sequence

from unicorn import Uc, UcError
from unicorn.unicorn_py3.unicorn import uclib


class Registers:
    """Those of `ids`, of 32 bits each, in that order. Raises UcError."""

    def __init__(self, uc: Uc, ids: Sequence[int]) -> None:
        n = len(ids)
        self._handle, self._n = uc._uch, n
        self._ids = (ctypes.c_int * n)(*ids)
        self._values = (ctypes.c_uint64 * n)()
        first = ctypes.addressof(self._values)
        self._places = (ctypes.c_void_p * n)(*(first + 8 * i for i in range(n)))

    def read(self) -> list[int]:
        """Their values."""
        self._check(uclib.uc_reg_read_batch(self._handle, self._ids, self._places, self._n))
        return list(self._values)

    def write(self, values: Sequence[int]) -> None:
        """Give them these values."""
        self._values[:] = list(values)
        self._check(uclib.uc_reg_write_batch(self._handle, self._ids, self._places, self._n))

    @staticmethod
    def _check(status: int) -> None:
        if status:
            raise UcError(status)
