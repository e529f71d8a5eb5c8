"""The one exception hierarchy: every error that a user can cause or cure.

The message is one line that says what is wrong and what to do. The command line prints it
and exits with code 2; anything else that escapes is a bug and may show a traceback.
"""

import errno
from collections.abc import Mapping

DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""What a full disk, a quota or a file-size limit says."""


class EinthovenError(Exception):
    """Base of all errors that are the user's to solve."""


class UsageError(EinthovenError):
    """A command was called with arguments that do not fit."""


class RecordError(EinthovenError):
    """A WFDB record or annotation file is missing, truncated, corrupt or unsuitable."""


class DownloadError(EinthovenError):
    """A database could not be fetched or did not verify."""


class ModelError(EinthovenError):
    """A model cannot be read, has an op that is not supported, or fits another pipeline."""


class BuildError(EinthovenError):
    """A compiler or PlatformIO is missing or failed."""


class TooLargeError(BuildError):
    """An image does not fit the flash or RAM that the linker script gives it.

    `missing`: bytes, by the script's regions "FLASH" and "RAM".
    """

    def __init__(self, message: str, missing: Mapping[str, int]) -> None:
        super().__init__(message)
        self.missing = missing


class BoardError(EinthovenError):
    """A board is unknown, its port is gone or busy, or it does not answer."""


class LinkError(BoardError):
    """The serial link failed in a way that retries did not cure."""


class KeysError(EinthovenError):
    """A key, a fleet file or a signature is missing, unsafe, damaged or somebody else's."""
