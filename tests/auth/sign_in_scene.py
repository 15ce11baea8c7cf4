"""A sign-in service that knows Google and another issuer, and tokens of both."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from helpers.key_server import KeyServer
from helpers.token_issuing import MovedClock, RsaSigner
from synovia.auth.settings import AuthSettings
from synovia.auth.sign_in import SignInService

DESKTOP, WEB = "desktop.apps.example", "web.apps.example"
CERTS, JWKS = "/oauth2/v1/certs", "/jwks"


@dataclass
class SignInScene:
    """A sign_in that knows Google and another issuer, both served by one key server."""

    sign_in: SignInService
    server: KeyServer
    signer: RsaSigner
    clock: MovedClock
    issuer: str
    settings: AuthSettings = field(repr=False)

    def google_claims(self, **changed: Any) -> dict[str, Any]:
        """Claims of a good Google token; None leaves one out."""
        now = int(self.clock.time())
        claims = {
            "iss": "https://accounts.google.com",
            "aud": DESKTOP,
            "azp": DESKTOP,
            "sub": "1098",
            "email": "Alice@Example.org",
            "email_verified": True,
            "name": "Alice",
            "picture": "https://example.org/alice.png",
            "iat": now,
            "exp": now + 3600,
        }
        return {name: value for name, value in (claims | changed).items() if value is not None}

    def claims(self, **changed: Any) -> dict[str, Any]:
        """Claims of a good token of the other issuer."""
        return self.google_claims(**{"iss": self.issuer, "aud": "the-app", "azp": None, "org": {"id": "o1"}} | changed)

    def google_token(self, **changed: Any) -> str:
        return self.signer.sign(self.google_claims(**changed))

    def token(self, **changed: Any) -> str:
        return self.signer.sign(self.claims(**changed))


def settings_of(server: KeyServer, **more: Any) -> AuthSettings:
    """Settings with Google and another issuer, both at one key server."""
    return AuthSettings.model_validate(
        {
            "google_client_ids": f"{DESKTOP}, {WEB}",
            "google_certs_url": server.url + CERTS,
            "issuers": [
                {
                    "issuer": server.url,
                    "audience": ["the-app"],
                    "jwks_uri": server.url + JWKS,
                    "claims": {"organizationId": "org.id"},
                }
            ],
            "key_fetch_timeout": 1.0,
            **more,
        }
    )
