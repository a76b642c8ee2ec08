"""Replies the staff of a city say often; their {blanks} are filled from the talk."""

from dataclasses import dataclass
from string import Formatter

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from data.chat import CannedReply
from services import clock
from services.access import Actor, Permission
from services.errors import Conflict, Invalid, NotFound
from services.wording import words

BLANKS = ("name", "order", "city", "caregiver")


@dataclass(frozen=True, slots=True)
class ReplyView:
    id: int
    city_code: str
    shortcut: str
    words_zh: str
    words_en: str


def usable(session: Session, actor: Actor, city_code: str) -> list[ReplyView]:
    """The replies of one of the actor's cities, by shortcut."""
    actor.require(Permission.ANSWER_CHAT)
    rows = session.scalars(
        select(CannedReply)
        .where(
            CannedReply.city_code == city_code,
            CannedReply.city_code.in_(actor.cities),
            CannedReply.retired_at.is_(None),
        )
        .order_by(CannedReply.shortcut)
    )
    return [
        ReplyView(row.id, row.city_code, row.shortcut, row.words_zh, row.words_en) for row in rows
    ]


def save(
    session: Session,
    actor: Actor,
    city_code: str,
    shortcut: str,
    words_zh: str,
    words_en: str = "",
) -> None:
    """Keep a reply under a shortcut of its city; what stood there before gives way."""
    actor.require(Permission.KEEP_CANNED_REPLIES)
    shortcut = words(shortcut.lstrip("/"), "shortcut", 20)
    words_zh = _checked(words(words_zh, "reply_zh", 500))
    words_en = _checked(words(words_en, "reply_en", 500, required=False))
    if city_code not in actor.cities:
        raise NotFound("error.city_not_found")
    row = session.scalar(
        select(CannedReply)
        .where(CannedReply.city_code == city_code, CannedReply.shortcut == shortcut)
        .with_for_update()
    )
    if row is not None:
        row.words_zh, row.words_en, row.retired_at = words_zh, words_en, None
        return
    row = CannedReply(
        created_at=clock.now(),
        city_code=city_code,
        shortcut=shortcut,
        words_zh=words_zh,
        words_en=words_en,
    )
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        raise Conflict("error.changed_meanwhile") from None


def retire(session: Session, actor: Actor, reply_id: int) -> None:
    """Take a reply out of use."""
    actor.require(Permission.KEEP_CANNED_REPLIES)
    row = session.scalar(
        select(CannedReply).where(
            CannedReply.id == reply_id, CannedReply.city_code.in_(actor.cities)
        )
    )
    if row is None:
        raise NotFound("error.reply_not_found")
    row.retired_at = clock.now()


def filled(said: str, **blanks: str) -> str:
    """The reply with its blanks filled; what is not known stays empty."""
    for name in BLANKS:
        said = said.replace(f"{{{name}}}", blanks.get(name, ""))
    return said


def _checked(said: str) -> str:
    """Refuse a blank nobody can fill, and braces that are none."""
    try:
        names = {name for _, name, _, _ in Formatter().parse(said) if name is not None}
    except ValueError:
        raise Invalid("error.reply_blank", blank="{") from None
    if unknown := sorted(names - set(BLANKS)):
        raise Invalid("error.reply_blank", blank=f"{{{unknown[0]}}}")
    return said
