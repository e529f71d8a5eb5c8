"""The conversation that brings firmware into a device's other slot."""

from collections.abc import Callable
from dataclasses import dataclass

from einthoven.errors import BoardError, KeysError
from einthoven.fleet.image import Image, version_text
from einthoven.hil_tests.harness.channel import Channel
from einthoven.wire.codec import Message
from einthoven.wire.schema import schema

_ERRORS = schema().enums["error"]
_IMAGE_STATES = {v: k for k, v in schema().enums["image_state"].items()}
NO_SLOT = 255
"""`running` of firmware without a boot stage below it."""


@dataclass(frozen=True)
class SlotStatus:
    """What a slot holds."""

    state: str
    version: int
    """0: nothing."""


@dataclass(frozen=True)
class UpdateStatus:
    """What a device's slots hold, and what it would take."""

    running: int | None
    """0 or 1; None: no boot stage."""
    slots: tuple[SlotStatus, SlotStatus]
    pending: bool
    """An image waits for the next reset."""
    next: int
    load: int | None
    """Where an image must be linked for; None: there is no second slot."""
    capacity: int

    @property
    def version(self) -> int:
        """Of the firmware that runs; 0 if it has none."""
        return 0 if self.running is None else self.slots[self.running].version


def _ignore(_: Message) -> None:
    pass


def _status(message: Message) -> UpdateStatus:
    states = [_IMAGE_STATES.get(s, "unknown") for s in message["states"]]
    return UpdateStatus(
        running=None if message["running"] == NO_SLOT else message["running"],
        slots=(
            SlotStatus(states[0], message["version_0"]),
            SlotStatus(states[1], message["version_1"]),
        ),
        pending=message["state"] == schema().enums["update_state"]["pending"],
        next=message["next"],
        load=message["load"] or None,
        capacity=message["capacity"],
    )


def _ask(channel: Channel, name: str, **fields: object) -> UpdateStatus:
    reply = channel.request(name, "update_status", _ignore, **fields)
    if reply.name != "error":
        return _status(reply)
    if reply["error"] == _ERRORS["unknown_message"]:
        raise BoardError(f"the board on {channel.url} takes no update: its firmware is no device's")
    raise channel.refusal(reply)


def query(channel: Channel, confirm: bool = False) -> UpdateStatus:
    """What the slots hold; `confirm`: what runs works, and stays. Raises BoardError, LinkError."""
    return _ask(channel, "update_query", confirm=int(confirm))


def send(
    channel: Channel, image: Image, downgrade: bool, progress: Callable[[int], None]
) -> UpdateStatus:
    """Bring `image` into the other slot, where the next reset finds it; the device must be open.

    `progress` is told the bytes that have arrived. A device that has a part of the same image goes
    on from there. Raises KeysError for an older one, BoardError for one that does not fit or did
    not arrive, LinkError.
    """
    now = query(channel)
    if now.load is None:
        raise BoardError(
            f"the board on {channel.url} has no second slot: flash it by cable (einthoven flash)"
        )
    if image.load != now.load:
        raise BoardError(
            f"the image is linked for 0x{image.load:08x}, and the free slot is at "
            f"0x{now.load:08x}: take the release's other one"
        )
    if image.version < now.version and not downgrade:
        raise KeysError(
            f"the image is {version_text(image.version)}, the device runs "
            f"{version_text(now.version)}: an older one needs --allow-downgrade"
        )
    begin = {"downgrade": int(downgrade), "header": image.header}
    now = _ask(channel, "update_begin", **begin)
    step = schema().max_payload - schema().message("update_piece").fixed_size
    step -= step % 4
    while now.next < len(image.program):
        progress(now.next)
        piece = image.program[now.next : now.next + step]
        before = now.next
        now = _ask(channel, "update_piece", offset=now.next, bytes=piece)
        if now.next < before:
            raise BoardError(f"the board on {channel.url} was reset: begin the update again")
    progress(now.next)
    return _ask(channel, "update_finish")
