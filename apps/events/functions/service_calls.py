"""What this backend asks of the service beside it."""

from typing import Any

import httpx2

from events.schema import Setup
from synovia import ActionContext, FunctionError

TRUSTED = httpx2.create_ssl_context(trust_env=False)
"""Whose certificates count, read once: a client that reads them itself holds the hub up for as long."""


async def ask_service(ctx: ActionContext, path: str, body: Any = None) -> httpx2.Response:
    """Have the service beside this backend do something.

    Raises:
        FunctionError: ``service_unavailable``: it does not answer, or not with what was asked for.
    """
    setup = ctx.env(Setup)
    headers = {"Authorization": f"Bearer {setup.service_secret.get_secret_value()}"}
    try:
        async with httpx2.AsyncClient(
            base_url=setup.service_url, headers=headers, timeout=20, trust_env=False, verify=TRUSTED
        ) as client:
            answer = await (client.get(path) if body is None else client.post(path, json=body))
            return answer.raise_for_status()
    except httpx2.HTTPError as error:
        raise FunctionError("service_unavailable", f"the service does not answer: {type(error).__name__}") from None
