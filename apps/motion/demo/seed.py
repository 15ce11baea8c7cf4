"""People and recordings to look at, for a development server: ``synovia-motion seed``."""

from __future__ import annotations

import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np

from motion.files import BothKnees
from motion.gait import walk
from synovia_client import Client, FunctionError

PHYSIO = "anna.keller@example.org"
PEOPLE = {
    PHYSIO: ("physiotherapist", "Anna Keller"),
    "jonas.weber@example.org": ("physiotherapist", "Jonas Weber"),
    "ben.hofer@example.org": ("patient", "Ben Hofer"),
    "mia.lindqvist@example.org": ("patient", "Mia Lindqvist"),
    "omar.haddad@example.org": ("patient", "Omar Haddad"),
    "ruth.okafor@example.org": ("patient", "Ruth Okafor"),
}
HOUR_MS = 3_600_000


@dataclass(frozen=True)
class Visit:
    """One recording.

    Attributes:
        hours_ago: When it was made.
        subject: The address of a contact, or a name.
        strength: What part of the usual range the right knee reaches.
        seconds: How long it took.
    """

    hours_ago: float
    subject: str
    notes: str
    exercise: str
    tags: tuple[str, ...]
    strength: float = 1.0
    seconds: float = 30.0


VISITS = (
    Visit(1.2, "ben.hofer@example.org", "Week 6: even at last\nNo pain on stairs.", "walking", ("post-op", "week 6"), 0.98),
    Visit(3.0, "mia.lindqvist@example.org", "First gait after the brace", "walking", ("ACL", "brace off"), 0.71),
    Visit(4.5, "Guest, sports day", "Treadmill, 5 km/h", "running", ("screening",), 0.97, 60.0),
    Visit(26.0, "omar.haddad@example.org", "Stairs, four floors up", "stairs", ("ACL", "week 12"), 0.93, 90.0),
    Visit(28.5, "ruth.okafor@example.org", "Sit to stand, ten times", "sit to stand", ("arthritis",), 0.86, 45.0),
    Visit(75.0, "ben.hofer@example.org", "Week 5: right knee shy of full swing", "walking", ("post-op", "week 5"), 0.9),
    Visit(124.0, "mia.lindqvist@example.org", "With brace, for comparison", "walking", ("ACL", "brace"), 0.55),
    Visit(170.0, "ruth.okafor@example.org", "One hour of daily life", "daily life", ("arthritis", "long"), 0.88, 3600.0),
    Visit(243.0, "ben.hofer@example.org", "Week 4", "walking", ("post-op", "week 4"), 0.78),
    Visit(411.0, "ben.hofer@example.org", "Week 3: first steps without crutches", "walking", ("post-op", "week 3"), 0.6),
)  # fmt: skip


async def seed(url: str) -> None:
    """Register people, make them contacts by invites, and save, share and archive recordings; once."""
    async with AsyncExitStack() as stack:
        clients = {email: await stack.enter_async_context(Client(url, token=f"dev:{email}")) for email in PEOPLE}
        for email, client in clients.items():
            await _register(client, *PEOPLE[email])
        anna = clients[PHYSIO]
        for email in list(PEOPLE)[1:]:
            await _meet(anna, clients[email], email)
        await _try(anna, "invites:create", {"email": "lena.maurer@example.org", "alias": "Lena (shoulder group)"})
        await _try(clients["jonas.weber@example.org"], "invites:create", {"email": "new.patient@example.org"})
        if await anna.query("recordings:list_mine", {"limit": 1}):
            return
        contacts = {person["email"]: person["userId"] for person in await anna.query("contacts:list_mine", {})}
        saved = [await _save(anna, number, visit, contacts) for number, visit in enumerate(VISITS)]
        await anna.mutation(
            "recordings:share", {"recordingId": saved[1], "userId": contacts["jonas.weber@example.org"]}
        )
        await anna.mutation("recordings:share", {"recordingId": saved[0], "userId": contacts["ben.hofer@example.org"]})
        await anna.mutation("recordings:archive", {"recordingId": saved[8], "reason": "Sensor slipped on the left"})


async def _register(client: Client, role: str, name: str) -> None:
    await _try(client, "users:register", {"role": role, "name": name})


async def _meet(anna: Client, other: Client, email: str) -> None:
    await _try(anna, "invites:create", {"email": email})
    for invite in await other.query("invites:list_received", {}):
        await _try(other, "invites:accept_received", {"inviteId": invite["_id"]})


async def _save(anna: Client, number: int, visit: Visit, contacts: dict[str, Any]) -> Any:
    motion = _walk(number, visit)
    start = int(time.time() * 1000 - visit.hours_ago * HOUR_MS)
    subject = {"subjectId": contacts[visit.subject]} if visit.subject in contacts else {"subjectAlias": visit.subject}
    arguments = {
        "leftKnee": motion.left_knee,
        "rightKnee": motion.right_knee,
        "sampleRate": motion.sample_rate,
        "startTime": start,
        "notes": visit.notes,
        "exerciseType": visit.exercise,
        "tags": list(visit.tags),
        **subject,
    }
    return await anna.mutation("recordings:save", arguments)


def _walk(number: int, visit: Visit) -> BothKnees:
    motion = walk(visit.seconds, seed=number, strides_a_minute=46 + 2.5 * number)
    # a weak knee bends less, and a little more towards the end
    growth = np.linspace(visit.strength, min(1.0, visit.strength + 0.04), motion.sample_count)
    return BothKnees(motion.left_knee, motion.right_knee * growth, motion.sample_rate, name=motion.name)


async def _try(client: Client, path: str, arguments: dict[str, Any]) -> None:
    """Call a mutation that has been made by an earlier run, perhaps."""
    try:
        await client.mutation(path, arguments)
    except FunctionError as error:
        if not error.code.startswith("already"):
            raise
