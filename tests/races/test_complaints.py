"""Operators at once over one complaint: one decides, the others are told; all that comes, once."""

from collections import Counter

import pytest
from sqlalchemy import func, select

from data import database as engines
from data.complaints import Complaint
from data.exclusions import Exclusion
from data.history import Noun, StatusChange
from data.points import PenaltyPoints
from data.refunds import Refund
from services import complaints, ledger_checks, rulings
from services.access import SYSTEM
from services.complaints import ComplaintCategory
from services.errors import Conflict
from services.exclusions import Excluding, Scope
from services.rulings import Ruling
from tests.books import owed_by
from tests.factories import LI, OPERATOR, ZHOU, make_operator, make_redeemed_visit
from tests.races.rush import rush

pytestmark = pytest.mark.race

PAID_FEN, BACK_FEN = 8000, 3000
RULING = Ruling("退三十元", BACK_FEN, 1000, points=3, excluding=Excluding(Scope.PAIR, "两次冲突"))


@pytest.fixture
def operators(database):
    with engines.writing() as session:
        return OPERATOR, make_operator(session)


@pytest.fixture
def complaint_id(database):
    with engines.writing() as session:
        visit_id = make_redeemed_visit(session)
        return complaints.lodge(session, ZHOU, visit_id, ComplaintCategory.QUALITY, "没做完")


def decide(complaint_id, actor, ruling=RULING):
    with engines.writing() as session:
        rulings.decide(session, actor, complaint_id, ruling)


def came_of_it():
    """How many refunds, sets of points and exclusions there are, and what the family owes."""
    with engines.reading() as session:
        ledger_checks.check(session, SYSTEM)
        made = (select(func.count(one.id)) for one in (Refund, PenaltyPoints, Exclusion))
        return (*map(session.scalar, made), owed_by(session, ZHOU))


def moves_of(complaint_id):
    with engines.reading() as session:
        its = StatusChange.noun == Noun.COMPLAINT, StatusChange.subject_id == complaint_id
        return Counter(session.scalars(select(StatusChange.move).where(*its)))


def refusals(outcomes):
    return [one.key for one in outcomes if isinstance(one, Conflict)]


def test_of_operators_who_decide_one_complaint_one_does(operators, complaint_id):
    outcomes = rush(lambda number: decide(complaint_id, operators[number % 2]), threads=6)

    assert refusals(outcomes) == ["error.complaint_moved_on"] * 5
    assert came_of_it() == (1, 1, 1, PAID_FEN - BACK_FEN)
    assert moves_of(complaint_id) == {"open": 1, "close": 1}


def test_two_outcomes_are_never_mixed(operators, complaint_id):
    words_only = Ruling("没有依据")
    outcomes = rush(
        lambda number: decide(complaint_id, operators[number], (RULING, words_only)[number]),
        threads=2,
    )

    assert refusals(outcomes) == ["error.complaint_moved_on"]
    with engines.reading() as session:
        said = session.get_one(Complaint, complaint_id).outcome_words
    refunds, sets_of_points, exclusions, owed_fen = came_of_it()
    if said == RULING.words:
        assert (refunds, sets_of_points, exclusions, owed_fen) == (1, 1, 1, PAID_FEN - BACK_FEN)
    else:
        assert said == words_only.words
        assert (refunds, sets_of_points, exclusions, owed_fen) == (0, 0, 0, PAID_FEN)


def test_a_complaint_is_decided_or_taken_back_and_never_both(operators, complaint_id):
    def take_back():
        with engines.writing() as session:
            complaints.take_back(session, ZHOU, complaint_id)

    deeds = [lambda: decide(complaint_id, operators[0]), take_back]
    outcomes = rush(lambda number: deeds[number](), threads=2)

    assert refusals(outcomes) == ["error.complaint_moved_on"]
    assert came_of_it()[:3] == (moves_of(complaint_id)["close"],) * 3


def test_of_operators_who_decide_one_appeal_one_does(operators, complaint_id):
    decide(complaint_id, OPERATOR)
    with engines.writing() as session:
        rulings.appeal(session, LI, complaint_id, "家属先骂人")
        judges = operators[1], make_operator(session, "13000000902")

    def judge(number):
        with engines.writing() as session:
            if number % 2:
                rulings.uphold(session, judges[1], complaint_id, "维持")
            else:
                more = Ruling("再退十元", 1000, points=1)
                rulings.amend(session, judges[0], complaint_id, more, lift=False)

    outcomes = rush(judge, threads=6)

    assert refusals(outcomes) == ["error.complaint_moved_on"] * 5
    amended = moves_of(complaint_id)["amend"]
    assert came_of_it() == (
        1 + amended, 1 + amended, 1, PAID_FEN - BACK_FEN - 1000 * amended
    )  # fmt: skip
