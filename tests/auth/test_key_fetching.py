"""Issuers' keys: fetched once for many, rotated, kept, and what happens when their server is slow, wrong or gone."""

from __future__ import annotations

import asyncio
import base64
import json

import pytest

from auth.sign_in_scene import CERTS, JWKS, SignInScene
from helpers.patience import PATIENCE
from helpers.token_issuing import EcSigner, RsaSigner
from synovia.auth.fetching import MOST_BYTES, FetchError, check_url, fetch_json
from synovia.auth.oidc import usable_keys
from synovia.auth.tokens import REFUSAL
from synovia.identity import InvalidToken, SignInUnavailable

PATHS = {"google": CERTS, "oidc": JWKS}


def token_of(scene: SignInScene, kind: str, signer: RsaSigner | None = None) -> str:
    claims = scene.google_claims() if kind == "google" else scene.claims()
    return (signer or scene.signer).sign(claims)


def rotate(scene: SignInScene, *signers: RsaSigner) -> None:
    scene.server.documents[CERTS] = {each.kid: each.certificate for each in signers}
    scene.server.documents[JWKS] = {"keys": [each.jwk for each in signers]}


@pytest.mark.parametrize("kind", PATHS)
async def test_one_fetch_serves_all_who_wait(scene: SignInScene, kind: str) -> None:
    scene.server.open.clear()
    waiting = [asyncio.create_task(scene.sign_in.authenticate(token_of(scene, kind))) for _ in range(50)]
    await scene.server.waiting.wait()
    scene.server.open.set()
    assert {(await each).identity.subject for each in waiting} == {"1098"}
    assert scene.server.asked == {PATHS[kind]: 1}


@pytest.mark.parametrize("kind", PATHS)
async def test_who_gives_up_waiting_takes_nobody_along(scene: SignInScene, kind: str) -> None:
    scene.server.open.clear()
    first, second = (asyncio.create_task(scene.sign_in.authenticate(token_of(scene, kind))) for _ in range(2))
    await scene.server.waiting.wait()
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    scene.server.open.set()
    assert (await second).identity.subject == "1098"


@pytest.mark.parametrize("kind", PATHS)
async def test_a_new_key_is_found_and_an_old_one_forgotten(
    scene: SignInScene, kind: str, second_signer: RsaSigner
) -> None:
    await scene.sign_in.authenticate(token_of(scene, kind))
    rotate(scene, second_signer)
    scene.clock.passed += 31
    assert (await scene.sign_in.authenticate(token_of(scene, kind, second_signer))).identity.subject == "1098"
    with pytest.raises(InvalidToken, match=REFUSAL):
        await scene.sign_in.authenticate(token_of(scene, kind))
    assert scene.server.asked[PATHS[kind]] == 2


@pytest.mark.parametrize("kind", PATHS)
async def test_unknown_ids_ask_the_key_server_once_in_a_while(scene: SignInScene, kind: str) -> None:
    await scene.sign_in.authenticate(token_of(scene, kind))
    forger = RsaSigner("made-up")
    for _ in range(3):
        scene.clock.passed += 31
        for number in range(20):
            forger.kid = f"made-up-{number}"
            with pytest.raises(InvalidToken, match=REFUSAL):
                await scene.sign_in.authenticate(token_of(scene, kind, forger))
    assert scene.server.asked[PATHS[kind]] == 4


@pytest.mark.parametrize(("max_age", "good_for"), [(600, 600), (None, 3_600), (1, 60), (10**8, 86_400)])
async def test_keys_are_kept_as_long_as_their_server_says(
    scene: SignInScene, max_age: int | None, good_for: int
) -> None:
    scene.server.max_age = max_age
    await scene.sign_in.authenticate(scene.token())
    scene.clock.passed += good_for - 1
    await scene.sign_in.authenticate(scene.token())
    assert scene.server.asked[JWKS] == 1
    scene.clock.passed += 1
    await scene.sign_in.authenticate(scene.token())
    assert scene.server.asked[JWKS] == 2


@pytest.mark.parametrize("kind", PATHS)
async def test_a_key_server_that_is_gone_is_told_apart_from_a_bad_token(scene: SignInScene, kind: str) -> None:
    await scene.server.stop()
    for _ in range(3):
        with pytest.raises(SignInUnavailable, match="cannot be fetched at the moment"):
            await scene.sign_in.authenticate(token_of(scene, kind))
    await scene.server.start()
    with pytest.raises(SignInUnavailable):
        await scene.sign_in.authenticate(token_of(scene, kind))  # not asked again at once
    scene.clock.passed += 31
    assert (await scene.sign_in.authenticate(token_of(scene, kind))).identity.subject == "1098"
    assert scene.server.asked[PATHS[kind]] == 1


@pytest.mark.parametrize("kind", PATHS)
async def test_old_keys_serve_for_a_day_while_no_new_ones_can_be_had(
    scene: SignInScene, kind: str, second_signer: RsaSigner
) -> None:
    await scene.sign_in.authenticate(token_of(scene, kind))
    await scene.server.stop()
    scene.clock.passed += 3_600 + 86_400 - 1
    await scene.sign_in.authenticate(token_of(scene, kind))
    with pytest.raises(SignInUnavailable):
        await scene.sign_in.authenticate(token_of(scene, kind, second_signer))  # it may well be a new key
    scene.clock.passed += 1
    with pytest.raises(SignInUnavailable):
        await scene.sign_in.authenticate(token_of(scene, kind))


@pytest.mark.parametrize("kind", PATHS)
async def test_a_slow_key_server_costs_its_deadline_and_nobody_else(scene: SignInScene, kind: str) -> None:
    other = {"google": "oidc", "oidc": "google"}[kind]
    known = await scene.sign_in.authenticate(token_of(scene, other))
    assert known.token is not None
    scene.server.open.clear()
    scene.server.waiting.clear()
    slow = asyncio.create_task(scene.sign_in.authenticate(token_of(scene, kind)))
    await scene.server.waiting.wait()
    for _ in range(20):  # while it hangs, others sign in
        assert (await scene.sign_in.authenticate(known.token)).identity.subject == "1098"
        assert (await scene.sign_in.authenticate(token_of(scene, other))).identity.subject == "1098"
    assert not slow.done()
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(SignInUnavailable):
            await slow


async def test_a_server_that_trickles_is_cut_off_at_the_deadline(scene: SignInScene) -> None:
    scene.server.trickle = True
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(FetchError, match=r"no answer within 0\.2 s"):
            await fetch_json(scene.server.url + JWKS, seconds=0.2)


def _answer(body: bytes, status: str = "200 OK", more: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\n{more}Content-Length: {len(body)}\r\n\r\n".encode() + body


@pytest.mark.parametrize(
    "raw",
    [
        _answer(b'{"keys": 1}'),
        _answer(b"[]"),
        _answer(b'{"keys": ['),
        _answer(b"\xff\xfe"),
        _answer(b"[" * 100_000),
        _answer(b"{}", "500 Internal Server Error"),
        _answer(b"", "302 Found", "Location: /oauth2/v1/certs\r\n"),
        _answer(b'"' + b"x" * MOST_BYTES + b'"'),
        b"HTTP/1.1 200 OK\r\n\r\n" + b" " * (MOST_BYTES + 1),
        b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 1_000_000 + b"\r\n\r\n{}",
        b"",
    ],
)
async def test_what_is_no_answer_is_no_key(scene: SignInScene, raw: bytes) -> None:
    scene.server.raw = {CERTS: raw, JWKS: raw}
    for kind in PATHS:
        with pytest.raises(SignInUnavailable):
            await scene.sign_in.authenticate(token_of(scene, kind))


@pytest.mark.parametrize(("length", "taken"), [(MOST_BYTES, True), (MOST_BYTES + 1, False)])
async def test_no_more_is_read_than_keys_can_need(scene: SignInScene, length: int, taken: bool) -> None:
    scene.server.raw[JWKS] = _answer(json.dumps({"keys": [scene.signer.jwk]}).encode().ljust(length))
    if taken:
        await scene.sign_in.authenticate(scene.token())
    else:
        with pytest.raises(SignInUnavailable):
            await scene.sign_in.authenticate(scene.token())


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/keys",
        "ftp://127.0.0.1/keys",
        "file:///etc/passwd",
        "https://",
        "keys",
        "http://127.0.0.1.example.org/",
    ],
)
def test_keys_come_from_https_or_from_this_machine(url: str) -> None:
    with pytest.raises(ValueError, match="not an https URL"):
        check_url(url)


def test_only_public_signing_keys_are_used(signer: RsaSigner) -> None:
    elliptic = EcSigner("ec")
    short = {**signer.jwk, "kid": "short", "n": signer.jwk["n"][:100]}
    unusable = [
        {"kty": "oct", "kid": "shared", "k": base64.urlsafe_b64encode(b"x" * 32).decode()},
        {**signer.jwk, "kid": "encrypts", "use": "enc"},
        {**signer.jwk, "kid": "other", "alg": "RS512"},
        {**elliptic.jwk, "kid": "curve", "crv": "secp256k1"},
        {**elliptic.jwk, "kid": "off", "y": elliptic.jwk["x"]},
        {"kty": "RSA", "kid": "empty"},
        {**signer.jwk, "kid": None},
        short,
        "text",
        None,
    ]
    found = usable_keys([*unusable, signer.jwk, elliptic.jwk], ("RS256", "ES256"))
    assert {kid: set(key.by_algorithm) for kid, key in found.items()} == {"key-1": {"RS256"}, "ec": {"ES256"}}
    assert usable_keys([signer.jwk], ("ES256",)) == {}
    nameless = {name: value for name, value in signer.jwk.items() if name != "kid"}
    assert set(usable_keys([nameless, elliptic.jwk], ("RS256", "ES256"))) == {"", "ec"}
    assert set(usable_keys([nameless, nameless, elliptic.jwk], ("RS256", "ES256"))) == {"ec"}, "which one is meant?"
    assert json.dumps(signer.jwk)  # the keys are left as they were
