"""Sign-in with Google, Apple, Clerk and others: what becomes of the claims."""

from __future__ import annotations

import time
from typing import Any

import pytest
from pydantic import ValidationError

from auth.sign_in_scene import CERTS, DESKTOP, JWKS, WEB, SignInScene
from helpers.key_server import KeyServer
from helpers.token_issuing import EcSigner, MovedClock, RsaSigner
from synovia.auth.issuers import Issuer, apple, clerk
from synovia.auth.oidc import WELL_KNOWN, OidcVerifier, claim_at
from synovia.auth.tokens import read
from synovia.identity import Identity, InvalidToken, SignInUnavailable


def at(server: KeyServer, issuer: Issuer) -> Issuer:
    """The same issuer with its keys on this machine."""
    return issuer.model_copy(update={"jwks_uri": server.url + JWKS})


async def identity_of(verifier: OidcVerifier, token: str) -> Identity:
    return (await verifier.verify(token, read(token)))[0]


# --- Google


@pytest.mark.parametrize("audience", [DESKTOP, WEB])
@pytest.mark.parametrize("issuer", ["https://accounts.google.com", "accounts.google.com"])
async def test_google_tells_who_it_is_for_any_of_our_programs(scene: SignInScene, audience: str, issuer: str) -> None:
    signed_in = await scene.sign_in.authenticate(scene.google_token(aud=audience, iss=issuer, hd="example.org"))
    assert signed_in.identity == Identity(
        "https://accounts.google.com",
        "1098",
        "alice@example.org",
        "Alice",
        "https://example.org/alice.png",
        {"hd": "example.org"},
    )
    assert signed_in.identity.key == "https://accounts.google.com|1098"
    assert scene.server.asked == {CERTS: 1}


async def test_a_single_request_is_known_by_the_issuers_token_without_a_session(scene: SignInScene) -> None:
    signed_in = await scene.sign_in.authenticate(scene.google_token(), exchange=False)
    assert signed_in.identity.email == "alice@example.org"
    assert (signed_in.token, signed_in.refresh_token, signed_in.session) == (None, None, None)
    assert signed_in.expires_at == (int(scene.clock.time()) + 3600) * 1000


async def test_what_has_expired_by_our_clock_has_expired_whatever_the_machine_says(scene: SignInScene) -> None:
    token = scene.google_token(exp=int(scene.clock.time()) + 100)
    scene.clock.advance(109)
    await scene.sign_in.authenticate(token)
    scene.clock.advance(2)
    with pytest.raises(InvalidToken):
        await scene.sign_in.authenticate(token)


# --- examples of configuration


async def test_apple(key_server: KeyServer, signer: RsaSigner, clock: MovedClock) -> None:
    issuer = at(key_server, apple(["org.example.web", "org.example.desktop"]))
    verifier = OidcVerifier(issuer, clock=clock.time)
    now = int(time.time())
    claims: dict[str, Any] = {
        "iss": "https://appleid.apple.com",
        "aud": "org.example.desktop",
        "sub": "000123.abc.0456",
        "email": "x7h@privaterelay.appleid.com",
        "email_verified": "true",
        "is_private_email": "true",
        "iat": now,
        "exp": now + 600,
        "auth_time": now,
        "nonce_supported": True,
    }
    identity = await identity_of(verifier, signer.sign(claims))
    assert identity == Identity(
        "https://appleid.apple.com",
        "000123.abc.0456",
        "x7h@privaterelay.appleid.com",
        claims={"isPrivateEmail": "true"},
    )
    with pytest.raises(InvalidToken):
        await identity_of(verifier, signer.sign(claims | {"aud": "org.example.other"}))


@pytest.mark.parametrize(
    ("claim", "said"), [("org_id", {"org_id": "org_7"}), ("o.id", {"o": {"id": "org_7", "rol": "admin"}})]
)
async def test_clerk(key_server: KeyServer, signer: RsaSigner, claim: str, said: dict[str, Any]) -> None:
    frontend = "https://clerk.example.org"
    issuer = at(key_server, clerk(frontend, ["https://app.example.org"], organization_claim=claim))
    verifier = OidcVerifier(issuer)
    now = int(time.time())
    claims: dict[str, Any] = {
        "iss": frontend,
        "sub": "user_2x",
        "azp": "https://app.example.org",
        "sid": "sess_1",
        "iat": now,
        "nbf": now - 10,
        "exp": now + 60,
    }
    identity = await identity_of(verifier, signer.sign(claims | said))
    assert identity.claims == {"organizationId": "org_7"}
    assert identity.email is None
    assert (await identity_of(verifier, signer.sign(claims))).claims == {}, "nobody's organization"
    for party in ("https://evil.example.org", None):
        with pytest.raises(InvalidToken):
            await identity_of(verifier, signer.sign(claims | {"azp": party}))


CONVEX_USERS: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any], Identity]] = {
    # whose: the issuer's settings, the token's header, its claims, who it is
    "Clerk with its template for Convex": (
        {"issuer": "https://verb-noun-00.clerk.accounts.dev", "audience": ["convex"], "algorithms": ["RS256"]},
        {"cat": "cl_B7d4PD222AAA"},
        {
            "aud": "convex", "name": "Ada Lovelace", "picture": "https://img.example.org/a", "email": "Ada@Example.org",
            "email_verified": True, "phone_number": None, "updated_at": "2025-01-01T00:00:00Z", "sub": "user_2x",
        },
        Identity(
            "https://verb-noun-00.clerk.accounts.dev", "user_2x", "ada@example.org", "Ada Lovelace", "https://img.example.org/a"
        ),
    ),
    "an ID token of Auth0": (
        {"issuer": "https://tenant.us.auth0.com/", "audience": ["yJ1pZx"]},
        {},
        {
            "aud": "yJ1pZx", "sub": "auth0|65f0", "nickname": "ada", "name": "Ada", "email": "ada@example.org",
            "sid": "s", "nonce": "n",
        },
        Identity("https://tenant.us.auth0.com/", "auth0|65f0", None, "Ada"),
    ),
    "an access token of Auth0": (
        {
            "issuer": "https://tenant.us.auth0.com/",
            "audience": ["https://api.example.org"],
            "authorized_parties": ["yJ1pZx"],
        },
        {"typ": "at+jwt"},
        {
            "aud": ["https://api.example.org", "https://tenant.us.auth0.com/userinfo"], "azp": "yJ1pZx",
            "sub": "google-oauth2|1", "scope": "openid profile",
        },
        Identity("https://tenant.us.auth0.com/", "google-oauth2|1"),
    ),
    "Convex Auth, which names no key": (
        {"issuer": "https://happy-animal-123.convex.site", "audience": ["convex"], "algorithms": ["RS256"]},
        {"kid": None, "typ": None},
        {"aud": "convex", "sub": "k17user|k97session"},
        Identity("https://happy-animal-123.convex.site", "k17user|k97session"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("whose", CONVEX_USERS)
async def test_what_convex_applications_sign_in_with(key_server: KeyServer, signer: RsaSigner, whose: str) -> None:
    known, header, said, identity = CONVEX_USERS[whose]
    if "kid" in header:
        nameless = {name: value for name, value in signer.jwk.items() if name not in ("kid", "alg")}
        key_server.documents[JWKS] = {"keys": [nameless]}
    verifier = OidcVerifier(at(key_server, Issuer.model_validate(known)))
    now = int(time.time())
    claims = {"iss": known["issuer"], "iat": now, "exp": now + 60, **said}
    assert await identity_of(verifier, signer.sign(claims, **header)) == identity
    for changed in ({"aud": "another"}, {"iss": known["issuer"] + "x"}, {"exp": now - 60}, {"sub": ""}):
        with pytest.raises(InvalidToken):
            await identity_of(verifier, signer.sign(claims | changed, **header))
    with pytest.raises(InvalidToken):
        await identity_of(verifier, RsaSigner(signer.kid).sign(claims, **header))


async def test_a_token_names_its_key_if_the_keys_have_names(key_server: KeyServer, signer: RsaSigner) -> None:
    verifier = OidcVerifier(at(key_server, Issuer(issuer="https://example.org", audience=("us",))))
    now = int(time.time())
    claims = {"iss": "https://example.org", "aud": "us", "sub": "1", "iat": now, "exp": now + 60}
    with pytest.raises(InvalidToken):
        await identity_of(verifier, signer.sign(claims, kid=None))


async def test_another_organization_is_another_identity() -> None:
    """A query that looks at the caller must not be shared between two organizations of one person."""
    one, other = (Identity("i", "s", claims={"organizationId": each}) for each in ("a", "b"))
    assert one != other
    assert one == Identity("i", "s", claims={"organizationId": "a"})
    assert hash(one) == hash(Identity("i", "s", claims={"organizationId": "a"}))


async def test_a_verifier_takes_its_own_issuers_tokens_only(key_server: KeyServer, signer: RsaSigner) -> None:
    verifier = OidcVerifier(at(key_server, apple(["us"])))
    now = int(time.time())
    claims = {"iss": "https://appleid.apple.com.example", "aud": "us", "sub": "1", "iat": now, "exp": now + 60}
    with pytest.raises(InvalidToken) as caught:
        await identity_of(verifier, signer.sign(claims))
    assert caught.value.reason == "another issuer"


# --- discovery


async def test_an_issuer_tells_where_its_keys_are(key_server: KeyServer) -> None:
    elliptic = EcSigner("ec")
    key_server.documents[JWKS] = {"keys": [elliptic.jwk]}
    key_server.documents[WELL_KNOWN] = {"issuer": key_server.url, "jwks_uri": key_server.url + JWKS}
    verifier = OidcVerifier(Issuer(issuer=key_server.url, audience=("us",)))
    now = int(time.time())
    claims = {"iss": key_server.url, "aud": ["them", "us"], "sub": "1", "iat": now, "exp": now + 60}
    assert (await identity_of(verifier, elliptic.sign(claims))).key == f"{key_server.url}|1"
    assert key_server.asked == {WELL_KNOWN: 1, JWKS: 1}


@pytest.mark.parametrize(
    "changed", [{"issuer": "https://other.example.org"}, {"jwks_uri": "http://example.org/keys"}, {"jwks_uri": None}]
)
async def test_a_configuration_that_is_not_the_issuers_is_not_believed(
    key_server: KeyServer, signer: RsaSigner, changed: dict[str, Any]
) -> None:
    key_server.documents[WELL_KNOWN] = {"issuer": key_server.url, "jwks_uri": key_server.url + JWKS} | changed
    verifier = OidcVerifier(Issuer(issuer=key_server.url, audience=("us",)))
    now = int(time.time())
    token = signer.sign({"iss": key_server.url, "aud": "us", "sub": "1", "iat": now, "exp": now + 60})
    with pytest.raises(SignInUnavailable):
        await identity_of(verifier, token)


# --- addresses and settings


@pytest.mark.parametrize(
    ("verified", "use_email", "email"),
    [
        (True, True, "alice@example.org"),
        ("true", True, "alice@example.org"),
        (False, True, None),
        ("false", True, None),
        (None, True, None),
        (1, True, None),
        (True, False, None),
    ],
)
async def test_only_a_verified_address_of_a_believed_issuer_is_an_address(
    key_server: KeyServer, signer: RsaSigner, verified: Any, use_email: bool, email: str | None
) -> None:
    issuer = Issuer(issuer=key_server.url, audience=("us",), jwks_uri=key_server.url + JWKS, use_email=use_email)
    now = int(time.time())
    claims = {"iss": key_server.url, "aud": "us", "sub": "1", "iat": now, "exp": now + 60}
    token = signer.sign(claims | {"email": " Alice@Example.ORG", "email_verified": verified})
    assert (await identity_of(OidcVerifier(issuer), token)).email == email


@pytest.mark.parametrize(
    "wrong",
    [
        {"audience": []},
        {"audience": [""]},
        {"algorithms": ["HS256"]},
        {"algorithms": ["none"]},
        {"algorithms": []},
        {"issuer": "http://example.org"},
        {"jwks_uri": "http://example.org/keys"},
        {"leeway": -1},
        {"leeway": 3600},
        {"unknown": 1},
    ],
)
def test_an_issuer_that_would_let_too_much_through_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Issuer.model_validate({"issuer": "https://example.org", "audience": ["us"], **wrong})


def test_a_claim_is_found_by_its_name_before_its_path() -> None:
    claims = {"https://example.org/role": "a", "o": {"id": "b", "deep": {"x": 1}}}
    assert claim_at(claims, "https://example.org/role") == "a"
    assert claim_at(claims, "o.deep.x") == 1
    assert claim_at(claims, "o.id.x") is None
    assert claim_at(claims, "nothing") is None
