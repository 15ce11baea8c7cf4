"""The server's own sessions: renewed, revoked, found to be copied, over both stores and several hubs."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest

from helpers.token_issuing import MovedClock
from synovia import keys
from synovia.auth.keyring import BY_CREATION, KEYS, KeyRing
from synovia.auth.records import Records
from synovia.auth.sessions import BY_OWNER, MOST_SESSIONS, SESSIONS, Sessions, SessionTimes
from synovia.auth.tokens import REFUSAL, read
from synovia.identity import Identity, InvalidToken, SignIn
from synovia.store.base import Store

pytestmark = pytest.mark.same_tables

ALICE = Identity(
    "https://issuer.example", "1", "alice@example.org", "Alice", claims={"organizationId": "o1", "n": 2**70}
)
TIMES = SessionTimes(access=900, refresh=10_000, longest=25_000, grace=30, signing=5_000)


def hub(store: Store, clock: MovedClock, *secrets: str) -> Sessions:
    """Sessions as one hub of several has them."""
    ring = KeyRing(store, secrets, signs=TIMES.signing, lasts=TIMES.key_life, clock=clock.time)
    return Sessions(store, ring, TIMES, clock.time)


async def show(sessions: Sessions, token: str | None, *, exchange: bool = True) -> SignIn:
    assert token is not None
    return await sessions.authenticate(token, read(token), exchange=exchange)


async def is_refused(sessions: Sessions, token: str | None) -> str:
    with pytest.raises(InvalidToken, match=REFUSAL) as caught:
        await show(sessions, token)
    return caught.value.reason


async def test_a_session_knows_its_caller_at_every_hub(any_store: Store, clock: MovedClock) -> None:
    first, second = hub(any_store, clock), hub(any_store, clock)
    opened = await first.open(ALICE)
    assert opened.identity == ALICE
    again = await show(second, opened.token)
    assert again.identity == ALICE
    assert again.identity.claims == ALICE.claims
    assert again.expires_at == opened.expires_at
    assert 899_000 < (opened.expires_at or 0) - clock.time() * 1000 <= 900_000


async def test_an_access_token_ends_and_the_refresh_token_goes_on(any_store: Store, clock: MovedClock) -> None:
    sessions = hub(any_store, clock)
    opened = await sessions.open(ALICE)
    clock.advance(901)
    assert await is_refused(sessions, opened.token) == "expired"
    renewed = await show(sessions, opened.refresh_token)
    assert renewed.identity == ALICE
    assert renewed.session == opened.session
    assert (await show(sessions, renewed.token)).identity == ALICE


async def test_a_refresh_token_ends_too_and_a_session_at_last(store: Store, clock: MovedClock) -> None:
    sessions = hub(store, clock)
    opened = await sessions.open(ALICE)
    left_alone = await sessions.open(ALICE)
    begun = clock.time()
    for step in range(4):
        clock.advance(6_000)
        opened = await show(sessions, opened.refresh_token)
        if step == 1:
            assert await is_refused(sessions, left_alone.refresh_token) == "expired"
    assert (opened.expires_at or 0) / 1000 <= begun + TIMES.longest
    clock.advance(begun + TIMES.longest - clock.time() - 1)
    last = await show(sessions, opened.refresh_token)
    clock.advance(2)
    assert await is_refused(sessions, last.token) == "expired"
    assert await is_refused(sessions, last.refresh_token) == "the session has expired"


async def test_an_old_refresh_token_ends_the_session_for_thief_and_owner(any_store: Store, clock: MovedClock) -> None:
    sessions = hub(any_store, clock)
    opened = await sessions.open(ALICE)
    other = await sessions.open(ALICE)
    thiefs = await show(sessions, opened.refresh_token)
    clock.advance(31)
    assert await is_refused(sessions, opened.refresh_token) == "a refresh token was used again"
    for token in (thiefs.token, thiefs.refresh_token, opened.token):
        assert await is_refused(sessions, token) == "the session was revoked"
    assert await sessions.revoked_since(0) == [opened.session]
    assert (await show(sessions, other.token)).identity == ALICE, "another session of the same person goes on"


async def test_a_lost_answer_does_not_end_the_session(store: Store, clock: MovedClock) -> None:
    sessions = hub(store, clock)
    opened = await sessions.open(ALICE)
    await show(sessions, opened.refresh_token)  # the answer is lost with the connection
    clock.advance(29)
    renewed = await show(sessions, opened.refresh_token)
    renewed = await show(sessions, renewed.refresh_token)
    assert await is_refused(sessions, opened.refresh_token) == "a refresh token was used again", "two behind"


async def test_one_refresh_token_at_many_hubs_at_once_goes_one_step(any_store: Store, clock: MovedClock) -> None:
    hubs = [hub(any_store, clock) for _ in range(4)]
    opened = await hubs[0].open(ALICE)
    renewed = await asyncio.gather(*(show(each, opened.refresh_token) for each in hubs))
    assert {each.session for each in renewed} == {opened.session}
    document = await Records(any_store, SESSIONS.name).get(opened.session or "")
    assert document is not None
    assert document["generation"] == 2
    assert document.get("revokedAt") is None
    assert (await show(hubs[1], renewed[-1].refresh_token)).identity == ALICE


async def test_revoked_means_at_once_and_everywhere(any_store: Store, clock: MovedClock) -> None:
    first, second = hub(any_store, clock), hub(any_store, clock)
    opened = await first.open(ALICE)
    assert opened.session is not None
    assert await second.revoke(opened.session)
    assert not await first.revoke(opened.session), "it has ended already"
    for token in (opened.token, opened.refresh_token):
        assert await is_refused(first, token) == "the session was revoked"


async def test_everywhere_is_everywhere_and_nobody_else(store: Store, clock: MovedClock) -> None:
    sessions = hub(store, clock)
    mine = [await sessions.open(ALICE) for _ in range(3)]
    other = await sessions.open(Identity(ALICE.issuer, "10"))
    assert await sessions.revoke_all(ALICE.issuer, ALICE.subject) == 3
    for each in mine:
        await is_refused(sessions, each.token)
    assert (await show(sessions, other.token)).identity.subject == "10"


async def test_sessions_of_a_clock_that_was_ahead_leave_room_for_new_ones(store: Store, clock: MovedClock) -> None:
    """They are the newest by what they say, and no token of theirs is good."""
    sessions = hub(store, clock)
    clock.now += 366 * 86_400
    ahead = [await sessions.open(ALICE) for _ in range(MOST_SESSIONS)]
    clock.now -= 366 * 86_400
    opened = await sessions.open(ALICE)
    assert (await show(sessions, opened.token)).identity == ALICE
    for token in (ahead[0].token, ahead[-1].refresh_token):
        assert await is_refused(sessions, token) == "issued in the future"


async def test_nobody_fills_the_table(store: Store, clock: MovedClock) -> None:
    sessions = hub(store, clock)
    opened = []
    for _ in range(MOST_SESSIONS + 3):
        opened.append(await sessions.open(ALICE))
        clock.advance(1)
    assert await left(store) == Left(MOST_SESSIONS, 1)
    assert await is_refused(sessions, opened[2].token) == "the session is not there"
    assert (await show(sessions, opened[3].token)).identity == ALICE


# --- keys


async def key_documents(store: Store) -> list[dict[str, object]]:
    return await Records(store, KEYS.name).find(BY_CREATION, keys.prefix(()), 100)


async def test_keys_are_replaced_in_time_and_old_tokens_stay_good(any_store: Store, clock: MovedClock) -> None:
    sessions = hub(any_store, clock)
    opened = await sessions.open(ALICE)
    clock.advance(TIMES.signing - 10)
    late = await sessions.open(ALICE)
    assert read(late.token or "").key_id == read(opened.token or "").key_id
    clock.advance(20)
    renewed = await show(sessions, opened.refresh_token)
    assert read(renewed.token or "").key_id != read(opened.token or "").key_id
    assert (await show(hub(any_store, clock), renewed.token)).identity == ALICE
    assert (await show(hub(any_store, clock), late.refresh_token)).identity == ALICE
    assert len(await key_documents(any_store)) == 2


async def test_a_new_hub_signs_with_the_key_that_is_there(store: Store, clock: MovedClock) -> None:
    opened = [await hub(store, clock).open(ALICE) for _ in range(3)]
    assert len({read(each.token or "").key_id for each in opened}) == 1
    one = hub(store, clock)
    await asyncio.gather(*(one.open(ALICE) for _ in range(20)))
    assert len(await key_documents(store)) == 1


async def test_a_deleted_key_signs_nothing_any_more_within_a_minute(store: Store, clock: MovedClock) -> None:
    sessions, other = hub(store, clock), hub(store, clock)
    opened = await sessions.open(ALICE)
    await show(other, opened.token)
    await Records(store, KEYS.name).delete(await key_documents(store))
    clock.advance(61)
    assert await is_refused(other, opened.token) == "an unknown key"


async def test_with_a_secret_no_key_lies_in_the_database(any_store: Store, clock: MovedClock) -> None:
    old, new, others = "o" * 32, "n" * 40, "x" * 32
    opened = await hub(any_store, clock, old).open(ALICE)
    assert [set(each) for each in await key_documents(any_store)] == [{"_id", "createdAt", "of"}]
    assert (await show(hub(any_store, clock, new, old), opened.token)).identity == ALICE
    replaced = await hub(any_store, clock, new, old).open(ALICE)
    assert (await show(hub(any_store, clock, new), replaced.token)).identity == ALICE
    assert await is_refused(hub(any_store, clock, new), opened.token) == "an unknown key"
    assert await is_refused(hub(any_store, clock, others), opened.token) == "an unknown key"


async def test_with_a_secret_a_key_put_into_the_database_is_not_believed(store: Store, clock: MovedClock) -> None:
    without = await hub(store, clock).open(ALICE)
    assert await is_refused(hub(store, clock, "s" * 32), without.token) == "an unknown key"


def test_a_short_secret_is_refused(store: Store) -> None:
    with pytest.raises(ValueError, match="at least 32"):
        KeyRing(store, ["short"], signs=1, lasts=1)


# --- tidying


@dataclass
class Left:
    sessions: int
    keys: int


async def left(store: Store) -> Left:
    found = await Records(store, SESSIONS.name).find_equal(BY_OWNER, ALICE.issuer, limit=100)
    return Left(len(found), len(await key_documents(store)))


async def test_what_has_expired_is_deleted_and_nothing_else(any_store: Store, clock: MovedClock) -> None:
    sessions = hub(any_store, clock)
    for _ in range(3):
        await sessions.open(ALICE)
    clock.advance(TIMES.signing + 1)
    kept = await sessions.open(ALICE)
    await sessions.tidy()
    assert await left(any_store) == Left(4, 2)
    clock.advance(TIMES.refresh - TIMES.signing)
    await sessions.tidy()
    assert await left(any_store) == Left(1, 2)
    assert (await show(sessions, kept.refresh_token)).identity == ALICE
    clock.advance(TIMES.key_life)
    await sessions.tidy()
    assert await left(any_store) == Left(0, 0)
