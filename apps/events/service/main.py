"""The routes of the service. Under a path of a gateway ``uvicorn --root-path`` starts it: its links begin with that."""

import asyncio
import hmac
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Literal

import httpx2
from fastapi import Depends, FastAPI, Header, HTTPException, Request, Response
from pydantic import BaseModel, Field, SecretStr
from pydantic_settings import BaseSettings

from events.service.papers import Paper, pdf, png
from events.service.provider import Provider

LINK = re.compile(r"https?://|www\.|\S+@\S+", re.IGNORECASE)
CODE = re.compile(r"[0-9a-f]{20}")


class ServiceSettings(BaseSettings, env_prefix="EVENTS_"):
    """``EVENTS_...``: the backend, the key by which the service calls it, and the secrets that both know."""

    backend_url: str = "http://127.0.0.1:8000"
    backend_key: SecretStr = SecretStr("")
    service_secret: SecretStr = SecretStr("development only")
    payment_secret: SecretStr = SecretStr("development only")
    refused_words: list[str] = ["casino", "viagra"]


class NewPayment(BaseModel):
    """What is to be paid."""

    order: str
    amount: int = Field(ge=0)


class Refund(BaseModel):
    """What is to be given back."""

    order: str


class Texts(BaseModel):
    """What is to be looked at."""

    texts: list[str] = Field(max_length=1_000)


def create(settings: ServiceSettings | None = None) -> FastAPI:
    """Make the service."""
    setup = settings or ServiceSettings()
    backend = httpx2.AsyncClient(base_url=setup.backend_url, timeout=20, trust_env=False)
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
        return {"payments": provider.refund(wanted.order)}

    @service.post("/moderation", dependencies=inside)
    async def moderation(given: Texts) -> dict[str, list[str]]:
        return {"refused": [text for text in given.texts if _is_refused(text, setup.refused_words)]}

    @service.get("/passes/{code}", dependencies=inside)
    async def papers_of(request: Request, code: str) -> dict[str, str]:
        kinds = {"wallet": "wallet.pdf", "badge": "badge.pdf", "badge_image": "badge.png"}
        return {kind: str(request.url_for("paper", code=code, name=name)) for kind, name in kinds.items()}

    @service.get("/passes/{code}/{name}", name="paper", dependencies=inside)
    async def paper(code: str, name: Literal["wallet.pdf", "badge.pdf", "badge.png"]) -> Response:
        found, kind, is_badge = await printed(code), name.rpartition(".")[2], name.startswith("badge")
        content = await asyncio.to_thread(pdf if kind == "pdf" else png, found, badge=is_badge)
        return Response(content, media_type="application/pdf" if kind == "pdf" else "image/png")

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
