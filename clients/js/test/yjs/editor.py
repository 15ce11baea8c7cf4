"""A program that writes into a shared document beside editors in JavaScript, and says what it has read in the end."""

from __future__ import annotations

import asyncio
import json
import sys

from pycrdt import Text

from synovia_client import Client


async def main(url: str, plan: str) -> None:
    async with (
        Client(url, token="dev:bob@example.org") as client,
        client.shared_doc("together:text", "together:write_text", {"id": plan}) as shared,
    ):
        text = shared.doc.get("text", type=Text)
        for number in range(40):
            with shared.edit():
                text += f"p{number} \N{GRINNING FACE} "
            await asyncio.sleep(0)
        await shared.until_saved()
        while "over" not in str(text):
            await shared.changed.after(shared.changed.count)
        print(json.dumps(str(text)))


asyncio.run(main(*sys.argv[1:]))
