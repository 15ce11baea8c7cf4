"""What is known of an OpenID Connect issuer, with Apple and Clerk as examples."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from synovia.auth.fetching import check_url

Algorithm = Literal["RS256", "RS384", "RS512", "ES256", "ES384", "ES512"]
Url = Annotated[str, AfterValidator(check_url)]


class Issuer(BaseModel):
    """An issuer whose tokens are accepted; one element of ``SYNOVIA_AUTH_ISSUERS``.

    Attributes:
        issuer: The claim ``iss``, to the letter; an https URL.
        audience: The claim ``aud`` has to name one of these: the client ids.
        authorized_parties: The claim ``azp`` has to be one of these. Audience or parties have to be given, or both.
        jwks_uri: Where the keys are; by default the issuer's ``/.well-known/openid-configuration`` tells.
        algorithms: What may sign. Only public keys: a secret shared with an issuer would let it and us forge alike.
        leeway: Seconds by which the issuer's clock and ours may differ.
        claims: What becomes ``Identity.claims``: name there, and claim or dotted path in the token.
        use_email: Whether to believe the issuer which addresses are verified; see ``synovia.auth.accounts``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    issuer: Url
    audience: tuple[str, ...] = ()
    authorized_parties: tuple[str, ...] = ()
    jwks_uri: Url | None = None
    algorithms: tuple[Algorithm, ...] = Field(default=("RS256", "ES256"), min_length=1)
    leeway: int = Field(default=10, ge=0, le=300)
    claims: dict[str, str] = {}
    use_email: bool = True

    @model_validator(mode="after")
    def _is_bound(self) -> Self:
        if not any(self.audience) and not any(self.authorized_parties):
            raise ValueError(
                "name the audience or the authorized parties: the issuer's tokens for others are not for us"
            )
        return self


def apple(client_ids: Collection[str]) -> Issuer:
    """Sign in with Apple.

    Args:
        client_ids: The services id of the web page, the bundle ids of the programs.
    """
    return Issuer(
        issuer="https://appleid.apple.com",
        audience=tuple(client_ids),
        jwks_uri="https://appleid.apple.com/auth/keys",
        algorithms=("RS256",),
        claims={"isPrivateEmail": "is_private_email"},
    )


def clerk(issuer: str, authorized_parties: Collection[str], *, organization_claim: str = "org_id") -> Issuer:
    """Session tokens of Clerk, which name no audience but the page they were made for.

    Args:
        issuer: The Frontend API URL, as ``https://clerk.example.org``.
        authorized_parties: The origins of the pages.
        organization_claim: Where the active organization is, for ``claims["organizationId"]``; ``o.id`` in version 2 of
            Clerk's tokens.
    """
    return Issuer(
        issuer=issuer,
        authorized_parties=tuple(authorized_parties),
        jwks_uri=issuer.rstrip("/") + "/.well-known/jwks.json",
        algorithms=("RS256",),
        claims={"organizationId": organization_claim},
    )
