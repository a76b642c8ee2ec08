"""The rule book of the demo: an agreement that was renewed, complaint rules that will be."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from data.accounts import Account
from data.policies import Policy, PolicyVersion
from data.tasks import Task, TaskStatus
from services import clock, consents, policy_drafts, policy_news, tasks
from services.access import Actor
from services.policy_drafts import PolicyForm

# The agreement changes so long before today; who joined before was asked again since.
AGO = timedelta(days=20)
AHEAD = timedelta(days=9)
# How many of a hundred have answered by now.
ANSWERED = 80


@dataclass(frozen=True, slots=True)
class Rewording:
    """What becomes of a text, in Chinese and in English, and a line each on it."""

    changes_zh: str
    changes_en: str
    replaced_zh: tuple[tuple[str, str], ...]
    replaced_en: tuple[tuple[str, str], ...]


AGREEMENT_CHANGES = Rewording(
    "取消和爽约的费用，按下单时显示的标准收取",
    "Cancelling and no-shows cost what was shown when the order was made",
    (
        ("服务开始前取消不收费。", "取消或爽约，按下单时显示并冻结在订单上的标准收费。"),
        (
            "5. 双方应尊重对方",
            "5. 陪护员因故不能前来的，运营协助另找人；没有人能来的，不收费用。\n6. 双方应尊重对方",
        ),
        ("6. 如有争议，请拨打服务热线", "7. 如有争议，请先看《投诉处理规则》，或拨打服务热线"),
    ),
    (
        (
            "Cancelling before the visit costs nothing.",
            "Cancelling and no-shows cost what was shown and frozen with the order.",
        ),
        (
            "5. Both sides respect",
            "5. If a caregiver cannot come, operators help to find another; if nobody can, nothing"
            " is charged.\n6. Both sides respect",
        ),
        (
            "6. In a dispute, call the hotline",
            "7. In a dispute, see the rules for complaints or call the hotline",
        ),
    ),
)
COMPLAINT_CHANGES = Rewording(
    "不同意处理结果的，可以在七天内申请复核一次，由另一位运营办理",
    "Whoever disagrees may ask once, within seven days, for another operator to look again",
    (
        (
            "可以打服务热线请运营复核。",
            "可以在收到结果后七天内申请复核一次，由没有经手过的运营办理。",
        ),
    ),
    (
        (
            "Call the hotline and the operators will look again.",
            "Within seven days of the outcome you may ask once for it to be looked at again, by an"
            " operator who had no part in it.",
        ),
    ),
)


def renew_agreement(session: Session, operator: Actor, now: datetime) -> None:
    """Publish the agreement's second version at this moment, for a day in the story."""
    _publish(session, operator, Policy.AGREEMENT, AGREEMENT_CHANGES, now - AGO)


def ask_again(session: Session, signing_in: list[Actor], now: datetime) -> None:
    """Most people have said yes to the new agreement since; all who sign in themselves have."""
    chance, themselves = random.Random(1), {actor.id for actor in signing_in}
    with clock.at(now - timedelta(days=1)):
        outdated = select(Account.id).where(
            consents.asked(Policy.AGREEMENT), ~consents.accepted(Policy.AGREEMENT, 2)
        )
        for account_id in session.scalars(outdated.order_by(Account.id)).all():
            if account_id in themselves or chance.randrange(100) < ANSWERED:
                consents.record(session, account_id, Policy.AGREEMENT)


def announce_complaint_rules(session: Session, operator: Actor, now: datetime) -> None:
    """Publish rules for complaints that are not in force yet, and tell everybody."""
    with clock.at(now - timedelta(days=2)):
        _publish(session, operator, Policy.COMPLAINT_HANDLING, COMPLAINT_CHANGES, now + AHEAD)


def _publish(
    session: Session, operator: Actor, policy: Policy, change: Rewording, since: datetime
) -> None:
    draft_id = policy_drafts.begin(session, operator, policy)
    draft = session.get_one(PolicyVersion, draft_id)
    form = PolicyForm(
        _reworded(draft.words_zh, change.replaced_zh),
        _reworded(draft.words_en, change.replaced_en),
        change.changes_zh,
        change.changes_en,
    )
    day = clock.in_city(since).date()
    policy_drafts.publish(session, operator, draft_id, form, draft.version, day)
    # Told at this moment of the story, not at its end.
    news = select(Task.id).where(Task.kind == policy_news.KIND, Task.status == TaskStatus.QUEUED)
    for task_id in session.scalars(news).all():
        tasks.do(session, task_id)


def _reworded(text: str, replaced: tuple[tuple[str, str], ...]) -> str:
    for old, new in replaced:
        assert old in text
        text = text.replace(old, new)
    return text
