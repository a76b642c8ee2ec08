"""A day is dispatched: proposed, read, overruled, accepted, and mended when somebody falls ill."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, time, timedelta

import pytest
from playwright.sync_api import Locator, expect
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from components.catalogues import say
from data import database as engines
from data.accounts import Account
from data.caregivers import Certificate
from data.cities import City
from data.orders import Visit, VisitStatus
from services import clock, phones
from services.access import Role
from services.board import overrides, proposals, runs
from services.board.overrides import OverrideKind
from services.board.proposals import LineState, LineView
from services.sessions import DEMO_PHONES
from tests import factories
from tests.browser.conftest import PATIENCE_MS, PHONE, Person, in_the_pilot
from tests.conftest import database_at
from tests.factories import LI, NANTONG, OPERATOR
from tests.live_server import DEMO, LiveServer, live_server, start, stop

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]
COLLEAGUES, LONG_AGO = 3, timedelta(days=200)
HOURS = 9, 9, 14, 14
REASON = "家属点名要她 <b>会越剧</b>"
# A worker that has just started does what is due first.
WORKER_MS = 3 * PATIENCE_MS


def words(key: str, **values: object) -> str:
    return say("zh_CN", key, **values)


@pytest.fixture(scope="module")
def pilot(tmp_path_factory) -> Iterator[LiveServer]:
    """A town of five caregivers, four demands of tomorrow, and no worker yet."""
    folder = tmp_path_factory.mktemp("dispatch")
    file = folder / "town.db"
    with database_at(f"sqlite:///{file}"):
        engines.upgrade()
        with clock.at(clock.now() - LONG_AGO), engines.writing() as session:
            factories.add_cast(session)
            for number in range(COLLEAGUES):
                factories.add_colleague(session, number)
            session.execute(update(City).values(synthetic=True))
            session.execute(update(Certificate).values(expires_on=None))
            phone_hash = phones.whole_hash(DEMO_PHONES[Role.OPERATOR])
            hers = update(Account).where(Account.id == OPERATOR.id)
            session.execute(hers.values(phone_hash=phone_hash))
        with engines.writing() as session:
            wish(session)
    with live_server(folder, demo=file) as server:
        yield server


def wish(session: Session) -> None:
    """One family knows LI; four want somebody tomorrow, two at a time."""
    with clock.at(clock.now() - LONG_AGO / 2):  # So long that her hours do not count.
        factories.make_redeemed_visit(session, caregiver=LI)
    families = [(factories.ZHOU, factories.MOTHER_ID)]
    families += [factories.make_family(session, number) for number in range(1, len(HOURS))]
    tomorrow = clock.today() + timedelta(days=1)
    for (customer, recipient_id), hour in zip(families, HOURS, strict=True):
        at = datetime.combine(tomorrow, time(hour), clock.CITY_TIME)
        factories.make_demand(session, customer=customer, recipient_id=recipient_id, starts_at=at)


@contextmanager
def at_work(pilot: LiveServer) -> Iterator[None]:
    """Inside the block a worker does what is asked for."""
    folder = pilot.log.parent
    place = {"DATABASE_URL": f"sqlite:///{folder / 'live.db'}"}
    worker = start("worker.py", folder / "worker.log", DEMO | place)
    try:
        yield
    finally:
        assert stop(worker) == 0


def newest(session: Session) -> list[LineView]:
    """The lines of the newest run."""
    run = runs.latest(session, OPERATOR, NANTONG)
    assert run is not None
    return proposals.lines(session, OPERATOR, run.id)


def first_rival(session: Session, line: LineView) -> str:
    """The name of whoever was next."""
    run = runs.latest(session, OPERATOR, NANTONG)
    assert run is not None
    rival = proposals.explanation(session, OPERATOR, run.id, line.number)["rivals"][0]
    return session.get_one(Account, rival["caregiver_id"]).name


def phone_of(pilot: LiveServer, caregiver_id: int) -> str:
    return in_the_pilot(pilot, lambda session: session.get_one(Account, caregiver_id).phone)


def offered(session: Session) -> int:
    """The visit that somebody is asked to take over."""
    return session.scalars(select(Visit.id).where(Visit.status == VisitStatus.OFFERED)).one()


def coming(session: Session, visit_id: int) -> int:
    """Who is to make a planned visit."""
    planned = Visit.id == visit_id, Visit.status == VisitStatus.PLANNED
    return session.scalars(select(Visit.caregiver_id).where(*planned)).one()


def is_proposed(operator: Person) -> None:
    """Wait until the run is worked out and its timetable drawn."""
    expect(operator.key("board_timetable")).to_be_visible(timeout=WORKER_MS)
    operator.settle()


def bar(operator: Person, number: int) -> Locator:
    return operator.page.locator(f"button.bar[data-number='{number}']")


def open_line(operator: Person, line: LineView) -> Locator:
    """Open a line from the timetable, without a mouse; where it is told about."""
    bar(operator, line.number).focus(timeout=PATIENCE_MS)
    operator.page.keyboard.press("Enter")
    opened = operator.key("board_line")
    expect(opened).to_contain_text(line.family_name, timeout=PATIENCE_MS)
    operator.settle()
    return opened


def pin_another(operator: Person, line: LineView) -> None:
    """Have somebody else come, having seen what it costs, and say why."""
    key = f"board_pin_{line.demand_id}_None"
    operator.press("board_move_ask")
    operator.sees(re.compile(words("board.pin_cost", name=".+", minutes=r"\d+")))
    operator.is_well()
    operator.choose(f"{key}_reason", words("override_reason.other"))
    operator.press(key)
    operator.sees(words("error.missing", field=words("field.words")))
    operator.fill(f"{key}_words", REASON)
    operator.press(key)
    operator.sees(words("board.pin_laid_down"))


def forbid(operator: Person, line: LineView) -> None:
    """Let whoever is proposed for a line not come."""
    key = f"board_forbid_{line.demand_id}_None"
    operator.press("board_forbid_ask")
    operator.choose(f"{key}_reason", words("override_reason.safety"))
    operator.press(key)
    operator.sees(words("board.forbid_laid_down"))


def dispatch_again(operator: Person) -> None:
    operator.press("board_run_now")
    operator.sees(words("board.asked"))
    is_proposed(operator)


def is_accepted(operator: Person, count: int) -> None:
    operator.sees(words("board.accepted", count=count))


def test_a_day_is_dispatched_read_overruled_and_mended(pilot, arrive):
    operator: Person = arrive(pilot.url)
    operator.open("dispatch")
    operator.demo_sign_in("operator")
    operator.sees(words("empty.board_next"))
    operator.is_well()

    # Nobody works on it yet, and it can be seen to be under way.
    operator.press("board_run_now")
    operator.sees(words("board.working", percent=0))
    operator.is_well()
    with at_work(pilot):
        is_proposed(operator)
        operator.is_well()
        overrule(pilot, operator)
        said_yes = accept(pilot, operator, arrive)
        mend(pilot, operator, said_yes, arrive)


def overrule(pilot: LiveServer, operator: Person) -> None:
    """Read why, pin one, forbid another, and see both kept to."""
    first, second, *_ = in_the_pilot(pilot, newest)
    assert first.caregiver_id == LI.id
    reasons = open_line(operator, first)
    rival = in_the_pilot(pilot, lambda session: first_rival(session, first))
    expect(reasons).to_contain_text(rival)
    expect(reasons).to_contain_text(re.compile(words("board.sum_more", cost=r"\d+")))
    operator.is_well()
    pin_another(operator, first)
    open_line(operator, second)
    forbid(operator, second)
    dispatch_again(operator)

    laid_down = in_the_pilot(pilot, lambda session: overrides.standing(session, OPERATOR, NANTONG))
    who = {one.kind: one.caregiver_id for one in laid_down}
    sent = {one.demand_id: one.caregiver_id for one in in_the_pilot(pilot, newest)}
    assert sent[first.demand_id] == who[OverrideKind.PIN] != LI.id
    assert sent[second.demand_id] != who[OverrideKind.FORBID] == second.caregiver_id
    assert None not in sent.values()
    operator.unfold("board_standing")
    operator.sees(REASON)
    operator.is_well()


def accept(pilot: LiveServer, operator: Person, arrive) -> tuple[LineView, Person]:
    """Accept one line, then all; whoever the first is about says yes on her phone."""
    line, another, *_ = in_the_pilot(pilot, newest)
    table = operator.page.locator("[class*=st-key-board_rows_]").get_by_test_id("stDataFrame")
    table.click(position={"x": 18, "y": 87}, timeout=PATIENCE_MS)
    expect(operator.key("board_line")).to_contain_text(another.family_name, timeout=PATIENCE_MS)
    operator.settle()
    open_line(operator, line)
    operator.press("board_close")
    expect(operator.key("board_line")).to_have_count(0, timeout=PATIENCE_MS)
    open_line(operator, line)
    operator.press("board_accept_one")
    is_accepted(operator, 1)
    operator.press("board_accept_all_ask")
    operator.press("board_accept_all")
    is_accepted(operator, len(HOURS) - 1)
    asked = in_the_pilot(pilot, newest)
    assert {one.state for one in asked} == {LineState.ASKED}
    operator.is_well()

    caregiver: Person = arrive(pilot.url, size=PHONE)
    caregiver.open("my_visits")
    caregiver.code_sign_in(phone_of(pilot, line.caregiver_id or 0))
    caregiver.press(f"accept_{asked[0].order_id}")
    caregiver.sees(words("request.accepted"))
    caregiver.is_well()
    operator.open("dispatch")
    expect(open_line(operator, line)).to_contain_text(words("board.state_stands"))
    return asked[0], caregiver


def mend(pilot: LiveServer, operator: Person, said_yes: tuple[LineView, Person], arrive) -> None:
    """She falls ill; the day is dispatched again around it, and somebody else takes over."""
    line, caregiver = said_yes
    caregiver.open("my_calendar")
    caregiver.unfold("take_leave_ask")
    caregiver.sees(re.compile(words("leaves.hits", count=r"\d+")))
    caregiver.page.locator("[class*=st-key-take_leave_] button").last.click(timeout=PATIENCE_MS)
    caregiver.sees(words("leaves.taken"))
    caregiver.is_well()

    operator.open("dispatch")
    operator.unfold("board_more")
    operator.key("board_movable").locator("label").first.click(timeout=PATIENCE_MS)
    operator.settle()
    dispatch_again(operator)
    [instead] = [
        one
        for one in in_the_pilot(pilot, newest)
        if (one.family_name, one.before_id) == (line.family_name, line.caregiver_id)
    ]
    assert instead.state is LineState.PROPOSED
    opened = open_line(operator, instead)
    expect(opened).to_contain_text(words("board.was_to_come", name=line.caregiver_name))
    operator.press("board_accept_one")
    is_accepted(operator, 1)
    operator.is_well()

    stand_in: Person = arrive(pilot.url, size=PHONE)
    stand_in.open("my_visits")
    stand_in.code_sign_in(phone_of(pilot, instead.caregiver_id or 0))
    offer_id = in_the_pilot(pilot, offered)
    stand_in.press(f"take_over_{offer_id}")
    stand_in.sees(words("substitutes.accepted"))
    stand_in.is_well()
    assert in_the_pilot(pilot, lambda session: coming(session, offer_id)) == instead.caregiver_id
    operator.open("dispatch")
    expect(open_line(operator, instead)).to_contain_text(words("board.state_stands"))
    operator.page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    operator.open("dispatch")
    operator.is_well()
