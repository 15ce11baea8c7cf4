"""Who writes what, and where."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from synovia import Id, Index, Table


class User(Table, name="users", indexes=[Index("by_token", "token_identifier", unique=True)]):
    """Somebody who has signed in; ``token_identifier`` is the issuer and the subject of their tokens."""

    token_identifier: str
    name: str


class Channel(Table, name="channels", indexes=[Index("by_name", "name", unique=True)]):
    """Where messages are written."""

    name: str
    topic: str = ""


class Message(Table, name="messages", indexes=[Index("by_channel", "channel_id", "creation_time")]):
    """A message, with the name of its author as it was then."""

    channel_id: Id[Channel]
    author_id: Id[User]
    author: str
    body: str
    liked_by: Annotated[list[Id[User]], Field(max_length=10_000)] = []
