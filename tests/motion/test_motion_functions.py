"""The motion application's functions: what they do, and that each is refused to those who may not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from helpers.motion_people import MISSING_ID, Person, befriend, motion, refused, register
from synovia import FunctionError
from synovia.testing import TestApp


@dataclass
class RunningHub:
    """Anna, a physiotherapist, and her patient Ben are contacts; Carl, another patient, knows nobody."""

    app: TestApp
    anna: Person
    ben: Person
    carl: Person


@pytest.fixture
async def clinic() -> AsyncIterator[RunningHub]:
    async with TestApp(motion()) as app:
        anna = await register(app, "Anna", "physiotherapist")
        ben = await register(app, "Ben", "patient")
        carl = await register(app, "Carl", "patient")
        await befriend(anna, ben, "B.")
        yield RunningHub(app, anna, ben, carl)


class TestUsers:
    async def test_me_is_none_before_registering(self, clinic: RunningHub) -> None:
        assert await clinic.app.caller("dora@example.org").query("users:me", {}) is None

    async def test_registering(self, clinic: RunningHub) -> None:
        me = await clinic.anna.query("users:me")
        assert (me["_id"], me["email"], me["name"]) == (clinic.anna.id, "anna@example.org", "Anna")
        assert me["role"] == "physiotherapist"
        assert "isArchived" not in me

    async def test_twice(self, clinic: RunningHub) -> None:
        async with refused("already_registered"):
            await clinic.anna.mutation("users:register", role="patient")

    @pytest.mark.parametrize("role", ["admin", "doctor", "", None])
    async def test_roles_that_nobody_may_choose(self, clinic: RunningHub, role: str | None) -> None:
        async with refused("invalid_arguments"):
            await clinic.app.caller("eve@example.org").mutation("users:register", {"role": role})

    async def test_address_in_other_letters_is_the_same_address(self, clinic: RunningHub) -> None:
        async with refused("already_registered"):
            await clinic.app.caller("ANNA@example.org").mutation("users:register", {"role": "patient"})

    @pytest.mark.parametrize("name", ["", "   ", "x" * 201, 5])
    async def test_names_are_bounded(self, clinic: RunningHub, name: Any) -> None:
        async with refused("invalid_arguments"):
            await clinic.app.caller("eve@example.org").mutation("users:register", {"role": "patient", "name": name})


EVERY_FUNCTION: list[tuple[str, str, dict[str, Any]]] = [
    ("query", "contacts:list_mine", {}),
    ("mutation", "contacts:add", {"email": "ben@example.org"}),
    ("mutation", "contacts:set_alias", {"userId": MISSING_ID, "alias": "x"}),
    ("mutation", "contacts:remove", {"userId": MISSING_ID}),
    ("query", "recordings:list_mine", {}),
    ("query", "recordings:page_mine", {}),
    ("query", "recordings:list_of_me", {}),
    ("query", "recordings:list_shared", {}),
    ("query", "recordings:list_archived", {}),
    ("query", "recordings:get", {"recordingId": MISSING_ID}),
    ("mutation", "recordings:save", {"leftKnee": np.zeros(2), "rightKnee": np.zeros(2), "sampleRate": 100.0}),
    ("mutation", "recordings:rename", {"recordingId": MISSING_ID, "notes": "x"}),
    ("mutation", "recordings:update", {"recordingId": MISSING_ID}),
    ("mutation", "recordings:share", {"recordingId": MISSING_ID, "userId": MISSING_ID}),
    ("mutation", "recordings:unshare", {"recordingId": MISSING_ID, "userId": MISSING_ID}),
    ("mutation", "recordings:archive", {"recordingId": MISSING_ID}),
    ("mutation", "recordings:restore", {"recordingId": MISSING_ID}),
]


class TestWhoIsCalling:
    @pytest.mark.parametrize(("kind", "path", "args"), EVERY_FUNCTION)
    async def test_nobody_may_do_anything_unregistered(
        self, clinic: RunningHub, kind: str, path: str, args: dict[str, Any]
    ) -> None:
        caller = clinic.app.caller("dora@example.org")
        async with refused("not_registered"):
            await (caller.query(path, args) if kind == "query" else caller.mutation(path, args))

    @pytest.mark.parametrize(
        ("kind", "path", "args"),
        [*EVERY_FUNCTION, ("query", "users:me", {}), ("mutation", "users:register", {"role": "patient"})],
    )
    async def test_nobody_may_do_anything_unless_signed_in(
        self, clinic: RunningHub, kind: str, path: str, args: dict[str, Any]
    ) -> None:
        caller = clinic.app.caller(None)
        async with refused("unauthenticated"):
            await (caller.query(path, args) if kind == "query" else caller.mutation(path, args))


class TestContacts:
    async def test_adding_is_mutual_and_aliases_are_private(self, clinic: RunningHub) -> None:
        [of_anna] = await clinic.anna.query("contacts:list_mine")
        [of_ben] = await clinic.ben.query("contacts:list_mine")
        assert (of_anna["userId"], of_anna["name"], of_anna["email"]) == (clinic.ben.id, "Ben", "ben@example.org")
        assert (of_anna["role"], of_anna["alias"]) == ("patient", "B.")
        assert of_ben["userId"] == clinic.anna.id
        assert "alias" not in of_ben

    async def test_list_is_ordered_by_the_name_shown(self, clinic: RunningHub) -> None:
        await clinic.anna.mutation("contacts:add", email=" CARL@example.org ", alias="aaron")
        await clinic.carl.mutation("contacts:add", email=clinic.anna.email)
        assert [view["name"] for view in await clinic.anna.query("contacts:list_mine")] == ["Carl", "Ben"]

    async def test_alias_is_set_and_removed_by_each_side(self, clinic: RunningHub) -> None:
        await clinic.ben.mutation("contacts:set_alias", userId=clinic.anna.id, alias="my physio")
        assert (await clinic.ben.query("contacts:list_mine"))[0]["alias"] == "my physio"
        assert (await clinic.anna.query("contacts:list_mine"))[0]["alias"] == "B."
        await clinic.ben.mutation("contacts:set_alias", userId=clinic.anna.id, alias="")
        assert "alias" not in (await clinic.ben.query("contacts:list_mine"))[0]

    async def test_add_is_refused(self, clinic: RunningHub) -> None:
        async with refused("already_a_contact"):
            await clinic.ben.mutation("contacts:add", email=clinic.anna.email)
        async with refused("invalid_arguments"):
            await clinic.anna.mutation("contacts:add", email="Anna@Example.org")
        for email in ("", "nobody", "a b@example.org", "a,b@example.org", "x" * 250 + "@example.org"):
            async with refused("invalid_arguments"):
                await clinic.anna.mutation("contacts:add", email=email)

    @pytest.mark.parametrize("path", ["contacts:set_alias", "contacts:remove"])
    async def test_somebody_else_is_no_contact_whether_they_exist_or_not(self, clinic: RunningHub, path: str) -> None:
        for user_id in (clinic.carl.id, MISSING_ID):
            with pytest.raises(FunctionError) as caught:
                await clinic.anna.mutation(path, userId=user_id)
            assert (caught.value.code, caught.value.message) == ("not_found", "there is no such contact")

    async def test_removing_ends_the_contact_and_the_shares_of_both_sides(self, clinic: RunningHub) -> None:
        of_anna, of_ben = await clinic.anna.save(), await clinic.ben.save()
        await clinic.anna.mutation("recordings:share", recordingId=of_anna, userId=clinic.ben.id)
        await clinic.ben.mutation("recordings:share", recordingId=of_ben, userId=clinic.anna.id)
        await clinic.ben.mutation("contacts:remove", userId=clinic.anna.id)
        for person in (clinic.anna, clinic.ben):
            assert await person.query("contacts:list_mine") == []
            assert await person.ids("recordings:list_shared") == []
        async with refused("not_found"):
            await clinic.ben.query("recordings:get", recordingId=of_anna)
        # Being added again brings nothing back.
        await befriend(clinic.ben, clinic.anna)
        assert [view["name"] for view in await clinic.ben.query("contacts:list_mine")] == ["Anna"]
        assert await clinic.ben.ids("recordings:list_shared") == []

    async def test_removing_leaves_other_shares_alone(self, clinic: RunningHub) -> None:
        await befriend(clinic.anna, clinic.carl)
        recording = await clinic.anna.save()
        for person in (clinic.ben, clinic.carl):
            await clinic.anna.mutation("recordings:share", recordingId=recording, userId=person.id)
        await clinic.anna.mutation("contacts:remove", userId=clinic.ben.id)
        assert await clinic.carl.ids("recordings:list_shared") == [recording]
        assert [view["name"] for view in await clinic.anna.query("contacts:list_mine")] == ["Carl"]

    async def test_recordings_of_oneself_stay_visible_when_the_contact_ends(self, clinic: RunningHub) -> None:
        recording = await clinic.anna.save(subjectId=clinic.ben.id)
        await clinic.anna.mutation("contacts:remove", userId=clinic.ben.id)
        assert await clinic.ben.ids("recordings:list_of_me") == [recording]


class TestSaving:
    async def test_everything_that_is_saved(self, clinic: RunningHub) -> None:
        recording_id = await clinic.anna.save(
            sampleCount=201,
            durationMs=2000,
            startTime=1_700_000_000_000,
            endTime=1_700_000_002_000,
            subjectId=clinic.ben.id,
            subjectAlias="left knee hurts",
            notes="before",
            exerciseType="walking",
            tags=["gait", " gait ", "first"],
        )
        [recording] = await clinic.anna.query("recordings:list_mine")
        left, right, created = recording.pop("leftKnee"), recording.pop("rightKnee"), recording.pop("createdAt")
        assert recording == {
            "_id": recording_id,
            "ownerId": clinic.anna.id,
            "subjectId": clinic.ben.id,
            "subjectAlias": "left knee hurts",
            "startTime": 1_700_000_000_000,
            "endTime": 1_700_000_002_000,
            "sampleRate": 100.0,
            "sampleCount": 201,
            "durationMs": 2000.0,
            "notes": "before",
            "exerciseType": "walking",
            "tags": ["gait", "first"],
        }
        assert created > 1_700_000_000_000
        assert (left.dtype, left.shape, right.shape) == ("float64", (201,), (201,))
        assert left.digest != right.digest

    async def test_what_is_left_out_is_computed(self, clinic: RunningHub) -> None:
        recording_id = await clinic.anna.save(startTime=1_000_000)
        recording = await clinic.anna.query("recordings:get", recordingId=recording_id)
        assert (recording["sampleCount"], recording["durationMs"]) == (201, 2000.0)
        assert recording["endTime"] == 1_002_000
        recording = await clinic.anna.query("recordings:get", recordingId=await clinic.anna.save())
        assert recording["endTime"] == recording["createdAt"] == recording["startTime"] + 2000
        assert not recording.keys() & {"notes", "tags", "exerciseType", "subjectId", "subjectAlias", "sharedWith"}

    @pytest.mark.parametrize("side", ["leftKnee", "rightKnee"])
    async def test_one_leg_alone(self, clinic: RunningHub, side: str) -> None:
        args = {side: np.arange(201.0), "sampleRate": 100.0}
        recording_id = await clinic.anna.caller.mutation("recordings:save", args)
        recording = await clinic.anna.query("recordings:get", recordingId=recording_id)
        assert {"leftKnee", "rightKnee"} & recording.keys() == {side}
        assert (recording["sampleCount"], recording["durationMs"]) == (201, 2000.0)
        assert (await clinic.anna.caller.array(recording[side])).tolist() == list(range(201))
        assert recording in await clinic.anna.query("recordings:list_mine")

    async def test_no_leg_at_all_is_refused(self, clinic: RunningHub) -> None:
        with pytest.raises(FunctionError) as caught:
            await clinic.anna.caller.mutation("recordings:save", {"sampleRate": 100.0})
        assert caught.value.code == "invalid_arguments"
        assert "leftKnee, rightKnee or both" in str(caught.value)

    @pytest.mark.parametrize(
        "more",
        [
            pytest.param({"rightKnee": np.zeros(200)}, id="other length"),
            pytest.param({"leftKnee": np.zeros((201, 1)), "rightKnee": np.zeros((201, 1))}, id="two-dimensional"),
            pytest.param({"leftKnee": np.zeros(201, np.float32)}, id="float32"),
            pytest.param({"leftKnee": np.zeros(201, np.int64)}, id="integers"),
            pytest.param({"leftKnee": [0.0] * 201}, id="a list"),
            pytest.param({"leftKnee": np.zeros(0), "rightKnee": np.zeros(0)}, id="empty"),
            pytest.param({"sampleCount": 200}, id="other count"),
            pytest.param({"sampleRate": 0.0}, id="no rate"),
            pytest.param({"sampleRate": -100.0}, id="negative rate"),
            pytest.param({"sampleRate": float("inf")}, id="infinite rate"),
            pytest.param({"sampleRate": float("nan")}, id="rate that is not a number"),
            pytest.param({"sampleRate": "100"}, id="rate as text"),
            pytest.param({"durationMs": 1000.0}, id="too short"),
            pytest.param({"durationMs": 2100.0}, id="too long"),
            pytest.param({"durationMs": float("nan")}, id="duration that is not a number"),
            pytest.param({"startTime": 5000, "endTime": 4999}, id="end before start"),
            pytest.param({"startTime": 5000, "endTime": 5900}, id="no time for the samples"),
            pytest.param({"startTime": -1}, id="before 1970"),
            pytest.param({"startTime": 1.5}, id="half a millisecond"),
            pytest.param({"notes": "x" * 10_001}, id="notes too long"),
            pytest.param({"exerciseType": "x" * 201}, id="exercise type too long"),
            pytest.param({"subjectAlias": "x" * 201}, id="alias too long"),
            pytest.param({"tags": ["x" * 101]}, id="tag too long"),
            pytest.param({"tags": [" "]}, id="empty tag"),
            pytest.param({"tags": [str(n) for n in range(51)]}, id="too many tags"),
            pytest.param({"tags": "gait"}, id="tags as text"),
            pytest.param({"ownerId": MISSING_ID}, id="for somebody else"),
        ],
    )
    async def test_contradictions_and_excess_are_refused(self, clinic: RunningHub, more: dict[str, Any]) -> None:
        async with refused("invalid_arguments"):
            await clinic.anna.save(**more)
        assert await clinic.anna.query("recordings:list_mine") == []

    @pytest.mark.parametrize("duration", [1980.0, 1990.0, 2000, 2000.4, 2010.0])
    async def test_duration_may_be_counted_with_or_without_the_last_sample(
        self, clinic: RunningHub, duration: float
    ) -> None:
        await clinic.anna.save(durationMs=duration)

    async def test_subject_is_oneself_or_a_contact(self, clinic: RunningHub) -> None:
        await clinic.anna.save(subjectId=clinic.anna.id)
        await clinic.anna.save(subjectId=clinic.ben.id)
        await clinic.ben.save(subjectId=clinic.anna.id)
        messages = set()
        for stranger in (clinic.carl.id, MISSING_ID):
            with pytest.raises(FunctionError) as caught:
                await clinic.anna.save(subjectId=stranger)
            messages.add((caught.value.code, caught.value.message))
        assert messages == {("not_a_contact", "this person is not among your contacts")}


class TestLists:
    async def test_newest_first_and_limited(self, clinic: RunningHub) -> None:
        ids = [await clinic.anna.save(startTime=start) for start in (3000, 1000, 2000)]
        assert await clinic.anna.ids("recordings:list_mine") == [ids[0], ids[2], ids[1]]
        assert await clinic.anna.ids("recordings:list_mine", limit=2) == [ids[0], ids[2]]

    @pytest.mark.parametrize("path", ["list_mine", "page_mine", "list_of_me", "list_shared", "list_archived"])
    @pytest.mark.parametrize("limit", [0, -1, 201, 2.5, "5"])
    async def test_limits_are_1_to_200(self, clinic: RunningHub, path: str, limit: Any) -> None:
        async with refused("invalid_arguments"):
            await clinic.anna.query(f"recordings:{path}", limit=limit)

    async def test_pages(self, clinic: RunningHub) -> None:
        ids = [await clinic.anna.save(startTime=1000 * n) for n in range(5)][::-1]
        first = await clinic.anna.query("recordings:page_mine", limit=3)
        second = await clinic.anna.query("recordings:page_mine", limit=3, cursor=first["nextCursor"])
        assert [item["_id"] for item in first["items"] + second["items"]] == ids
        assert "nextCursor" not in second or second["nextCursor"] is None

    async def test_each_list_shows_its_own(self, clinic: RunningHub) -> None:
        of_ben = await clinic.anna.save(subjectId=clinic.ben.id)
        plain = await clinic.anna.save(startTime=1000)
        await clinic.anna.mutation("recordings:share", recordingId=plain, userId=clinic.ben.id)
        assert await clinic.anna.ids("recordings:list_mine") == [of_ben, plain]
        assert await clinic.anna.ids("recordings:list_of_me") == await clinic.anna.ids("recordings:list_shared") == []
        assert await clinic.ben.ids("recordings:list_of_me") == [of_ben]
        assert await clinic.ben.ids("recordings:list_shared") == [plain]
        assert await clinic.ben.ids("recordings:list_mine") == []
        for path in ("list_mine", "list_of_me", "list_shared", "list_archived"):
            assert await clinic.carl.ids(f"recordings:{path}") == []


CHANGES: list[tuple[str, dict[str, Any]]] = [
    ("rename", {"notes": "mine now"}),
    ("update", {"notes": "mine now", "tags": [], "exerciseType": "x", "subjectId": MISSING_ID, "subjectAlias": "x"}),
    ("share", {"userId": MISSING_ID}),
    ("unshare", {"userId": MISSING_ID}),
    ("archive", {"reason": "gone"}),
    ("restore", {}),
]


class TestWhoMay:
    @pytest.mark.parametrize(("name", "args"), CHANGES)
    async def test_strangers_learn_nothing(self, clinic: RunningHub, name: str, args: dict[str, Any]) -> None:
        recording = await clinic.anna.save(subjectId=clinic.ben.id, notes="before")
        answers = set()
        for recording_id in (recording, MISSING_ID, "no_id_at_all"):
            with pytest.raises(FunctionError) as caught:
                await clinic.carl.mutation(f"recordings:{name}", recordingId=recording_id, **args)
            answers.add((caught.value.code, caught.value.message))
        assert answers == {("not_found", "there is no such recording")}
        assert (await clinic.anna.query("recordings:get", recordingId=recording))["notes"] == "before"

    @pytest.mark.parametrize("recording_id", ["of anna", MISSING_ID])
    async def test_strangers_cannot_read(self, clinic: RunningHub, recording_id: str) -> None:
        of_anna = await clinic.anna.save()
        with pytest.raises(FunctionError) as caught:
            await clinic.carl.query(
                "recordings:get", recordingId=of_anna if recording_id == "of anna" else recording_id
            )
        assert (caught.value.code, caught.value.message) == ("not_found", "there is no such recording")

    @pytest.mark.parametrize(("name", "args"), CHANGES)
    @pytest.mark.parametrize("as_subject", [True, False])
    async def test_viewers_see_but_change_nothing(
        self, clinic: RunningHub, name: str, args: dict[str, Any], as_subject: bool
    ) -> None:
        recording = await clinic.anna.save(notes="before", **({"subjectId": clinic.ben.id} if as_subject else {}))
        if not as_subject:
            await clinic.anna.mutation("recordings:share", recordingId=recording, userId=clinic.ben.id)
        before = await clinic.anna.query("recordings:get", recordingId=recording)
        assert (await clinic.ben.query("recordings:get", recordingId=recording))["notes"] == "before"
        async with refused("forbidden"):
            await clinic.ben.mutation(f"recordings:{name}", recordingId=recording, **args)
        assert await clinic.anna.query("recordings:get", recordingId=recording) == before


class TestEditing:
    async def test_update_changes_what_is_given(self, clinic: RunningHub) -> None:
        recording = await clinic.anna.save(notes="before", tags=["a"], exerciseType="walking")
        await clinic.anna.mutation("recordings:update", recordingId=recording, notes="after")
        changed = await clinic.anna.query("recordings:get", recordingId=recording)
        assert (changed["notes"], changed["tags"], changed["exerciseType"]) == ("after", ["a"], "walking")
        await clinic.anna.mutation("recordings:update", recordingId=recording, notes="", tags=[], exerciseType="")
        changed = await clinic.anna.query("recordings:get", recordingId=recording)
        assert not changed.keys() & {"notes", "tags", "exerciseType"}

    async def test_the_subject_can_be_chosen_later(self, clinic: RunningHub) -> None:
        recording = await clinic.anna.save(subjectAlias="somebody")
        for subject in (clinic.ben.id, clinic.anna.id):
            await clinic.anna.mutation("recordings:update", recordingId=recording, subjectId=subject, subjectAlias="")
            changed = await clinic.anna.query("recordings:get", recordingId=recording)
            assert (changed["subjectId"], "subjectAlias" in changed) == (subject, False)
            assert await clinic.ben.ids("recordings:list_of_me") == ([recording] if subject == clinic.ben.id else [])
        await clinic.anna.mutation("recordings:update", recordingId=recording, subjectId="", subjectAlias=" Mrs. X ")
        changed = await clinic.anna.query("recordings:get", recordingId=recording)
        assert ("subjectId" in changed, changed["subjectAlias"]) == (False, "Mrs. X")
        async with refused("not_found"):
            await clinic.ben.query("recordings:get", recordingId=recording)

    @pytest.mark.parametrize("stranger", ["carl", MISSING_ID, "no_id_at_all"])
    async def test_a_later_subject_is_a_contact_too(self, clinic: RunningHub, stranger: str) -> None:
        recording = await clinic.anna.save(subjectId=clinic.ben.id)
        subject = clinic.carl.id if stranger == "carl" else stranger
        async with refused("not_a_contact"):
            await clinic.anna.mutation("recordings:update", recordingId=recording, subjectId=subject, notes="not saved")
        unchanged = await clinic.anna.query("recordings:get", recordingId=recording)
        assert (unchanged["subjectId"], "notes" in unchanged) == (clinic.ben.id, False)

    async def test_rename(self, clinic: RunningHub) -> None:
        recording = await clinic.anna.save()
        await clinic.anna.mutation("recordings:rename", recordingId=recording, notes="stairs")
        assert (await clinic.anna.query("recordings:list_mine"))[0]["notes"] == "stairs"

    @pytest.mark.parametrize(
        "args",
        [{"notes": "x" * 10_001}, {"tags": ["x"] * 51}, {"exerciseType": "x" * 201}, {"subjectAlias": "x" * 201}],
    )
    async def test_edits_are_bounded(self, clinic: RunningHub, args: dict[str, Any]) -> None:
        recording = await clinic.anna.save()
        async with refused("invalid_arguments"):
            await clinic.anna.mutation("recordings:update", recordingId=recording, **args)


class TestSharing:
    async def test_share_and_unshare(self, clinic: RunningHub) -> None:
        recording = await clinic.anna.save()
        for _ in range(2):
            await clinic.anna.mutation("recordings:share", recordingId=recording, userId=clinic.ben.id)
        seen = await clinic.anna.query("recordings:get", recordingId=recording)
        assert seen["sharedWith"] == [clinic.ben.id]
        await clinic.anna.mutation("recordings:unshare", recordingId=recording, userId=clinic.ben.id)
        assert await clinic.ben.ids("recordings:list_shared") == []
        async with refused("not_found"):
            await clinic.ben.query("recordings:get", recordingId=recording)
        assert "sharedWith" not in await clinic.anna.query("recordings:get", recordingId=recording)

    async def test_only_with_contacts_and_not_with_oneself(self, clinic: RunningHub) -> None:
        recording = await clinic.anna.save()
        for user_id in (clinic.carl.id, clinic.anna.id, MISSING_ID):
            async with refused("not_a_contact"):
                await clinic.anna.mutation("recordings:share", recordingId=recording, userId=user_id)

    async def test_viewers_do_not_learn_with_whom_else(self, clinic: RunningHub) -> None:
        await befriend(clinic.anna, clinic.carl)
        recording = await clinic.anna.save(subjectId=clinic.carl.id)
        await clinic.anna.mutation("recordings:share", recordingId=recording, userId=clinic.ben.id)
        assert "sharedWith" not in await clinic.carl.query("recordings:get", recordingId=recording)
        assert "sharedWith" not in (await clinic.carl.query("recordings:list_of_me"))[0]
        await clinic.anna.mutation("recordings:share", recordingId=recording, userId=clinic.carl.id)
        assert (await clinic.ben.query("recordings:list_shared"))[0]["sharedWith"] == [clinic.ben.id]
        assert len((await clinic.anna.query("recordings:list_mine"))[0]["sharedWith"]) == 2


class TestArchiving:
    async def test_hidden_from_all_but_the_owners_archive(self, clinic: RunningHub) -> None:
        recording = await clinic.anna.save(subjectId=clinic.ben.id)
        await clinic.anna.mutation("recordings:share", recordingId=recording, userId=clinic.ben.id)
        await clinic.anna.mutation("recordings:archive", recordingId=recording, reason="bad sensor")
        assert await clinic.anna.ids("recordings:list_mine") == []
        assert (await clinic.anna.query("recordings:page_mine"))["items"] == []
        [archived] = await clinic.anna.query("recordings:list_archived")
        assert (archived["isArchived"], archived["archiveReason"]) == (True, "bad sensor")
        assert archived["archivedAt"] >= archived["createdAt"]
        assert (await clinic.anna.query("recordings:get", recordingId=recording))["_id"] == recording
        for path in ("list_of_me", "list_shared", "list_archived"):
            assert await clinic.ben.ids(f"recordings:{path}") == []
        async with refused("not_found"):
            await clinic.ben.query("recordings:get", recordingId=recording)

    async def test_viewers_of_an_archived_recording_learn_nothing_by_trying(self, clinic: RunningHub) -> None:
        recording = await clinic.anna.save(subjectId=clinic.ben.id)
        await clinic.anna.mutation("recordings:archive", recordingId=recording)
        for name, args in CHANGES:
            async with refused("not_found"):
                await clinic.ben.mutation(f"recordings:{name}", recordingId=recording, **args)

    async def test_restore_brings_everything_back(self, clinic: RunningHub) -> None:
        recording = await clinic.anna.save()
        await clinic.anna.mutation("recordings:share", recordingId=recording, userId=clinic.ben.id)
        before = await clinic.anna.query("recordings:get", recordingId=recording)
        await clinic.anna.mutation("recordings:archive", recordingId=recording, reason="by mistake")
        await clinic.anna.mutation("recordings:restore", recordingId=recording)
        assert await clinic.anna.query("recordings:get", recordingId=recording) == before
        assert await clinic.ben.ids("recordings:list_shared") == [recording]
        assert await clinic.anna.ids("recordings:list_archived") == []

    async def test_archived_is_read_only(self, clinic: RunningHub) -> None:
        recording = await clinic.anna.save()
        await clinic.anna.mutation("recordings:share", recordingId=recording, userId=clinic.ben.id)
        await clinic.anna.mutation("recordings:archive", recordingId=recording)
        for name, args in (("rename", {"notes": "x"}), ("update", {}), ("share", {"userId": clinic.ben.id})):
            async with refused("archived"):
                await clinic.anna.mutation(f"recordings:{name}", recordingId=recording, **args)
        async with refused("archived"):
            await clinic.anna.mutation("recordings:archive", recordingId=recording)
        # Taking a share back must always be possible.
        await clinic.anna.mutation("recordings:unshare", recordingId=recording, userId=clinic.ben.id)
        await clinic.anna.mutation("recordings:restore", recordingId=recording)
        assert await clinic.ben.ids("recordings:list_shared") == []
        async with refused("not_archived"):
            await clinic.anna.mutation("recordings:restore", recordingId=recording)
