"""The two catalogues: the same messages, the same blanks, each one used, none missing."""

import ast
import re
from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from itertools import product
from pathlib import Path
from string import Formatter

import pytest

from components import (
    board,
    board_history,
    board_lines,
    board_timetable,
    calendar_picture,
    calendars,
    cities,
    complaint_cases,
    complaint_rulings,
    customers,
    desk,
    drafts,
    fairness,
    formats,
    icons,
    month_end,
    my_data,
    operator_caregivers,
    operator_policies,
    preferences,
    qualifications,
    read_back,
    receipts,
    refunds,
    reviews,
    rule_fields,
    search,
    security,
    today,
    unmet_needs,
    verification,
    welcome,
)
from components.catalogues import DEFAULT, LANGUAGES, catalogue, say
from components.figures import extracts, families, findings, labels
from components.figures.demand_map import Beside, Kind
from components.figures.measures import Measure
from components.figures.views import Period
from components.navigation import PAGES
from data.accounts import AccountStatus, Channel, Role
from data.calendars import DayKind, LeaveReason
from data.calls import Outcome
from data.caregivers import CaregiverLevel, CaregiverStatus
from data.catalogue import CertificateKind, ItemGroup, Skill, Unit
from data.chat import Side, TalkStatus
from data.cities import CityStatus
from data.complaints import (
    Audience,
    ComplaintCategory,
    ComplaintStatus,
    ExtraTimeStatus,
    IncidentKind,
)
from data.demands import ApplicationStatus, DemandStatus
from data.dispatch import AutoMode
from data.history import Noun
from data.invoices import BuyerKind, InvoiceStatus
from data.ledger import LedgerAccount
from data.notices import NoticeKind, OutboxChannel, OutboxStatus
from data.orders import EndReason, OrderKind, Party, VisitStatus
from data.payouts import BatchStatus, FileKind, PayoutStatus
from data.points import PointsStatus
from data.policies import Policy
from data.pushes import PushStatus
from data.recipients import Mobility, Relation, Sex
from data.verifications import DocumentKind
from services import accounts, orders, providers, repeat_bookings
from services.analytics.caregivers import Spread
from services.analytics.families import Trait
from services.analytics.findings import Kind as FindingKind
from services.analytics.findings import Remedy
from services.analytics.terms import LONGER, PRICES, URGENCIES, AgeBand, Daypart, Dimension, Stage
from services.availability import Obstacle
from services.board.fairness_figures import Presence
from services.board.leaving import Sign
from services.board.overrides import OverrideKind, OverrideReason
from services.board.proposals import LineState
from services.board.runs import RunShape, RunStatus
from services.chat_desk import Box
from services.complaint_cases import Queue
from services.compliance import contacts
from services.compliance.findings import FindingKind as BreachKind
from services.compliance.findings import FindingStatus
from services.deliveries import OUTSIDE
from services.dispatch.results import Quality
from services.dispatch.rules import Rule
from services.dispatch.weights import Term
from services.drafts import Lost
from services.duplicates import Alike
from services.erasure import Open
from services.exclusions import Scope
from services.gateways import Failure
from services.income import IncomeKind
from services.income_statements import LineKind
from services.jobs import JOBS, Light
from services.month_end import Figure
from services.moves import CITY_MOVES, MOVES
from services.notes import NoteKind
from services.places import Datum, DistanceBand, PlaceKind
from services.policies import Standing
from services.pricing import PARTS
from services.receipts import ReceiptMethod
from services.refunds import RefundStatus
from services.replays import Count, Total
from services.replays import Side as ReplaySide
from services.rule_book import PARAMETERS, Section
from services.rule_book import Kind as RuleKind
from services.rules import RuleStatus
from services.search import Sort
from services.statements import StatementKind
from services.tasks import KINDS, TaskStatus
from services.to_do import ToDoKind
from services.unmet_changes import ChangeKind
from services.unmet_needs import NeedSource
from services.verifications import CaseKind, CaseStatus, RejectReason

ROOT = Path(__file__).resolve().parent.parent
REFUSALS = {"Invalid", "NotAllowed", "NotFound", "Conflict"}
KEY = re.compile(r"[a-z_]+\.[a-z_]*[a-z]")
HAN = re.compile(r"[\u3400-\u9fff]")
# A language is called by its own name in every language; amounts are read as people type them.
CHINESE_IN_SOURCE = {
    ("components/catalogues.py", "中文"),
    ("services/payment_providers.py", "元"),
    # What detectors look for in people's words.
    ("services/compliance/contacts.py", contacts.ACCOUNT_WORDS),
    ("services/compliance/contacts.py", contacts.DIGIT_WORDS),
}

# How subjects come into the world; everything after it is a move.
BEGINNINGS = {
    "demand_post", "demand_direct", "application_apply", "order_approve", "order_request",
    "complaint_open", "incident_report", "extra_time_ask", "refund_grant",
}  # fmt: skip
UNTOLD = (
    Noun.CAREGIVER, Noun.ACCOUNT, Noun.CITY, Noun.VERIFICATION, Noun.TALK, Noun.RULE_VERSION,
    Noun.POLICY_VERSION,
    Noun.FINDING,
    Noun.POINTS,
    Noun.PUSH,
)  # fmt: skip
EVIDENCE = {
    BreachKind.CONTACTS: ("_demand", "_chat"), BreachKind.TRADED_REVIEWS: ("_mutual", "_pair"),
}  # fmt: skip
STEPWISE = {one for one in PARAMETERS if PARAMETERS[one].kind is RuleKind.STEPS}
STEPS = BEGINNINGS | {
    f"{noun}_{move.name}"
    for noun, moves in MOVES.items()
    # An order's history tells nothing of people's reviews and cities' openings.
    if noun not in UNTOLD
    for move in moves
}
NOT_APPROVED = set(CaregiverStatus) - {CaregiverStatus.APPROVED}
# Every key that is put together at run time, and what may stand in its blanks.
FAMILIES: dict[str, set[str]] = {
    "account.become_{}": set(accounts.SELF_SERVICE),
    "account_status.{}": set(AccountStatus),
    "advice.{}": set(search._ADVICE.values()),
    "obstacle.{}": set(Obstacle),
    "unmet_reason.{}": set(Obstacle),
    "review.{}": set(reviews._ICONS),
    "review.{}_means": set(reviews._ICONS) - {"show"},
    "unmet_change.{}": set(ChangeKind),
    "unmet.column_{}": set(unmet_needs._COLUMNS),
    "need_source.{}": set(NeedSource),
    "application_status.{}": set(ApplicationStatus),
    "caregiver_level.{}": set(CaregiverLevel),
    "caregiver_status.{}": set(CaregiverStatus),
    "caregivers_page.{}": set(operator_caregivers._NUMBERS),
    "certificate.{}": set(CertificateKind),
    "calendar.{}": {"before", "after", "month", "week"} | set(calendar_picture._MARKS.values()),
    "calendar.state_{}": set(calendar_picture._LEGEND),
    "calendar.way_{}": set(calendars._WAYS),
    "channel.{}": set(Channel),
    "channel_out.{}": set(OutboxChannel),
    "deliveries.no_{}": set(OUTSIDE),
    "failure.{}": set(Failure),
    "age_band.{}": set(AgeBand),
    "daypart.{}": set(Daypart),
    "dimension.{}": set(labels.DIMENSIONS),
    "extract_column.{}": set(extracts._OF_CELLS) | set(extracts._FIGURES) | set(findings._COLUMNS),
    "extracts.{}": {frame for frames in extracts.FRAMES.values() for frame in frames}
    | {"findings"},
    "finding.{}": (set(FindingKind) - {FindingKind.OBSTACLE})
    | {"obstacle_elsewhere", "obstacle_next_reason", "problem", "opportunity"}
    | {word for pair in findings._NAMES.values() for word in pair},
    "finding_audience.{}": {"child", "adult", "elder"},
    "finding_care.{}": set(ItemGroup),
    "finding_do.{}": (set(FindingKind) - {FindingKind.OBSTACLE, FindingKind.CHANNEL_GROWS})
    | {f"obstacle_{remedy}" for remedy in Remedy}
    | {f"channel_{channel}" for channel in Channel},
    "finding_reason.{}": set(Remedy),
    "finding_spots.{}": set(ItemGroup) | {"any"},
    "finding_when.{}": {
        f"{days}_{part}" for days in ("weekend", "weekday", "any") for part in Daypart
    },
    "outbox_status.{}": set(OutboxStatus),
    "outcome.{}": set(Outcome),
    "preferences.{}": set(preferences._SWITCHES),
    "clash.{}": {
        Obstacle.CITY_CLOSED, Obstacle.OFF_HOURS, Obstacle.ON_LEAVE, Obstacle.BUSY,
        Obstacle.TRAVEL, Obstacle.REST, Obstacle.WEEK_FULL,
    },
    "demand.often_{}": set(drafts.OFTEN),
    "cities.{}": {move.name for move in CITY_MOVES},
    "cities.{}_warning": {move.name for move in CITY_MOVES},
    "cities.{}_help": set(cities._WHOLE_NUMBERS) | set(cities._SWITCHES),
    "city_status.{}": set(CityStatus),
    "datum.{}": set(Datum),
    "day_kind.{}": set(DayKind),
    "customers.{}": set(customers._TEXTS),
    "demand_status.{}": set(DemandStatus),
    "draft.lost_{}": set(Lost),
    "desk.alike_{}": set(Alike),
    "notes.{}": set(NoteKind),
    "desk.{}": set(desk.Wish) | set(read_back._DAY_PARTS.values()),
    "distance.{}": set(DistanceBand),
    "empty.{}": {
        "chat", "chat_search", "canned_replies", *(f"chat_{box}" for box in Box),
        "board",
        "fairness",
        "payouts", "policy", "pushes", "automation",
        "complaints",
        "invoices",
        "month_end",
        "breaches", "breaches_decided",
        "applications", "book", "calendars", "caller_orders", "callers", "caregivers", "catalogue",
        "cities", "customers", "find_caregivers", "inbox", "income", "my_calendar", "my_orders",
        "my_bill", "my_visits", "orders", "payers", "places", "receipts", "redeem", "repayments",
        "repeat", "task_hall", "unmet", "verifications",
        "deliveries", "to_call", "figures", "findings", "findings_lacking",
    },
    "empty.{}_next": set(),
    "error.{}_moved_on": set(Noun),
    "urgency.{}": {*URGENCIES, LONGER},
    "price_level.{}": set(PRICES),
    "stage.{}": set(Stage),
    "figures_demand.by_{}": set(Dimension) - {Dimension.HOUR, Dimension.HOME},
    "figures_families.{}": {*families._HEADLINE, *families._COUNTS},
    "figures_families.{}_help": set(families._HEADLINE),
    "figures_families.by_{}": {Trait.HOLDER_AGE, Trait.CHANNEL},
    "figures_families.spend_by_{}": {Trait.HOLDER_AGE, Trait.DISTRICT},
    "figures_caregivers.{}": {"caregivers", "no_shows", "p25", "p50", "p75", *Spread},
    "figures_caregivers.{}_help": {"caregivers", "no_shows", "middle", *Spread},
    "figures_caregivers.spread_{}": set(Spread),
    "income.month_{}": {"pay", "rating", "visits", "hours"},
    "repeat.because_{}": set(repeat_bookings.FOR_GOOD),
    "error.obstacle_{}": set(list(Obstacle)[list(Obstacle).index(Obstacle.TOO_SOON) :]),
    "field.{}": {"conditions", "ward", "emergency_contact", "recipient_language"}
    | set(cities._WHOLE_NUMBERS)
    | set(cities._SWITCHES)
    | set(PARAMETERS)
    | set(DocumentKind)
    | {"legal_name", "id_number", "sex_age"},
    "group.{}": set(ItemGroup),
    "chat_box.{}": set(Box),
    "chat_event.{}": {"take", "hand_over", "put_back", "requeue", "settle", "rate"},
    "chat_side.{}": set(Side) - {Side.PLATFORM},
    "talk_status.{}": set(TalkStatus),
    "hall.closed_{}": NOT_APPROVED,
    "hall.closed_{}_next": NOT_APPROVED,
    "job.{}": set(JOBS),
    "jobs.light_{}": set(Light),
    "leave_reason.{}": set(LeaveReason),
    "mobility.{}": set(Mobility),
    "my_orders.{}": {"coming", "past"},
    "notice_text.{}": set(NoticeKind),
    "orders_page.{}": set(orders.ALERTS)
    | {"item", "time", "amount", "customer", "caregiver", "district"}
    | {"checked_in", "checked_out", "redeemed", "locked_until"},
    "measure.{}": {"choice", *Measure},
    "measure_help.{}": set(Measure),
    "map_kind.{}": {"choice", *Kind},
    "beside.{}": {"choice", *Beside},
    "period.{}": {"choice", *Period},
    "care.{}": {"choice", "all", *ItemGroup},
    "policy.{}": set(Policy),
    "policy_standing.{}": set(Standing),
    "field.policy_words_{}": set(operator_policies._LANGUAGES),
    "field.policy_{}": {
        f"{part}_{language}"
        for part, language in product(("words", "changes"), operator_policies._LANGUAGES)
    },
    "my_data.{}": set(my_data._KEPT),
    "my_data.{}_about": set(my_data._KEPT),
    "opened.{}": set(my_data._ACTIONS),
    "still_open.{}": {field.name for field in fields(Open)},
    "page.{}": {entry.name for entry in PAGES},
    "place_kind.{}": set(PlaceKind),
    "places_page.{}": {"typed", "tapped"},
    "provider.{}": {providers.WECHAT, providers.DEMO},
    "provider_problem.{}": set(providers.Problem),
    "relation.{}": set(Relation),
    "role.{}": set(Role),
    "browser.{}": set(security.NAMED_BROWSERS),
    "system.{}": set(security.NAMED_SYSTEMS),
    "score.{}": set(reviews._SCORES),
    "sex.{}": set(Sex),
    "hall.wished_{}": set(Sex),
    "wished_sex.{}": {*Sex, "either"},
    "sign_in.demo_{}": set(Role),
    "sign_in.{}": {"password", "code", "sign_up"},
    "sign_up.{}": set(accounts.SELF_SERVICE),
    "skill.{}": set(Skill),
    "step.{}": STEPS,
    "step.complaint_{}": set(complaint_cases._STEP_ICONS),
    "task.{}": set(KINDS),
    "task_status.{}": set(TaskStatus),
    "time.{}": {
        f"{unit}_{way}"
        for unit, way in product(("days", "hours", "minutes"), ("ago", "ahead"))
    },
    "to_do.{}": set(ToDoKind),
    "to_do.{}_go": set(ToDoKind),
    "to_do.{}_none": set(ToDoKind),
    "to_do.{}_next": set(today.ADVISED),
    "bill.{}": set(StatementKind),
    "receipt_method.{}": set(ReceiptMethod),
    "receipts.{}": set(receipts._TEXTS),
    "complaint.by_{}": {Party.CUSTOMER, Party.CAREGIVER},
    "complaint.appeal_by_{}": {Party.CUSTOMER, Party.CAREGIVER},
    "complaint.page_by_{}": set(Party),
    "complaint_author.{}": set(Party),
    "complaint_status.{}": set(ComplaintStatus),
    "audience.{}": set(Audience),
    "case_queue.{}": set(Queue),
    "cases.{}": set(complaint_cases._TEXTS),
    "exclusion_scope.{}": set(Scope),
    "exclusions.wish_means_{}": {"customer", "caregiver"},
    "points.{}": {"uphold", "lift"},
    "points.{}_means": {"uphold", "lift"},
    "push_status.{}": set(PushStatus),
    "auto_mode.{}": set(AutoMode),
    "automation.means_{}": set(AutoMode),
    "points_status.{}": set(PointsStatus),
    "ruling.{}": {"uphold", "amend"},
    "ruling.term_{}": set(complaint_rulings._TERMS),
    "complaint_category.{}": set(ComplaintCategory),
    "incident.{}": {"open", "ended"},
    "incident_kind.{}": set(IncidentKind),
    "extra_time.{}_now": set(ExtraTimeStatus) | {"lapsed"},
    "extra_time.{}_yours": set(ExtraTimeStatus) | {"lapsed"},
    "today.{}": {"night", "morning", "noon", "afternoon", "evening"}
    | {"posted", "confirmed", "visits", "redeemed"},
    "today.{}_help": {"posted", "confirmed", "visits", "redeemed"},
    "price_part.{}": set(PARTS),
    "end_reason.{}": set(EndReason),
    "party.{}": set(Party),
    "changes.cancel_{}": {
        f"{party}_{kind}" for party in ("customer", "caregiver") for kind in OrderKind
    },
    "changes.costs_{}": {"customer", "caregiver"},
    "changes.fault_{}": set(Party),
    "changes.no_show_{}": {"customer", "caregiver"},
    "rules.step_{}": STEPWISE,
    "rules.bound_{}": STEPWISE,
    "rules.count_{}": {one.unit for one in PARAMETERS.values() if one.unit},
    "rules.{}": {"lowest", "highest"},
    "rules.{}_help": set(rule_fields.EXPLAINED),
    "rule_section.{}": set(Section),
    "rule_status.{}": set(RuleStatus),
    "finding_kind.{}": set(BreachKind),
    "board.bar_{}": set(board_timetable._LEGEND),
    "board.do_{}": set(OverrideKind),
    "board.says_{}": set(OverrideKind),
    "board.ended_{}": {RunStatus.CANCELLED, RunStatus.FAILED},
    "board.figure_{}": set(board_history._COMPARED),
    "board.view_{}": set(board.View),
    "board.kind_{}": set(board_lines._KINDS),
    "board.none_{}": set(board_lines._KINDS),
    "board.state_{}": set(LineState),
    "board.gini_{}": {"hours", "pay"},
    "board.better_{}": set(Term),
    "board.worse_{}": set(Term),
    "fairness.spread_{}": {"hours", "pay", "faces"},
    "fairness.two_{}": {"hours", "pay", "faces"},
    "fairness.proposed_{}": {"same", "more", "less"},
    "fairness.{}": set(fairness._TILES),
    "fairness.{}_help": set(fairness._TILES),
    "leaving.{}": set(Sign),
    "leaving.rule_{}": set(Sign),
    "presence.{}": set(Presence),
    "dispatch_bar.{}": set(Rule),
    "dispatch_rule.{}": set(Rule),
    "dispatch_term.{}": set(Term),
    "override_reason.{}": set(OverrideReason),
    "run_quality.{}": set(Quality),
    "run_shape.{}": set(RunShape),
    "run_status.{}": set(RunStatus),
    "finding_status.{}": set(FindingStatus),
    "finding_evidence.{}": {
        f"{kind}{place}" for kind in BreachKind for place in EVIDENCE.get(kind, ("",))
    },
    "replays.{}": set(Total) | set(Count),
    "replays.side_{}": set(ReplaySide),
    "replays.{}_moved": set(ReplaySide),
    "replays.{}_alias": set(ReplaySide),
    "amount.{}": set(Unit),
    "unit.{}": set(Unit),
    "units.{}": set(Unit),
    "visit_status.{}": set(VisitStatus),
    "find.by_{}": set(Sort),
    "my_profile.{}": {"edit", "preview"},
    "my_profile.{}from": {"", "second_"},
    "my_profile.{}to": {"", "second_"},
    "order_kind.{}": set(orders.OrderKind),
    "order_status.{}": set(icons.REQUEST),
    "batch_status.{}": set(BatchStatus),
    "refund.by_{}": set(refunds._PAYERS),
    "refund.split_{}": set(refunds._SPLITS),
    "refund.{}": {"family", "ours", "hers"},
    "refund_status.{}": set(RefundStatus),
    "payout_status.{}": set(PayoutStatus),
    "invoice_status.{}": set(InvoiceStatus),
    "invoice_buyer.{}": set(BuyerKind),
    "invoices.{}": {"refuse", "cancel"},
    "invoices.{}_means": {"refuse", "cancel"},
    "invoices.{}_hint": {"refuse", "cancel"},
    "month_end.{}": {"orders", "visits", "earned", "received", "paid_out", "receivable"}
    | {"figure", "account", "tied", "amount", "ledger", "opening", "moved", "closing"}
    | {"figures", "accounts"},
    "month_figure.{}": set(Figure),
    "ledger_account.{}": set(LedgerAccount),
    "ledger_event.{}": set(month_end._STEPS),
    "payouts.take_{}": set(FileKind),
    "payouts.sum_{}": set(PayoutStatus),
    "plan.clash_{}": {"skip", "stand_in"},
    "plan.column_{}": {"day", "start", "price", "caregiver"},
    "income.{}": {"visit", "kind", "item", "pay", "state", "total", "commission"},
    "statement.{}": {"day", "kind", "amount", "balance", "about"}
    | {"name", "earned", "paid", "withheld"},
    "income_line.{}": set(LineKind),
    "income_kind.{}": set(IncomeKind),
    "visits.week_{}": {"before", "after"},
    "today.again_{}": set(today.PAUSES),
    "my_profile.copy_to_{}": {"workdays", "every_day"},
    "case_kind.{}": set(CaseKind),
    "case_status.{}": set(CaseStatus),
    "paper.{}": set(DocumentKind),
    "paper_hint.{}": set(DocumentKind),
    "reject_reason.{}": set(RejectReason),
    "reject_reason.{}_mend": set(RejectReason),
    "verification.means_{}": set(CaseStatus) - {CaseStatus.DRAFT},
    "verification.step_{}": set(verification._STEPS),
    "verification.{}": {"take_photo", "replace", "another_page"},
    "verifications.column_{}": {"number", "kind", "name", "city", "submitted", "age", "state"},
    "verifications.paper_{}": {"before", "after"},
    "my_profile.certificate_{}": set(qualifications._MARKS) | {"ends"},
    "weekday.{}": set(formats.WEEKDAYS),
    "welcome.{}": {step for step, _ in welcome._STEPS} | {"agreement", "privacy"},
    "welcome.{}_about": {step for step, _ in welcome._STEPS},
}  # fmt: skip
FAMILIES["empty.{}_next"] = FAMILIES["empty.{}"]


@cache
def trees() -> dict[str, ast.Module]:
    return {
        path.relative_to(ROOT).as_posix(): ast.parse(path.read_text("utf-8"))
        for part in ("components", "pages", "services")
        for path in sorted((ROOT / part).rglob("*.py"))
        if "demo" not in path.parts
    }


def nodes() -> Iterator[tuple[str, ast.AST]]:
    for file, tree in trees().items():
        for node in ast.walk(tree):
            yield f"{file}:{getattr(node, 'lineno', 0)}", node


def calls(*names: str) -> Iterator[tuple[str, ast.Call]]:
    for place, node in nodes():
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func).rpartition(".")[2]
            if called in names and node.args:
                yield place, node


def constants(node: ast.AST) -> set[str]:
    """The text a plain or conditional expression can be."""
    match node:
        case ast.Constant(str(text)):
            return {text}
        case ast.IfExp(body=one, orelse=other):
            return constants(one) | constants(other)
    return set()


def pattern(text: ast.JoinedStr) -> str:
    """f"step.{noun}_{move}" -> step.{}: blanks that touch are one."""
    parts = (one.value if isinstance(one, ast.Constant) else "{}" for one in text.values)
    return re.sub(r"\{\}(_\{\})+", "{}", "".join(map(str, parts)))


def blanks(text: str) -> set[str]:
    """The names of a message's blanks: {on.month} and {on:%b} are both filled by `on`."""
    names = (field for _, field, _, _ in Formatter().parse(text) if field is not None)
    return {re.split(r"[.\[]", name)[0] for name in names}


def filled(call: ast.Call) -> set[str]:
    return {keyword.arg for keyword in call.keywords if keyword.arg}


def refused_fields() -> set[str]:
    """The fields that services name in their refusals."""
    named = {
        text for _, call in calls("words") if len(call.args) > 1 for text in constants(call.args[1])
    }
    given = {
        text
        for _, call in calls(*REFUSALS)
        for keyword in call.keywords
        if keyword.arg == "field"
        for text in constants(keyword.value)
    }
    return named | given


def members() -> set[str]:
    """Every key that a family of keys can name."""
    return {
        family.replace("{}", value)
        for family, values in FAMILIES.items()
        for value in values | (refused_fields() if family == "field.{}" else set())
    }


def literals() -> set[str]:
    """Every text in the source that looks like a key of a section we have."""
    sections = {key.partition(".")[0] for key in catalogue(DEFAULT)}
    return {
        node.value
        for _, node in nodes()
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and KEY.fullmatch(node.value)
        and node.value.partition(".")[0] in sections
    }


class TestCatalogues:
    def test_they_hold_the_same_messages_in_the_same_order(self):
        first, *others = (list(catalogue(language)) for language in LANGUAGES)

        assert others == [first]

    def test_a_message_has_the_same_blanks_in_both(self):
        first, *others = (
            {key: blanks(text) for key, text in catalogue(language).items()}
            for language in LANGUAGES
        )

        assert others == [first]

    def test_no_message_is_empty(self):
        assert all(text.strip() for one in LANGUAGES for text in catalogue(one).values())

    def test_english_is_english(self):
        assert not [key for key, text in catalogue("en").items() if HAN.search(text)]

    def test_chinese_is_chinese(self):
        assert not [key for key, text in catalogue("zh_CN").items() if not HAN.search(text)]


class TestKeys:
    def test_every_key_written_out_has_its_message(self):
        written = {
            key for _, call in calls("t", "perform", *REFUSALS) for key in constants(call.args[0])
        } | literals()

        assert len(written) > 200
        assert not written - set(catalogue(DEFAULT))

    def test_every_key_put_together_is_of_a_known_family(self):
        found = {
            pattern(text)
            for _, call in calls("t", *REFUSALS)
            for text in ast.walk(call.args[0])
            if isinstance(text, ast.JoinedStr)
        }

        assert found == set(FAMILIES)

    def test_every_member_of_a_family_has_its_word(self):
        assert not members() - set(catalogue(DEFAULT))

    def test_refusals_name_their_fields(self):
        assert {"name", "address", "recipient_name"} <= refused_fields()

    def test_no_message_is_left_over(self):
        assert not set(catalogue(DEFAULT)) - literals() - members()


class TestBlanks:
    def test_each_is_filled_where_the_message_is_said(self):
        wrong = {
            (place, key)
            for place, call in calls("t", *REFUSALS)
            for key in constants(call.args[0])
            if blanks(catalogue(DEFAULT)[key]) - filled(call)
        }

        assert not wrong

    def test_nothing_is_given_that_no_blank_takes(self):
        wrong = {
            (place, key)
            for place, call in calls("t")
            for key in constants(call.args[0])
            if isinstance(call.args[0], ast.Constant)
            and filled(call) - blanks(catalogue(DEFAULT)[key])
        }

        assert not wrong

    def test_what_is_said_after_a_deed_has_none(self):
        done = {key for _, call in calls("perform") for key in constants(call.args[0])}

        assert len(done) > 15
        assert not {key for key in done if blanks(catalogue(DEFAULT)[key])}


def test_words_stand_in_the_catalogues_and_nowhere_else():
    found = set()
    for file, tree in trees().items():
        explained = {
            body[0].value
            for node in ast.walk(tree)
            if (body := getattr(node, "body", None)) and isinstance(body, list)
            and isinstance(body[0], ast.Expr)
        }  # fmt: skip
        found |= {
            (file, node.value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and HAN.search(node.value)
            and node not in explained
        }
    assert found == CHINESE_IN_SOURCE


@pytest.mark.parametrize(
    ("language", "shown"),
    [("zh_CN", "2030年1月7日 周一"), ("en", "Mon 7 Jan 2030")],
)
def test_a_day_is_written_as_its_language_writes_it(clock, language, shown):
    written = say(language, "time.date_and_year", on=clock(), weekday=say(language, "weekday.mon"))

    assert written == shown
