"""Drafts of the rule book's documents: written, published with a day, or taken back before it."""

import re
from dataclasses import asdict, dataclass
from datetime import date, timedelta

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from data.accounts import Account
from data.history import Noun
from data.policies import Policy, PolicyStatus, PolicyVersion
from services import audit, clock, consents, lifecycles, policies, policy_news, tasks
from services.access import Actor, Permission
from services.errors import Conflict, Invalid, NotFound
from services.policies import History
from services.wording import words

LONGEST = 20_000
LONGEST_CHANGES = 200
FURTHEST = timedelta(days=366)
_HTML = re.compile(r"<[a-z/!?]", re.IGNORECASE)
_PICTURE = re.compile(r"!\[")
# Where a link leads: [words](here), or a line that says it for all links of a name.
_LINK = re.compile(r"\]\(\s*([^)\s]*)|^\s*\[[^\]]+\]:\s*(\S*)", re.MULTILINE)
_SAFE = re.compile(r"https://[\w.-]+|mailto:|tel:|/[a-z_]+|#")


@dataclass(frozen=True, slots=True)
class PolicyForm:
    """The words of a version in both languages, Markdown, and a line each on what changes."""

    words_zh: str
    words_en: str
    changes_zh: str
    changes_en: str


@dataclass(frozen=True, slots=True)
class Draft:
    """What is being written of a document; `edition` grows with every save."""

    id: int
    form: PolicyForm
    written_by: str
    edition: int


@dataclass(frozen=True, slots=True)
class Hands:
    """Who wrote and who published a version; nobody those that CarePilot came with."""

    written_by: str | None
    published_by: str | None


@dataclass(frozen=True, slots=True)
class Shelf:
    """A document as operators keep it: its versions, the draft, and who accepted what is in force.

    `hands` are by the number of the version. Asked are those who use CarePilot and need the
    document in their role, or accepted it before.
    """

    policy: Policy
    history: History
    hands: dict[int, Hands]
    draft: Draft | None
    asked: int
    accepted: int


def shelves(session: Session, actor: Actor) -> list[Shelf]:
    """Every document of the rule book."""
    actor.require(Permission.KEEP_POLICIES)
    return [_shelf(session, policy) for policy in Policy]


def shelf(session: Session, actor: Actor, policy: Policy) -> Shelf:
    """One document of the rule book."""
    actor.require(Permission.KEEP_POLICIES)
    return _shelf(session, policy)


def begin(session: Session, actor: Actor, policy: Policy) -> int:
    """Begin a draft with the words of the newest version; a document has one draft at a time."""
    actor.require(Permission.KEEP_POLICIES)
    newest = policies.history(session, policy).versions[0]
    draft = PolicyVersion(
        created_at=clock.now(),
        policy=policy,
        words_zh=newest.words_zh,
        words_en=newest.words_en,
        changes_zh="",
        changes_en="",
        written_by_id=actor.id,
    )
    try:
        with session.begin_nested():
            session.add(draft)
    except IntegrityError:
        raise Conflict("error.policy_has_draft") from None
    lifecycles.begin(session, actor, Noun.POLICY_VERSION, draft, "draft")
    return draft.id


def save(session: Session, actor: Actor, draft_id: int, form: PolicyForm, edition: int) -> None:
    """Keep the words of a draft, unless somebody else has kept others since they were read."""
    actor.require(Permission.KEEP_POLICIES)
    _write(actor, _draft(session, draft_id, edition), _checked(form))


def discard(session: Session, actor: Actor, draft_id: int) -> None:
    """Give a draft up; its words stay in the history."""
    actor.require(Permission.KEEP_POLICIES)
    lifecycles.take(session, actor, Noun.POLICY_VERSION, _draft(session, draft_id), "discard")


def publish(
    session: Session,
    actor: Actor,
    draft_id: int,
    form: PolicyForm,
    edition: int,
    effective_on: date,
) -> int:
    """Publish a draft with these words from a day on and tell whom it concerns; return its number.

    Its day comes after that of every other version, so that one replaces the other without a gap.
    """
    actor.require(Permission.KEEP_POLICIES)
    draft = _draft(session, draft_id, edition)
    newest = policies.history(session, draft.policy).versions[0]
    _check_day(effective_on, newest.effective_on)
    form = _checked(form)
    if (form.words_zh, form.words_en) == (newest.words_zh, newest.words_en):
        raise Invalid("error.policy_unchanged")
    _write(actor, draft, form)
    number = draft.number = _next_number(session, draft.policy)
    draft.effective_on = effective_on
    draft.published_by_id, draft.published_at = actor.id, clock.now()
    lifecycles.take(session, actor, Noun.POLICY_VERSION, draft, "publish")
    session.flush()
    audit.record(
        session, actor, "publish_policy", "policy_version", draft.id,
        policy=draft.policy, number=number, effective_on=effective_on.isoformat(),
    )  # fmt: skip
    tasks.ask(session, actor, policy_news.KIND, version_id=draft.id, by=actor.id)
    return number


def withdraw(session: Session, actor: Actor, version_id: int) -> None:
    """Take a version back whose day has not come, and tell those who heard of it."""
    actor.require(Permission.KEEP_POLICIES)
    version = session.get(PolicyVersion, version_id, with_for_update=True)
    if version is None:
        raise NotFound("error.policy_not_found")
    day = version.effective_on
    if version.status is PolicyStatus.PUBLISHED and day is not None and day <= clock.today():
        raise Conflict("error.policy_in_force")
    lifecycles.take(session, actor, Noun.POLICY_VERSION, version, "withdraw")
    session.flush()
    audit.record(
        session, actor, "withdraw_policy", "policy_version", version.id,
        policy=version.policy, number=version.number,
    )  # fmt: skip
    tasks.ask(session, actor, policy_news.KIND, version_id=version.id, by=actor.id)


def _shelf(session: Session, policy: Policy) -> Shelf:
    history = policies.history(session, policy)
    row = session.execute(
        select(PolicyVersion, Account.name)
        .join(Account, Account.id == PolicyVersion.written_by_id)
        .where(PolicyVersion.policy == policy, PolicyVersion.status == PolicyStatus.DRAFT)
    ).one_or_none()
    draft = None
    if row is not None:
        found, writer = row
        form = PolicyForm(found.words_zh, found.words_en, found.changes_zh, found.changes_en)
        draft = Draft(found.id, form, writer, found.version)
    counted = _counted(session, policy, history.in_force)
    return Shelf(policy, history, _hands(session, policy), draft, *counted)


def _hands(session: Session, policy: Policy) -> dict[int, Hands]:
    writer, publisher = aliased(Account), aliased(Account)
    rows = session.execute(
        select(PolicyVersion.number, writer.name, publisher.name)
        .outerjoin(writer, writer.id == PolicyVersion.written_by_id)
        .outerjoin(publisher, publisher.id == PolicyVersion.published_by_id)
        .where(PolicyVersion.policy == policy, PolicyVersion.status == PolicyStatus.PUBLISHED)
    )
    return {
        number: Hands(written, published)
        for number, written, published in rows
        if number is not None
    }


def _counted(session: Session, policy: Policy, in_force: int) -> tuple[int, int]:
    """How many are asked for a document, and how many of them accepted the version in force."""
    yes = func.count(Account.id).filter(consents.accepted(policy, in_force))
    asked, accepted = session.execute(
        select(func.count(Account.id), yes).where(consents.asked(policy))
    ).one()
    return asked, accepted


def _draft(session: Session, draft_id: int, edition: int | None = None) -> PolicyVersion:
    """A draft, locked until the transaction ends; of the edition that was read, if told."""
    draft = session.get(PolicyVersion, draft_id, with_for_update=True)
    if draft is None:
        raise NotFound("error.policy_not_found")
    if draft.status is not PolicyStatus.DRAFT:
        raise Conflict("error.policy_version_moved_on")
    if edition is not None and draft.version != edition:
        raise Conflict("error.policy_written_meanwhile")
    return draft


def _write(actor: Actor, draft: PolicyVersion, form: PolicyForm) -> None:
    for name, value in asdict(form).items():
        setattr(draft, name, value)
    draft.written_by_id = actor.id


def _checked(form: PolicyForm) -> PolicyForm:
    """The form trimmed, or a refusal that names the field: nothing but words may be drawn."""
    for name in ("words_zh", "words_en"):
        _check_markdown(getattr(form, name), f"policy_{name}")
    return PolicyForm(
        words(form.words_zh, "policy_words_zh", LONGEST),
        words(form.words_en, "policy_words_en", LONGEST),
        words(form.changes_zh, "policy_changes_zh", LONGEST_CHANGES),
        words(form.changes_en, "policy_changes_en", LONGEST_CHANGES),
    )


def _check_markdown(typed: str, field: str) -> None:
    if _HTML.search(typed):
        raise Invalid("error.policy_html", field=field)
    if _PICTURE.search(typed):
        raise Invalid("error.policy_picture", field=field)
    for found in _LINK.finditer(typed):
        link = found[1] or found[2] or ""
        if not _SAFE.match(link):
            raise Invalid("error.policy_link", field=field, link=link[:60])


def _check_day(day: date, last: date) -> None:
    if day < clock.today():
        raise Invalid("error.policy_day_past")
    if day > clock.today() + FURTHEST:
        raise Invalid("error.policy_day_far", days=FURTHEST.days)
    if day <= last:
        raise Invalid("error.policy_day_taken", day=last)


def _next_number(session: Session, policy: Policy) -> int:
    """One more than any ever used, so that a version withdrawn keeps its own."""
    used = select(func.max(PolicyVersion.number)).where(PolicyVersion.policy == policy)
    return (session.scalar(used) or 0) + 1
