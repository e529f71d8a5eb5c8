"""The device's key: proofs against hashlib, failures that a reset does not forgive, cuts."""

import random
from collections.abc import Callable

import pytest

from einthoven.fleet.proof import Challenge, new_key
from einthoven.native.keys import Keys, State, Status

ID = "0123456789abcdef01234567"
KEY = bytes(range(32))
OTHER = bytes(range(100, 132))
HOST_NONCE = bytes(range(200, 232))


def challenge(keys: Keys, device_id: str = ID) -> Challenge:
    return Challenge(device_id, HOST_NONCE, keys.begin(HOST_NONCE))


def attempt(keys: Keys, key: bytes, now_ms: int = 0) -> Status:
    return keys.prove(challenge(keys).host_proof(key), now_ms)[0]


def with_key() -> Keys:
    keys = Keys(ID)
    assert keys.set(*challenge(keys).setting(KEY, None)) == Status.OK
    return keys


def test_a_device_without_key_is_open_and_says_so() -> None:
    keys = Keys(ID)
    assert (keys.state, keys.is_open, keys.boots) == (State.NONE, True, 1)
    assert attempt(keys, KEY) == Status.BEGIN  # there is nothing to prove
    assert keys.set(KEY, KEY) == Status.PROOF
    assert keys.set(KEY, KEY) == Status.BEGIN


def test_both_sides_prove_that_they_have_the_key() -> None:
    keys = with_key()
    assert (keys.state, keys.is_open) == (State.SET, False)
    asked = challenge(keys)
    proof = asked.host_proof(KEY)
    status, own = keys.prove(proof)
    assert (status, keys.is_open) == (Status.OK, True)
    assert asked.is_device_proof(KEY, own) and not asked.is_device_proof(OTHER, own)
    assert keys.prove(proof) == (Status.OK, own)  # a reply was lost
    assert own != proof  # nobody can send the device's own words back to it


def test_a_wrong_key_and_another_device_s_answer() -> None:
    keys = with_key()
    asked = challenge(keys)
    status, own = keys.prove(asked.host_proof(OTHER))
    assert (status, own, keys.is_open) == (Status.PROOF, bytes(32), False)
    assert keys.prove(asked.host_proof(KEY))[0] == Status.BEGIN  # one answer a challenge
    elsewhere = challenge(keys, "another device")
    assert keys.prove(elsewhere.host_proof(KEY))[0] == Status.PROOF


@pytest.mark.parametrize("entropy", [b"", bytes(32), bytes(range(32))])
def test_a_replayed_answer(entropy: bytes) -> None:
    keys = with_key()
    keys.entropy(entropy)
    old = challenge(keys).host_proof(KEY)
    assert keys.prove(old)[0] == Status.OK
    keys.close()
    assert keys.prove(old)[0] == Status.BEGIN
    challenge(keys)
    assert keys.prove(old)[0] == Status.PROOF
    keys.power_on()
    challenge(keys)
    assert keys.prove(old)[0] == Status.PROOF


def test_no_nonce_comes_twice_though_nothing_is_random() -> None:
    keys, seen = with_key(), set[bytes]()
    for _ in range(200):
        keys.power_on()
        seen |= {keys.begin(HOST_NONCE) for _ in range(5)}
    assert len(seen) == 1000 and keys.boots == 201


def test_failures_wait_and_a_reset_does_not_forgive_them() -> None:
    keys = with_key()
    assert [attempt(keys, OTHER) for _ in range(3)] == [Status.PROOF] * 3
    assert keys.wait_ms(0) == 1000
    assert attempt(keys, KEY, 999) == Status.WAIT and not keys.is_open
    keys.power_on()
    assert keys.wait_ms(0) == 1000
    assert attempt(keys, OTHER, 1000) == Status.PROOF
    assert keys.wait_ms(1000) == 2000
    assert attempt(keys, KEY, 3000) == Status.OK
    keys.power_on()
    assert keys.wait_ms(0) == 0 and attempt(keys, KEY) == Status.OK


def test_the_wait_has_an_end_and_a_most() -> None:
    keys, now = with_key(), 0xFFFF0000
    for _ in range(18):
        now = (now + keys.wait_ms(now)) % 2**32
        assert attempt(keys, OTHER, now) == Status.PROOF
    assert keys.wait_ms(now) == 3_600_000
    after = (now + 3_600_000) % 2**32
    keys.step(after)
    assert keys.wait_ms((after - 1) % 2**32) == 0  # over is over


def test_an_idle_session_closes() -> None:
    keys = with_key()
    assert attempt(keys, KEY, 0) == Status.OK
    keys.step(119_999)
    assert keys.is_open
    keys.touch(119_999)
    keys.step(239_998)
    assert keys.is_open
    keys.step(239_999)
    assert not keys.is_open


def test_another_key_needs_the_open_session_and_crosses_masked() -> None:
    keys = with_key()
    masked, proof = challenge(keys).setting(OTHER, KEY)
    assert masked != OTHER
    assert keys.set(masked, proof) == Status.CLOSED
    asked = challenge(keys)
    assert keys.prove(asked.host_proof(KEY))[0] == Status.OK
    masked, proof = asked.setting(OTHER, KEY)
    assert keys.set(masked, bytes(32)) == Status.PROOF and not keys.is_open
    asked = challenge(keys)
    assert keys.prove(asked.host_proof(KEY))[0] == Status.OK
    assert keys.set(*asked.setting(OTHER, KEY)) == Status.OK and not keys.is_open
    assert attempt(keys, KEY) == Status.PROOF and attempt(keys, OTHER) == Status.OK
    keys.power_on()
    assert attempt(keys, OTHER) == Status.OK


def test_one_flipped_bit_anywhere_is_a_wrong_proof() -> None:
    keys = with_key()
    for bit in range(256):
        asked = challenge(keys)
        proof = bytearray(asked.host_proof(KEY))
        proof[bit // 8] ^= 1 << bit % 8
        now = keys.wait_ms(0)
        assert keys.prove(bytes(proof), now)[0] == Status.PROOF
        assert attempt(keys, KEY, now + 1000) == Status.OK


def test_a_worn_store_lets_nobody_guess() -> None:
    keys = with_key()
    keys.wear_out()
    assert attempt(keys, KEY) == Status.STORE and not keys.is_open


def test_what_another_program_left_there_is_no_lost_key() -> None:
    keys = Keys(ID)
    keys.pages = random.Random(1).randbytes(8192)
    keys.power_on()
    assert (keys.state, keys.boots) == (State.NONE, 1)
    assert keys.set(*challenge(keys).setting(KEY, None)) == Status.OK
    keys.power_on()
    assert (keys.state, keys.boots) == (State.SET, 2)


def test_a_key_that_cannot_be_read_any_more_opens_nothing() -> None:
    keys = with_key()
    for _ in range(3):
        keys.power_on()
    damaged = bytearray(keys.pages)
    for at in range(0, 8192, 64):
        damaged[at + 20] &= 0xF0
    keys.pages = bytes(damaged)
    keys.power_on()
    assert (keys.state, keys.is_open) == (State.LOST, False)
    assert attempt(keys, KEY) == Status.BEGIN
    assert keys.set(*challenge(keys).setting(OTHER, None)) == Status.CLOSED
    assert keys.pages == bytes(damaged)


STEPS: dict[str, Callable[[Keys], object]] = {
    "boot": lambda keys: None,
    "right": lambda keys: attempt(keys, KEY, keys.wait_ms(0)),
    "wrong": lambda keys: attempt(keys, OTHER, keys.wait_ms(0)),
}


@pytest.mark.parametrize("fill", range(0, 64, 7))
@pytest.mark.parametrize("step", STEPS)
def test_a_cut_at_any_write_or_erase(step: str, fill: int) -> None:
    """Key, count and failures are those of before or after, wherever the power goes, on any place
    of a page, its change included."""
    keys = with_key()
    for _ in range(fill + 60):
        keys.power_on()
    attempt(keys, OTHER)
    before, boots = keys.pages, keys.boots
    keys.power_on()
    STEPS[step](keys)
    for cut in range(keys.operations):
        keys.pages = before
        keys.power_on(cut, seed=cut + 1000 * fill)
        STEPS[step](keys)
        assert keys.is_off
        for again in range(2):  # what was cut may read right the first time only
            keys.power_on()
            assert keys.state == State.SET
            assert keys.boots > boots + again
        # Free are the first two failures: one was before, the cut one counts as another.
        assert attempt(keys, OTHER, keys.wait_ms(0)) == Status.PROOF
        assert attempt(keys, OTHER, keys.wait_ms(0)) == Status.PROOF
        if step != "right":
            assert keys.wait_ms(0) >= 1000
        assert attempt(keys, KEY, keys.wait_ms(0)) == Status.OK


@pytest.mark.parametrize("fill", range(0, 64, 7))
def test_settings_are_those_of_before_or_after_a_cut(fill: int) -> None:
    """With key and failures beside them untouched; a replaced key leaves them."""
    keys = with_key()
    assert keys.settings == 0
    for _ in range(fill + 60):
        keys.power_on()
    assert keys.keep_settings(0x800A0001)
    before = keys.pages
    keys.power_on()
    assert keys.settings == 0x800A0001
    assert keys.keep_settings(0x800A0203)
    seen = set()
    for cut in range(keys.operations):
        keys.pages = before
        keys.power_on(cut, seed=cut + 1000 * fill)
        answered = keys.keep_settings(0x800A0203)
        assert keys.is_off
        keys.power_on()
        now = keys.settings
        keys.power_on()
        assert keys.settings == now and now in (0x800A0001, 0x800A0203)
        assert keys.state == State.SET and attempt(keys, KEY, keys.wait_ms(0)) == Status.OK
        assert now == 0x800A0203 or not answered
        seen.add(now)
    assert 0x800A0001 in seen
    keys.pages = before
    keys.power_on()
    asked = challenge(keys)
    assert keys.prove(asked.host_proof(KEY))[0] == Status.OK
    assert keys.set(*asked.setting(OTHER, KEY)) == Status.OK
    keys.power_on()
    assert keys.settings == 0x800A0001


def test_a_cut_while_the_first_key_is_set_and_while_it_is_replaced() -> None:
    for old in (None, KEY):
        for cut in range(3 * 16 + 18):  # boot, two records of the proof, erase, record, erase
            keys = Keys(ID) if old is None else with_key()
            keys.power_on(cut, seed=cut)
            asked = challenge(keys)
            if old is not None:
                keys.prove(asked.host_proof(old))
            keys.set(*asked.setting(OTHER, old))
            keys.power_on()
            assert keys.state != State.LOST
            if keys.state == State.NONE:
                assert old is None
            else:
                known = [k for k in (KEY, OTHER) if attempt(keys, k, keys.wait_ms(0)) == Status.OK]
                assert known in ([KEY], [OTHER])


def test_of_a_replaced_key_nothing_is_left() -> None:
    keys = with_key()
    for _ in range(5):
        keys.power_on()
    assert KEY in keys.pages
    asked = challenge(keys)
    assert keys.prove(asked.host_proof(KEY))[0] == Status.OK
    assert keys.set(*asked.setting(OTHER, KEY)) == Status.OK
    assert KEY not in keys.pages and OTHER in keys.pages


def test_random_histories() -> None:
    """Cuts at random operations of random histories: the key is there, the count never goes back,
    failures are never forgotten."""
    rng = random.Random(13)
    keys, boots, failures = with_key(), 1, 0
    for _ in range(1500):
        keys.power_on(rng.choice([-1, rng.randrange(60)]), seed=rng.randrange(2**32))
        for _ in range(rng.randrange(3)):
            if rng.random() < 0.8:
                status = attempt(keys, OTHER, keys.wait_ms(0))
                failures += status == Status.PROOF
            elif attempt(keys, KEY, keys.wait_ms(0)) == Status.OK:
                failures = 0
        keys.power_on()
        assert keys.state == State.SET and keys.boots > boots
        boots = keys.boots
        # A proof that was cut may have been forgiven already; a failure that was told is kept.
        if failures > 2:
            assert keys.wait_ms(0) >= min(1000 << (failures - 3), 3_600_000)
    assert len(new_key()) == 32
