"""Opening a device: challenge, proofs of both sides; its first key, and later ones."""

from einthoven.errors import BoardError, KeysError
from einthoven.fleet.proof import Challenge, fingerprint, new_nonce
from einthoven.hil_tests.harness.channel import Channel
from einthoven.wire.codec import Message
from einthoven.wire.schema import schema

_ERRORS = schema().enums["error"]
_STATES = schema().enums["key_state"]


def _ignore(_: Message) -> None:
    pass


def _begin(channel: Channel, serial: str) -> tuple[Challenge, Message]:
    nonce = new_nonce()
    reply = channel.request("auth_begin", "auth_challenge", _ignore, nonce=tuple(nonce))
    if reply.name == "error":
        if reply["error"] == _ERRORS["unknown_message"]:
            raise BoardError(
                f"the board on {channel.url} keeps no key: its firmware is no device's "
                "(einthoven boards)"
            )
        raise channel.refusal(reply)
    return Challenge(serial, nonce, bytes(reply["nonce"])), reply


def keeps_key(channel: Channel) -> bool:
    """Whether the board has a place for a key; one without is open to all. Closes a session."""
    reply = channel.request("auth_begin", "auth_challenge", _ignore, nonce=tuple(new_nonce()))
    return reply.name != "error" or reply["error"] != _ERRORS["unknown_message"]


def key_state(channel: Channel, serial: str) -> str:
    """Whether the device has a key: none, set, lost. Closes an open session."""
    state = _begin(channel, serial)[1]["state"]
    return {v: k for k, v in _STATES.items()}.get(state, "unknown")


def unlock(channel: Channel, serial: str, key: bytes) -> Challenge | None:
    """Open the device with its key; None if it has none, and is open to all.

    Raises KeysError for another key, after too many wrong ones, if the device has lost its own, or
    if it cannot prove that it has the key, too; LinkError.
    """
    asked, reply = _begin(channel, serial)
    if reply["state"] == _STATES["none"]:
        return None
    if reply["state"] == _STATES["lost"]:
        raise KeysError(
            f"the device on {channel.url} had a key and cannot read it any more: its log is lost; "
            "erase the chip and flash it anew"
        )
    if reply["wait_ms"] > 0:
        raise KeysError(
            f"the device on {channel.url} was given wrong keys: it takes none for another "
            f"{-(-reply['wait_ms'] // 1000)} s"
        )
    answer = channel.request(
        "auth_prove", "auth_proof", _ignore, proof=tuple(asked.host_proof(key))
    )
    if answer.name == "error":
        if answer["error"] == _ERRORS["wrong_key"]:
            raise KeysError(
                f"wrong key: the device on {channel.url} has another than {fingerprint(key)}; see "
                "fleet.toml"
            )
        raise channel.refusal(answer)
    if not asked.is_device_proof(key, bytes(answer["proof"])):
        raise KeysError(
            f"what answers on {channel.url} does not have the key itself: do not trust it"
        )
    return asked


def set_key(channel: Channel, serial: str, new: bytes, old: bytes | None = None) -> None:
    """Give the device its first key, in the clear, or replace `old` by `new`, masked.

    Afterwards the device has proved that it has the new one. Raises KeysError, BoardError if it
    does not keep it, LinkError.
    """
    if old is None:
        asked, reply = _begin(channel, serial)
        if reply["state"] == _STATES["set"]:
            raise KeysError(
                f"the device on {channel.url} has a key already: name it, to replace it"
            )
    else:
        opened = unlock(channel, serial, old)
        asked, old = (opened, old) if opened else (_begin(channel, serial)[0], None)
    masked, proof = asked.setting(new, old)
    answer = channel.request("set_key", "key_reply", _ignore, key=tuple(masked), proof=tuple(proof))
    # A reply that was lost is asked for again, and finds the session closed: the proof tells.
    late = (_ERRORS["locked"], _ERRORS["no_challenge"])
    if answer.name == "error" and answer["error"] not in late:
        raise channel.refusal(answer)
    if unlock(channel, serial, new) is None:
        raise BoardError(f"the device on {channel.url} does not keep a key: it has no place for it")
