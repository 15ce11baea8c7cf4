"""What the command line does with a hub: save, fetch and list recordings through the client."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from motion.files import Floats, Motion, OnProgress
from synovia_client import ArrayRef, Client, RequestTimeout

CONNECT_SECONDS = 10.0


class Refused(Exception):
    """The hub would refuse this, or it makes no sense there; the message says what to do."""


class Unreachable(Exception):
    """No hub answered in time."""


@dataclass(frozen=True, slots=True)
class Hub:
    """Where the hub is and who signs in."""

    url: str
    token: str | None

    @asynccontextmanager
    async def client(self) -> AsyncIterator[Client]:
        """Connect, or fail within ``CONNECT_SECONDS``.

        Raises:
            Unreachable: No hub answered.
            Refused: The address is not one.
            AuthenticationError: The token is not accepted.
        """
        try:
            client = Client(self.url)
        except ValueError as error:
            raise Refused(str(error)) from None
        async with client:
            try:
                await client.connected(CONNECT_SECONDS)
            except RequestTimeout:
                raise Unreachable(f"no hub answers at {self.url}: {client.trouble}") from None
            if self.token is not None:
                await client.authenticate(self.token)
            yield client


@dataclass(slots=True)
class Upload:
    """A recording to save.

    Attributes:
        motion: The samples.
        args: The other arguments of ``recordings:save``.
        subject: The e-mail address of who was measured, or None.
        role: The role to register in if the caller is not registered yet, or None.
    """

    motion: Motion
    args: dict[str, Any] = field(default_factory=dict)
    subject: str | None = None
    role: str | None = None


async def save(hub: Hub, upload: Upload, on_progress: OnProgress) -> str:
    """Save a recording and give its id; ``on_progress`` counts bytes."""
    async with hub.client() as client:
        me = await me_of(client, upload.role)
        motion = upload.motion
        knees = {f"{side}Knee": series for side, series in motion.knees.items()}
        args = {**upload.args, **knees, "sampleRate": motion.sample_rate}
        if upload.subject is not None:
            args["subjectId"] = await subject_of(client, me, upload.subject)
        return str(await client.mutation("recordings:save", args, on_progress=on_progress))


async def fetch(hub: Hub, recording_id: str, on_left: OnProgress, on_right: OnProgress) -> Motion:
    """Fetch a recording with its samples."""
    async with hub.client() as client, client.subscribe("recordings:get", {"recordingId": recording_id}) as live:
        if live.error is not None:
            raise live.error
        recording = live.value
        left = await _knee(client, recording.get("leftKnee"), on_left)
        right = await _knee(client, recording.get("rightKnee"), on_right)
        return Motion(left, right, float(recording["sampleRate"]), name=recording.get("notes", ""))


async def _knee(client: Client, ref: ArrayRef | None, on_progress: OnProgress) -> Floats | None:
    """Fetch the samples of a knee, or None if it was not measured."""
    return None if ref is None else await client.array(ref, on_progress=on_progress)


async def listed(hub: Hub, which: str, limit: int) -> list[dict[str, Any]]:
    """List recordings: ``which`` is mine, of_me, shared or archived."""
    async with hub.client() as client:
        recordings: list[dict[str, Any]] = await client.query(f"recordings:list_{which}", {"limit": limit})
        return recordings


async def me_of(client: Client, role: str | None) -> dict[str, Any]:
    """Read who is signed in; register them first if a role is given and they are not registered.

    Raises:
        Refused: They are not.
    """
    me: dict[str, Any] | None = await client.query("users:me", {})
    if me is None and role is not None:
        await client.mutation("users:register", {"role": role})
        me = await client.query("users:me", {})
    if me is None:
        raise Refused("you are not registered yet; add --register physiotherapist or --register patient")
    return me


async def subject_of(client: Client, me: dict[str, Any], email: str) -> str:
    """Find the id of the caller or of a contact by the e-mail address.

    Raises:
        Refused: Nobody of these has it.
    """
    email = email.strip().lower()
    if email == me["email"]:
        return str(me["_id"])
    for contact in await client.query("contacts:list_mine", {}):
        if contact["email"] == email:
            return str(contact["userId"])
    raise Refused(f"{email} is not among your contacts; add them first, or give --alias instead")
