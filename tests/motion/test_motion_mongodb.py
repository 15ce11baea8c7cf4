"""The motion application on a real MongoDB: natural documents, and the lists that read indexes over arrays."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from bson import ObjectId
from pymongo import MongoClient

from helpers.motion_people import mailed_token, make_admin, motion, register
from motion.gait import walk
from synovia import FunctionError
from synovia.testing import TestApp

WALK = walk(1.0)

USER = {"_id", "authId", "email", "name", "nameKey", "lastNameKey", "role", "contacts", "createdAt"}
RECORDING = {
    "_id",
    "ownerId",
    "subjectId",
    "subjectAlias",
    "sharedWith",
    "startTime",
    "endTime",
    "sampleRate",
    "sampleCount",
    "durationMs",
    "leftKnee",
    "rightKnee",
    "notes",
    "exerciseType",
    "tags",
    "isArchived",
    "archivedAt",
    "archiveReason",
    "createdAt",
}


@pytest.mark.mongodb
async def test_documents_and_lists(mongodb_uri: str, database_name: str) -> None:
    base, _, options = mongodb_uri.partition("?")
    async with TestApp(motion(), f"{base.rstrip('/')}/{database_name}?{options}") as app:
        anna, ben = app.caller("anna@example.org"), app.caller("ben@example.org")
        anna_id = await anna.mutation("users:register", {"role": "physiotherapist", "name": "Anna"})
        ben_id = await ben.mutation("users:register", {"role": "patient"})
        await anna.mutation("contacts:add", {"email": "ben@example.org", "alias": "B."})
        await ben.mutation("contacts:add", {"email": "anna@example.org"})
        args = {
            "leftKnee": WALK.left_knee,
            "rightKnee": WALK.right_knee,
            "sampleRate": 100.0,
            "subjectId": ben_id,
            "subjectAlias": "left",
            "notes": "first",
            "exerciseType": "walking",
            "tags": ["gait"],
        }
        shared_id = await anna.mutation("recordings:save", args)
        archived_id = await anna.mutation("recordings:save", args)
        for recording_id in (shared_id, archived_id):
            await anna.mutation("recordings:share", {"recordingId": recording_id, "userId": ben_id})
        await anna.mutation("recordings:archive", {"recordingId": archived_id, "reason": "twice"})

        assert [item["_id"] for item in await anna.query("recordings:list_mine")] == [shared_id]
        assert [item["_id"] for item in await anna.query("recordings:list_archived")] == [archived_id]
        for path in ("recordings:list_shared", "recordings:list_of_me"):
            assert [item["_id"] for item in await ben.query(path)] == [shared_id]

        with MongoClient[dict[str, Any]](mongodb_uri) as client:
            database = client[database_name]
            users = {str(user["_id"]): user for user in database["users"].find()}
            recordings = {str(recording["_id"]): recording for recording in database["recordings"].find()}
            indexes = {name for name in database["recordings"].index_information() if name != "_id_"}
        assert users[anna_id].keys() == USER
        [contact] = users[anna_id]["contacts"]
        assert contact.keys() == {"userId", "alias", "addedAt"}
        assert contact["userId"] == ObjectId(ben_id)
        assert recordings[archived_id].keys() == RECORDING
        assert recordings[shared_id].keys() == RECORDING - {"isArchived", "archivedAt", "archiveReason"}
        assert recordings[shared_id]["ownerId"] == ObjectId(anna_id)
        assert recordings[shared_id]["sharedWith"] == [ObjectId(ben_id)]
        assert len(indexes) >= 5

        await ben.mutation("contacts:remove", {"userId": anna_id})
        assert await ben.query("recordings:list_shared") == []
        with pytest.raises(FunctionError, match="not among your contacts"):
            await anna.mutation("recordings:share", {"recordingId": shared_id, "userId": ben_id})


@pytest.mark.mongodb
async def test_two_hubs_make_one_contact_and_keep_one_admin(mongodb_uri: str, database_name: str) -> None:
    base, _, options = mongodb_uri.partition("?")
    store = f"{base.rstrip('/')}/{database_name}?{options}"
    async with TestApp(motion(), store) as one, TestApp(motion(), store) as other:
        anna = await register(one, "Anna", "physiotherapist")
        await anna.mutation("invites:create", email="nina@example.org")
        token = await mailed_token(one)
        await other.engine.wait_for((await other.store.newest())[0])
        accepted = await asyncio.gather(
            *(app.caller("nina@example.org").mutation("invites:accept", {"token": token}) for app in (one, other, one))
        )
        assert len(set(accepted)) == 1
        assert len(await anna.query("contacts:list_mine")) == 1

        admins = [await make_admin(one, "Ada"), await make_admin(one, "Eve")]
        await other.engine.wait_for((await other.store.newest())[0])
        results = await asyncio.gather(
            *(
                app.caller(by.email).mutation("admin:change_role", {"userId": whom.id, "role": "patient"})
                for app, by, whom in ((one, admins[0], admins[1]), (other, admins[1], admins[0]))
            ),
            return_exceptions=True,
        )
        assert sorted(result is None for result in results) == [False, True]
        with MongoClient[dict[str, Any]](mongodb_uri) as client:
            database = client[database_name]
            assert database["users"].count_documents({"role": "admin"}) == 1
            assert database["users"].count_documents({"email": "nina@example.org"}) == 1
            [invite] = database["invites"].find()
        assert (invite["status"], invite["acceptedBy"]) == ("accepted", ObjectId(accepted[0]))
        assert token not in str(invite)
