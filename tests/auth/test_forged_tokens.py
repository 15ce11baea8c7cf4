"""The catalogue of forged and broken tokens, against the real verifiers: each is refused, and all in the same words."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from jose import jwe

from auth.sign_in_scene import SignInScene
from helpers.token_issuing import EcSigner, RsaSigner, b64, segment
from synovia.auth.tokens import LONGEST, REFUSAL
from synovia.identity import InvalidToken

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


async def assert_refused(scene: SignInScene, token: str, *, exchange: bool = True) -> str:
    with pytest.raises(InvalidToken) as caught:
        await scene.sign_in.authenticate(token, exchange=exchange)
    assert str(caught.value) == REFUSAL
    return caught.value.reason


def hmac_signed(key: bytes, header: dict[str, Any], claims: Any) -> str:
    signed = f"{segment(header)}.{segment(claims)}"
    return f"{signed}.{b64(hmac.digest(key, signed.encode(), hashlib.sha256))}"


def encrypted(scene: SignInScene, claims: dict[str, Any]) -> str:
    token: bytes = jwe.encrypt(json.dumps(claims), b"k" * 32, "A256GCM", "dir", kid=scene.signer.kid)
    return token.decode()


def jwe_bomb(scene: SignInScene, claims: dict[str, Any]) -> str:
    """Five megabytes, for whoever inflates first and asks later; short enough to be looked at."""
    header = {"alg": "dir", "enc": "A256GCM", "zip": "DEF", "kid": scene.signer.kid}
    data = b64(zlib.compress(b" " * 5_000_000, 9))
    return ".".join([segment(header), "", b64(b"iv" * 6), data, b64(b"t" * 16)])


def nested(depth: int) -> Callable[[SignInScene, dict[str, Any]], str]:
    def forge(scene: SignInScene, claims: dict[str, Any]) -> str:
        text = json.dumps(claims)[:-1] + ', "deep": ' + "[" * depth + "]" * depth + "}"
        head = segment({"alg": "RS256", "kid": scene.signer.kid})
        return f"{head}.{b64(text.encode())}.{b64(b's' * 256)}"

    return forge


def doubled(scene: SignInScene, claims: dict[str, Any]) -> str:
    text = json.dumps(claims)[:-1] + ', "sub": "somebody else"}'
    return raw_signed(scene.signer, text.encode())


def raw_signed(signer: RsaSigner, payload: bytes) -> str:
    signed = f"{segment({'alg': 'RS256', 'kid': signer.kid})}.{b64(payload)}"
    return f"{signed}.{b64(signer.key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


Forge = Callable[[SignInScene, dict[str, Any]], str]
FORGED: dict[str, Forge] = {
    "empty": lambda scene, claims: "",
    "dots": lambda scene, claims: "..",
    "no token": lambda scene, claims: "let me in",
    "null": lambda scene, claims: "\0" * 10,
    "alg none": lambda scene, claims: f"{segment({'alg': 'none', 'kid': scene.signer.kid})}.{segment(claims)}.",
    "alg none, signed": lambda scene, claims: scene.signer.sign(claims, alg="none"),
    "alg None": lambda scene, claims: scene.signer.sign(claims, alg="None"),
    "alg missing": lambda scene, claims: scene.signer.sign(claims, alg=None),
    "alg a number": lambda scene, claims: scene.signer.sign(claims, alg=256),
    "alg a list": lambda scene, claims: scene.signer.sign(claims, alg=["RS256"]),
    "alg not the one signed with": lambda scene, claims: scene.signer.sign(claims, alg="RS512"),
    "alg PS256": lambda scene, claims: scene.signer.sign(claims, alg="PS256"),
    "HS256 by the public key": lambda scene, claims: hmac_signed(
        scene.signer.public_pem, {"alg": "HS256", "kid": scene.signer.kid}, claims
    ),
    "HS256 by the certificate": lambda scene, claims: hmac_signed(
        scene.signer.certificate.encode(), {"alg": "HS256", "kid": scene.signer.kid}, claims
    ),
    "HS256 by the modulus": lambda scene, claims: hmac_signed(
        scene.signer.jwk["n"].encode(), {"alg": "HS256", "kid": scene.signer.kid}, claims
    ),
    "HS256 by nothing": lambda scene, claims: hmac_signed(b"", {"alg": "HS256", "kid": scene.signer.kid}, claims),
    "another's key under a known id": lambda scene, claims: RsaSigner(scene.signer.kid).sign(claims),
    "another's key in the header": lambda scene, claims: (forger := RsaSigner("forged")).sign(claims, jwk=forger.jwk),
    "another key server in the header": lambda scene, claims: RsaSigner("forged").sign(
        claims, jku=scene.server.url + "/forged", x5u=scene.server.url + "/forged"
    ),
    "elliptic under an RSA key's id": lambda scene, claims: EcSigner(scene.signer.kid).sign(claims),
    "unknown kid": lambda scene, claims: RsaSigner("never-heard-of").sign(claims),
    "kid missing": lambda scene, claims: scene.signer.sign(claims, kid=None),
    "kid a path": lambda scene, claims: scene.signer.sign(claims, kid="../../etc/passwd"),
    "kid a map": lambda scene, claims: scene.signer.sign(claims, kid={"$ne": None}),
    "crit": lambda scene, claims: scene.signer.sign(claims, crit=["exp"]),
    "no signature": lambda scene, claims: scene.signer.sign(claims).rpartition(".")[0] + ".",
    "two segments": lambda scene, claims: scene.signer.sign(claims).rpartition(".")[0],
    "four segments": lambda scene, claims: scene.signer.sign(claims) + ".e30",
    "padded": lambda scene, claims: scene.signer.sign(claims) + "==",
    "a space behind": lambda scene, claims: scene.signer.sign(claims) + " ",
    "a line break behind": lambda scene, claims: scene.signer.sign(claims) + "\n",
    "a mark within that decoders skip": lambda scene, claims: "!".join(scene.signer.sign(claims).rsplit("A", 1)),
    "expired": lambda scene, claims: scene.signer.sign(
        claims | {"iat": claims["iat"] - 7200, "exp": claims["iat"] - 60}
    ),
    "expiring now, leeway used up": lambda scene, claims: scene.signer.sign(claims | {"exp": claims["iat"] - 11}),
    "exp missing": lambda scene, claims: scene.signer.sign({k: v for k, v in claims.items() if k != "exp"}),
    "exp a text": lambda scene, claims: scene.signer.sign(claims | {"exp": str(claims["exp"])}),
    "exp true": lambda scene, claims: scene.signer.sign(claims | {"exp": True}),
    "exp infinite": lambda scene, claims: raw_signed(scene.signer, json.dumps(claims | {"exp": float("inf")}).encode()),
    "exp a huge number": lambda scene, claims: raw_signed(
        scene.signer, json.dumps(claims).replace(str(claims["exp"]), "9" * 5000).encode()
    ),
    "iat missing": lambda scene, claims: scene.signer.sign({k: v for k, v in claims.items() if k != "iat"}),
    "iat in the future": lambda scene, claims: scene.signer.sign(claims | {"iat": claims["iat"] + 600}),
    "not yet valid": lambda scene, claims: scene.signer.sign(claims | {"nbf": claims["iat"] + 600}),
    "nbf a text": lambda scene, claims: scene.signer.sign(claims | {"nbf": "yesterday"}),
    "another audience": lambda scene, claims: scene.signer.sign(claims | {"aud": "somebody-else"}),
    "no audience": lambda scene, claims: scene.signer.sign({k: v for k, v in claims.items() if k != "aud"}),
    "audience a part of ours": lambda scene, claims: scene.signer.sign(claims | {"aud": claims["aud"][:-1]}),
    "audience null": lambda scene, claims: scene.signer.sign(claims | {"aud": None}),
    "audience a map": lambda scene, claims: scene.signer.sign(claims | {"aud": {claims["aud"]: True}}),
    "another issuer": lambda scene, claims: scene.signer.sign(claims | {"iss": "https://accounts.example.org"}),
    "issuer with a slash more": lambda scene, claims: scene.signer.sign(claims | {"iss": claims["iss"] + "/"}),
    "issuer a list": lambda scene, claims: scene.signer.sign(claims | {"iss": [claims["iss"]]}),
    "no issuer": lambda scene, claims: scene.signer.sign({k: v for k, v in claims.items() if k != "iss"}),
    "our own issuer": lambda scene, claims: scene.signer.sign(claims | {"iss": "synovia"}),
    "no subject": lambda scene, claims: scene.signer.sign({k: v for k, v in claims.items() if k != "sub"}),
    "subject a number": lambda scene, claims: scene.signer.sign(claims | {"sub": 1098}),
    "subject too long": lambda scene, claims: scene.signer.sign(claims | {"sub": "1" * 300}),
    "claims a list": lambda scene, claims: scene.signer.sign([claims]),
    "claims a token": lambda scene, claims: scene.signer.sign(scene.signer.sign(claims), cty="JWT"),
    "claims not UTF-8": lambda scene, claims: raw_signed(scene.signer, b'{"iss": "\xff"}'),
    "a claim twice": doubled,
    "huge": lambda scene, claims: scene.signer.sign(claims | {"more": "x" * LONGEST}),
    "huge and nothing": lambda scene, claims: "A" * 5_000_000,
    "nested deep": nested(2_500),
    "a JWE": encrypted,
    "a JWE bomb": jwe_bomb,
}
"""By name: how to make it of the claims of a good token."""


@pytest.mark.parametrize("issuer", ["google", "oidc"])
@pytest.mark.parametrize("name", FORGED)
async def test_a_forged_token_is_refused_like_every_other(scene: SignInScene, issuer: str, name: str) -> None:
    claims = scene.google_claims() if issuer == "google" else scene.claims()
    assert (await scene.sign_in.authenticate(scene.signer.sign(claims))).identity.subject == "1098"
    await assert_refused(scene, FORGED[name](scene, claims))


@pytest.mark.parametrize("changed", [{"email_verified": False}, {"email_verified": "true"}, {"email": None}])
async def test_google_has_to_vouch_for_the_address(scene: SignInScene, changed: dict[str, Any]) -> None:
    await assert_refused(scene, scene.google_token(**changed))


@pytest.mark.parametrize("claims", ["google", "oidc"])
async def test_no_key_is_even_fetched_for_an_algorithm_that_is_not_allowed(scene: SignInScene, claims: str) -> None:
    said = scene.google_claims() if claims == "google" else scene.claims()
    for algorithm in ("none", "HS256", "RS512", "PS256"):
        reason = await assert_refused(scene, scene.signer.sign(said, alg=algorithm))
        assert reason == "an algorithm that is not allowed"
    assert not scene.server.asked


async def test_our_own_issuer_takes_one_algorithm_only(scene: SignInScene) -> None:
    forged = scene.signer.sign(scene.claims(iss="synovia"), alg="HS512", kid="k_" + "0" * 16)
    assert await assert_refused(scene, forged) == "an algorithm that is not allowed"


async def test_a_token_of_one_issuer_is_nothing_at_another(scene: SignInScene) -> None:
    """Both have the same keys here, so only audience and issuer tell them apart."""
    await assert_refused(scene, scene.google_token(aud="the-app"))
    await assert_refused(scene, scene.token(aud="desktop.apps.example"))


def changed_at_every_position(token: str) -> list[str]:
    """Change one character at a time: to its neighbour in the alphabet, which may differ in unused bits only, and others."""
    changed = []
    for position, before in enumerate(token):
        neighbour = _ALPHABET[_ALPHABET.index(before) ^ 1] if before in _ALPHABET else "A"
        others = ({neighbour, "A", "=", "."} - {before}) | {""}
        changed += [token[:position] + after + token[position + 1 :] for after in others]
    return changed


@pytest.mark.parametrize("kind", ["google", "oidc", "access", "refresh"])
async def test_one_character_changed_anywhere_is_refused(scene: SignInScene, kind: str) -> None:
    if kind in ("google", "oidc"):
        token: str | None = scene.google_token() if kind == "google" else scene.token()
    else:
        signed_in = await scene.sign_in.authenticate(scene.token())
        token = signed_in.token if kind == "access" else signed_in.refresh_token
    assert token is not None
    variants = changed_at_every_position(token)
    assert len(variants) > 4 * len(token) - 100
    for variant in variants:
        await assert_refused(scene, variant)
    assert (await scene.sign_in.authenticate(token)).identity.subject == "1098"


async def test_the_last_character_has_bits_that_decoders_do_not_look_at(scene: SignInScene) -> None:
    """What the test before rests on: such a change leaves the signature's bytes as they are, and is refused too."""
    token = scene.token()
    neighbour = token[:-1] + _ALPHABET[_ALPHABET.index(token[-1]) ^ 1]
    last, other = (base64.urlsafe_b64decode(each.rpartition(".")[2] + "==") for each in (token, neighbour))
    assert last == other
    assert await assert_refused(scene, neighbour) == "not canonical base64url"


# --- the server's own tokens


async def test_our_tokens_with_another_header_or_key_are_refused(scene: SignInScene) -> None:
    signed_in = await scene.sign_in.authenticate(scene.token())
    assert signed_in.token is not None
    header, claims, signature = signed_in.token.split(".")
    real = json.loads(base64.urlsafe_b64decode(header + "=="))
    said = json.loads(base64.urlsafe_b64decode(claims + "=="))
    for forged in (
        f"{segment({**real, 'alg': 'none'})}.{claims}.",
        f"{segment({**real, 'alg': 'none'})}.{claims}.{signature}",
        hmac_signed(b"", real, said),
        hmac_signed(b"secret" * 8, real, said),
        hmac_signed(real["kid"].encode(), real, said),
        hmac_signed(b"x" * 32, {**real, "kid": "k_" + "0" * 16}, said),
        hmac_signed(b"x" * 32, {**real, "kid": "' OR 1=1"}, said),
        scene.signer.sign(said),
        scene.signer.sign(said, kid=real["kid"]),
        scene.signer.sign(said, kid=real["kid"], alg="HS256"),
    ):
        await assert_refused(scene, forged)


async def test_a_refresh_token_is_no_access_token_and_the_other_way_round(scene: SignInScene) -> None:
    signed_in = await scene.sign_in.authenticate(scene.token())
    assert signed_in.token is not None
    assert signed_in.refresh_token is not None
    await assert_refused(scene, signed_in.refresh_token, exchange=False)
    again = await scene.sign_in.authenticate(signed_in.token)
    assert again.token is None, "an access token gives no new ones"
    assert again.refresh_token is None


async def test_a_revoked_session_has_no_good_token(scene: SignInScene) -> None:
    signed_in = await scene.sign_in.authenticate(scene.token())
    assert signed_in.token is not None
    assert signed_in.refresh_token is not None
    await scene.sign_in.sign_out(signed_in.token)
    await assert_refused(scene, signed_in.token)
    await assert_refused(scene, signed_in.token, exchange=False)
    await assert_refused(scene, signed_in.refresh_token)


@pytest.mark.parametrize("token", ["dev:alice@example.org", "email-code:e_0.x:1", "email-link:AAAA", "dev:"])
async def test_ways_that_are_not_open_refuse_alike(scene: SignInScene, token: str) -> None:
    await assert_refused(scene, token)
