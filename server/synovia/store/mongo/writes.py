"""Writes as plain commands: they take a third less of the processor than the driver's bulk writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pymongo import DeleteOne, InsertOne, ReplaceOne
from pymongo.errors import BulkWriteError, DocumentTooLarge, OperationFailure

from synovia.schema.specs import Document
from synovia.store.mongo.driver import Driver
from synovia.store.mongo.plan import Piece


@dataclass(frozen=True, slots=True)
class WriteError:
    """Why one operation of a piece failed; it was the last that was tried.

    Attributes:
        index: Its place in the piece.
        key_fields: Of a duplicate key: the fields of the index.
        failure: The driver's error for it.
    """

    index: int
    code: int
    key_fields: tuple[str, ...]
    failure: OperationFailure


@dataclass(frozen=True, slots=True)
class Written:
    """What a piece has done: how many documents were found, or inserted, and what ended it early."""

    count: int
    error: WriteError | None = None


async def written(driver: Driver, collection: str, piece: Piece, session: Any) -> Written:
    """Do the operations of a piece, in order, until one fails.

    Raises:
        OperationFailure: All of it failed, such as by a conflict with another transaction.
        DocumentTooLarge: One operation alone is beyond what MongoDB takes.
    """
    try:
        reply = await driver.command(command_of(piece, collection), session=session)
    except DocumentTooLarge:  # for one command; nothing was sent
        return await _in_several(driver, collection, piece, session)
    return outcome_of(reply)


def command_of(piece: Piece, collection: str) -> Document:
    """Give the command that does the operations of a piece, in order, until one fails."""
    return {piece.command: collection, piece.argument: piece.operations}


def outcome_of(reply: Mapping[str, Any]) -> Written:
    """Read the answer to such a command."""
    return Written(int(reply["n"]), _first_error(reply))


async def _in_several(driver: Driver, collection: str, piece: Piece, session: Any) -> Written:
    """Let the driver make as many commands of it as it takes."""
    operations = [_operation(piece.command, each) for each in piece.operations]
    try:
        result = await driver.collection(collection).bulk_write(operations, session=session)
    except BulkWriteError as error:
        return Written(0, _first_error(error.details))
    return Written(result.deleted_count + result.matched_count + result.inserted_count)


def _operation(command: str, each: Document) -> DeleteOne | ReplaceOne[Document] | InsertOne[Document]:
    if command == "delete":
        return DeleteOne(each["q"])
    return ReplaceOne(each["q"], each["u"]) if command == "update" else InsertOne(each)


def _first_error(reply: Mapping[str, Any]) -> WriteError | None:
    errors: Sequence[Document] = reply.get("writeErrors", ())
    if not errors:
        return None
    first = errors[0]
    code = int(first.get("code", 0))
    failure = OperationFailure(str(first.get("errmsg")), code, dict(reply))
    return WriteError(int(first["index"]), code, tuple(first.get("keyPattern", ())), failure)
