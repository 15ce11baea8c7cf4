"""People and documents for one cell of the access table: nobody and nothing is shared between two cells."""

from __future__ import annotations

from motion.domain.letters import hash_of
from motion.schema import Contact, Invite, LiveSegment, LiveSession, Recording, Role, User
from synovia import Float64Array, Id, Model, MutationContext, mutation

DAY = 86_400_000


class Scene(Model):
    """What a cell's function is called with.

    Attributes:
        number: Makes every word of the scene its own.
        me: The caller's address; ``admin``: that of an administrator.
        contact: A contact of the caller; ``stranger``: somebody the caller has nothing to do with.
        recording, session, invite: The document in question; ``token`` opens the invite.
        hidden: Words of documents and fields that are not for the caller.
    """

    number: int
    me: str
    my_id: Id[User]
    admin: str
    contact: Id[User]
    stranger: Id[User]
    recording: Id[Recording]
    session: Id[LiveSession]
    invite: Id[Invite]
    token: str
    hidden: list[str]


@mutation(internal=True)
async def build(ctx: MutationContext, number: int, caller: str, relation: str, samples: Float64Array) -> Scene:
    """Make the people and the documents of one cell.

    Args:
        caller: A column of the table.
        relation: Its second column: the caller's relation to the document in question.
        samples: What every recording holds.
    """
    return await _Builder(ctx, number, samples).build(caller, relation)


_People = tuple[Id[User], Id[User], Id[User]]
"""The caller, their contact, a stranger."""


def _owner(whose: str, people: _People) -> Id[User]:
    me, contact, stranger = people
    return {"owner": me, "none": stranger}.get(whose, contact)


class _Builder:
    def __init__(self, ctx: MutationContext, number: int, samples: Float64Array) -> None:
        self._ctx = ctx
        self._number = number
        self._samples = samples

    async def build(self, caller: str, relation: str) -> Scene:
        contact = await self._person("contact")
        stranger = await self._person("stranger")
        me = stranger if caller == "newcomer" else await self._me(caller, contact)
        whose, _, state = relation.partition(", ")
        people = me, contact, stranger
        in_question = await self._recording(whose, people, "document", archived=state == "archived")
        hidden = [
            await self._recording("none", people, "of a stranger"),
            await self._recording("contact", people, "of a contact"),
            await self._recording("shared", people, "put away", archived=True),
        ]
        words = [recording.notes for recording in hidden if recording.notes]
        return Scene(
            number=self._number,
            me=self._email("me"),
            my_id=me,
            admin=await self._administrator(),
            contact=contact,
            stranger=stranger,
            recording=in_question.id,
            session=await self._session(whose, people),
            invite=await self._invite(whose, people),
            token=self._token,
            hidden=[*words, self._word("alias of theirs")] if me != stranger else words[1:],
        )

    async def _me(self, caller: str, contact: Id[User]) -> Id[User]:
        role: Role = "patient" if caller == "patient" else "admin" if caller == "admin" else "physiotherapist"
        me = await self._person("me", role, archived=caller == "archived")
        await self._befriend(me, contact, "alias of mine")
        await self._befriend(contact, me, "alias of theirs")
        return me

    async def _administrator(self) -> str:
        await self._person("admin", "admin")
        return self._email("admin")

    async def _person(self, name: str, role: Role = "physiotherapist", *, archived: bool = False) -> Id[User]:
        email = self._email(name)
        return await self._ctx.db.insert(
            User(
                auth_id=f"dev|{email}",
                email=email,
                name=self._word(name),
                role=role,
                is_archived=archived or None,
                archived_at=self._ctx.now if archived else None,
                created_at=self._ctx.now,
            )
        )

    async def _befriend(self, one: Id[User], other: Id[User], alias: str) -> None:
        user = await self._ctx.db.get(User, one)
        assert user is not None
        entry = Contact(user_id=other, alias=self._word(alias), added_at=self._ctx.now)
        await self._ctx.db.patch(user, contacts=[*user.contacts, entry])

    async def _recording(self, whose: str, people: _People, word: str, *, archived: bool = False) -> Recording:
        me, owner = people[0], _owner(whose, people)
        now = self._ctx.now
        id_ = await self._ctx.db.insert(
            Recording(
                owner_id=owner,
                subject_id=me if whose == "subject" else None,
                shared_with=[me] if whose == "shared" else None,
                start_time=now - 1000,
                end_time=now,
                sample_rate=100.0,
                sample_count=self._samples.length,
                duration_ms=1000.0,
                left_knee=self._samples,
                right_knee=self._samples,
                notes=self._word(word),
                is_archived=archived or None,
                archived_at=now if archived else None,
                created_at=now,
            )
        )
        found = await self._ctx.db.get(Recording, id_)
        assert found is not None
        return found

    async def _session(self, whose: str, people: _People) -> Id[LiveSession]:
        me, now, count = people[0], self._ctx.now, self._samples.length
        session = await self._ctx.db.insert(
            LiveSession(
                owner_id=_owner(whose, people),
                subject_id=me if whose == "subject" else None,
                subject_alias=self._word("live"),
                shared_with=[me] if whose == "shared" else None,
                sample_rate=100.0,
                sample_count=count,
                started_at=now,
                last_at=now,
            )
        )
        left = right = self._samples
        await self._ctx.db.insert(
            LiveSegment(session_id=session, level=0, start=0, count=count, left_knee=left, right_knee=right)
        )
        return session

    async def _invite(self, whose: str, people: _People) -> Id[Invite]:
        me, _, stranger = people
        return await self._ctx.db.insert(
            Invite(
                from_user_id=me if whose == "sender" else stranger,
                to_email=self._email("me" if whose == "addressee" else "somebody"),
                alias=self._word("alias of an invite"),
                token_hashes=[hash_of(self._token)],
                expires_at=self._ctx.now + DAY,
                created_at=self._ctx.now,
            )
        )

    @property
    def _token(self) -> str:
        return f"{self._number:032d}"

    def _email(self, name: str) -> str:
        return f"{name}{self._number}@example.org"

    def _word(self, words: str) -> str:
        return f"<{words} {self._number}>"
