"""The local platform: nothing to download."""

from platformio.public import PlatformBase


class BarePlatform(PlatformBase):
    """Boards that are built by a compiler on PATH."""

    def is_embedded(self) -> bool:
        """No framework, no debugger, no package of its own."""
        return True
