"""The routes of the service. Under a path of a gateway ``uvicorn --root-path`` starts it: its links begin with that."""

import asyncio
import hmac
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

import httpx2
from fastapi import Depends, FastAPI, Header, HTTPException, Request, Response
from pydantic import BaseModel, Field, FilePath, SecretStr
from pydantic_settings import BaseSettings

from events.service.papers import Paper, WalletSigner, pdf, pkpass, png
from events.service.provider import Provider

LINK = re.compile(r"https?://|www\.|\S+@\S+", re.IGNORECASE)
CODE = re.compile(r"[0-9a-f]{20}")
MEDIA = {"pdf": "application/pdf", "png": "image/png", "pkpass": "application/vnd.apple.pkpass"}


class ServiceSettings(BaseSettings, env_prefix="EVENTS_"):
    """``EVENTS_...``: the backend, the key by which the service calls it, the secrets that both know, and Apple's files."""

    backend_url: str = "http://127.0.0.1:8000"
    backend_key: SecretStr = SecretStr("")
    service_secret: SecretStr = SecretStr("development only")
    payment_secret: SecretStr = SecretStr("development only")
    refused_words: list[str] = ["casino", "viagra"]
    wallet_certificate: FilePath | None = None
    wallet_key: FilePath | None = None
    wallet_intermediate: FilePath | None = None

    def wallet_signer(self) -> WalletSigner | None:
        """Give what signs passes for Apple Wallet; None: nothing is said of that.

        Raises:
            ValueError: Something of it is missing or wrong.
        """
        match self.wallet_certificate, self.wallet_key, self.wallet_intermediate:
            case None, None, None:
                return None
            case Path() as certificate, Path() as key, Path() as intermediate:
                return WalletSigner.load(certificate, key, intermediate)
        raise ValueError("EVENTS_WALLET_CERTIFICATE, EVENTS_WALLET_KEY and EVENTS_WALLET_INTERMEDIATE belong together")


class NewPayment(BaseModel):
    """What is to be paid."""

    order: str
    amount: int = Field(ge=0)


class Refund(BaseModel):
    """What is to be given back: all that was paid for an order, or one payment."""

    order: str
    payment: str | None = None


class Texts(BaseModel):
    """What is to be looked at."""

    texts: list[str] = Field(max_length=1_000)


def create(settings: ServiceSettings | None = None) -> FastAPI:
    """Make the service."""
    setup = settings or ServiceSettings()
    backend = httpx2.AsyncClient(base_url=setup.backend_url, timeout=20, trust_env=False)
    signer = setup.wallet_signer()
    wallets = ["pdf"] if signer is None else ["pdf", "pkpass"]
    provider = Provider(backend, "/webhooks/payments", setup.payment_secret)

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        async with backend:
            yield
            await provider.settled()

    def for_backend(authorization: Annotated[str, Header()] = "") -> None:
        wanted = f"Bearer {setup.service_secret.get_secret_value()}"
        if not hmac.compare_digest(authorization.encode(), wanted.encode()):
            raise HTTPException(401, "this is for the backend", {"WWW-Authenticate": "Bearer"})

    service = FastAPI(title="events: service", lifespan=life)
    service.state.provider = provider
    inside = [Depends(for_backend)]

    @service.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @service.post("/payments", dependencies=inside, status_code=201)
    async def new_payment(request: Request, wanted: NewPayment) -> dict[str, str]:
        payment = provider.create(wanted.order, wanted.amount)
        return {"payment": payment.id, "pay": str(request.url_for("pay", payment=payment.id))}

    @service.post("/payments/{payment}/pay", name="pay", status_code=202)
    async def pay(payment: str) -> dict[str, str]:
        if payment not in provider.payments:
            raise HTTPException(404, "there is no such payment")
        provider.pay(provider.payments[payment])
        return {"status": "paid"}

    @service.post("/refunds", dependencies=inside, status_code=202)
    async def refund(wanted: Refund) -> dict[str, int]:
        return {"payments": provider.refund(wanted.order, wanted.payment)}

    @service.post("/moderation", dependencies=inside)
    async def moderation(given: Texts) -> dict[str, list[str]]:
        return {"refused": [text for text in given.texts if _is_refused(text, setup.refused_words)]}

    @service.get("/wallets", dependencies=inside)
    async def kinds_of_passes() -> list[str]:
        return wallets

    @service.get("/passes/{code}", dependencies=inside)
    async def papers_of(request: Request, code: str) -> dict[str, str]:
        kinds = {"wallet": "wallet.pdf", "badge": "badge.pdf", "badge_image": "badge.png"}
        if signer is not None:
            kinds["apple_wallet"] = "wallet.pkpass"
        return {kind: str(request.url_for("paper", code=code, name=name)) for kind, name in kinds.items()}

    @service.get("/passes/{code}/{name}", name="paper", dependencies=inside)
    async def paper(code: str, name: Literal["wallet.pdf", "wallet.pkpass", "badge.pdf", "badge.png"]) -> Response:
        kind, is_badge = name.rpartition(".")[2], name.startswith("badge")
        if kind == "pkpass":
            return Response(await asyncio.to_thread(pkpass, *await for_apple(code)), media_type=MEDIA[kind])
        content = await asyncio.to_thread(pdf if kind == "pdf" else png, await printed(code), badge=is_badge)
        return Response(content, media_type=MEDIA[kind])

    async def for_apple(code: str) -> tuple[Paper, WalletSigner]:
        if signer is None:
            unavailable = {
                "code": "wallet_unavailable",
                "message": "no certificate of Apple's is set: EVENTS_WALLET_...",
            }
            raise HTTPException(501, unavailable)
        if signer.certificate.not_valid_after_utc < datetime.now(UTC):
            raise HTTPException(503, {"code": "wallet_expired", "message": "the certificate for passes has expired"})
        return await printed(code), signer

    async def printed(code: str) -> Paper:
        if CODE.fullmatch(code) is None:
            raise HTTPException(404, "there is no such pass")
        key = {"Authorization": f"Bearer {setup.backend_key.get_secret_value()}"}
        try:
            answer = await backend.post("/api/run/passes/paper", json={"code": code}, headers=key)
        except httpx2.HTTPError:
            raise HTTPException(502, "the backend does not answer") from None
        if answer.status_code == 404:
            raise HTTPException(404, "there is no such pass")
        if answer.is_error:
            raise HTTPException(502, f"the backend answers {answer.status_code}")
        return Paper.model_validate(answer.json()["result"])

    return service


def _is_refused(text: str, words: list[str]) -> bool:
    """Tell whether a text is an advertisement."""
    return LINK.search(text) is not None or any(word in text.casefold() for word in words)


app = create()
