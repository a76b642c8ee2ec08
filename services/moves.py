"""Every status machine as a table: one row per permitted step."""

from dataclasses import dataclass
from enum import StrEnum

from data.accounts import AccountStatus
from data.caregivers import CaregiverStatus
from data.chat import TalkStatus
from data.cities import CityStatus
from data.complaints import (
    UNDECIDED,
    ComplaintStatus,
    ExtraTimeStatus,
    IncidentStatus,
)
from data.compliance import FindingStatus
from data.demands import ApplicationStatus, DemandStatus
from data.dispatch import RunStatus
from data.history import Noun
from data.invoices import InvoiceStatus
from data.orders import OrderStatus, VisitStatus
from data.payouts import BatchStatus, PayoutStatus
from data.points import PointsStatus
from data.policies import PolicyStatus
from data.pushes import PushStatus
from data.refunds import RefundStatus
from data.repayments import RepaymentStatus
from data.rules import RuleStatus
from data.verifications import CaseStatus
from services.access import Permission


@dataclass(frozen=True, slots=True)
class Move:
    name: str
    source: StrEnum
    target: StrEnum
    permission: Permission


DEMAND_MOVES = (
    Move("match", DemandStatus.OPEN, DemandStatus.MATCHED, Permission.DECIDE_APPLICATION),
    Move("withdraw", DemandStatus.OPEN, DemandStatus.WITHDRAWN, Permission.WITHDRAW_DEMAND),
    Move("expire", DemandStatus.OPEN, DemandStatus.EXPIRED, Permission.RUN_JOBS),
    Move("reopen", DemandStatus.MATCHED, DemandStatus.OPEN, Permission.CANCEL_ORDER),
    # One that nobody takes: offered again by the worker, or made better by the family.
    Move("reoffer", DemandStatus.OPEN, DemandStatus.OPEN, Permission.RUN_JOBS),
    Move("improve", DemandStatus.OPEN, DemandStatus.OPEN, Permission.POST_DEMAND),
    # The caregiver who was chosen cannot come after all.
    Move("reopen", DemandStatus.MATCHED, DemandStatus.OPEN, Permission.WORK_VISIT),
    # Nobody who applied is chosen, but somebody is asked.
    Move("ask", DemandStatus.OPEN, DemandStatus.DIRECTED, Permission.DISPATCH),
    # A caregiver who was told of it is the first to take it.
    Move("take", DemandStatus.OPEN, DemandStatus.DIRECTED, Permission.ANSWER_REQUEST),
    # A directed demand follows the request that came with it.
    Move("match", DemandStatus.DIRECTED, DemandStatus.MATCHED, Permission.ANSWER_REQUEST),
    Move("match", DemandStatus.DIRECTED, DemandStatus.MATCHED, Permission.DECIDE_REQUEST),
    Move("offer", DemandStatus.DIRECTED, DemandStatus.OPEN, Permission.ANSWER_REQUEST),
    Move("offer", DemandStatus.DIRECTED, DemandStatus.OPEN, Permission.RUN_JOBS),
    Move("offer", DemandStatus.DIRECTED, DemandStatus.OPEN, Permission.DECIDE_REQUEST),
    Move("call_off", DemandStatus.DIRECTED, DemandStatus.WITHDRAWN, Permission.CANCEL_ORDER),
    Move("expire", DemandStatus.DIRECTED, DemandStatus.EXPIRED, Permission.RUN_JOBS),
    Move("expire", DemandStatus.DIRECTED, DemandStatus.EXPIRED, Permission.ANSWER_REQUEST),
)
APPLICATION_MOVES = (
    Move(
        "approve",
        ApplicationStatus.SUBMITTED,
        ApplicationStatus.APPROVED,
        Permission.DECIDE_APPLICATION,
    ),
    Move(
        "decline",
        ApplicationStatus.SUBMITTED,
        ApplicationStatus.DECLINED,
        Permission.DECIDE_APPLICATION,
    ),
    # Rivals wait after an approval, or when one who was asked says yes.
    *(
        Move("wait", ApplicationStatus.SUBMITTED, ApplicationStatus.WAITLISTED, permission)
        for permission in (
            Permission.DECIDE_APPLICATION,
            Permission.ANSWER_REQUEST,
            Permission.DECIDE_REQUEST,
        )
    ),
    *(
        Move("move_up", ApplicationStatus.WAITLISTED, ApplicationStatus.SUBMITTED, permission)
        for permission in (Permission.CANCEL_ORDER, Permission.WORK_VISIT)
    ),
    *(
        Move("close", ApplicationStatus.WAITLISTED, ApplicationStatus.CLOSED, permission)
        for permission in (Permission.CANCEL_ORDER, Permission.WORK_VISIT, Permission.RUN_JOBS)
    ),
    Move("withdraw", ApplicationStatus.WAITLISTED, ApplicationStatus.WITHDRAWN, Permission.APPLY),
    # A suspended caregiver's end, and everybody's with a demand that ends.
    Move(
        "close",
        ApplicationStatus.SUBMITTED,
        ApplicationStatus.CLOSED,
        Permission.DECIDE_APPLICATION,
    ),
    *(
        Move("close", ApplicationStatus.SUBMITTED, ApplicationStatus.CLOSED, permission)
        for permission in (
            Permission.WITHDRAW_DEMAND,
            Permission.CANCEL_ORDER,
            Permission.ANSWER_REQUEST,
            Permission.RUN_JOBS,
        )
    ),
    Move("withdraw", ApplicationStatus.SUBMITTED, ApplicationStatus.WITHDRAWN, Permission.APPLY),
    # The customer wants somebody else: the demand reopens without this caregiver.
    Move(
        "turn_down",
        ApplicationStatus.APPROVED,
        ApplicationStatus.DECLINED,
        Permission.CANCEL_ORDER,
    ),
    # She cannot come after all; should she be able to again, she may apply again.
    *(
        Move("step_back", ApplicationStatus.APPROVED, ApplicationStatus.WITHDRAWN, permission)
        for permission in (Permission.CANCEL_ORDER, Permission.WORK_VISIT)
    ),
    Move("apply_again", ApplicationStatus.WITHDRAWN, ApplicationStatus.SUBMITTED, Permission.APPLY),
    Move("apply_again", ApplicationStatus.CLOSED, ApplicationStatus.SUBMITTED, Permission.APPLY),
)
ORDER_MOVES = (
    Move("accept", OrderStatus.REQUESTED, OrderStatus.CONFIRMED, Permission.ANSWER_REQUEST),
    # Where the city has the last word, the caregiver's yes is not yet the end of it.
    Move("agree", OrderStatus.REQUESTED, OrderStatus.ACCEPTED, Permission.ANSWER_REQUEST),
    Move("confirm", OrderStatus.ACCEPTED, OrderStatus.CONFIRMED, Permission.DECIDE_REQUEST),
    Move("refuse", OrderStatus.REQUESTED, OrderStatus.REFUSED, Permission.ANSWER_REQUEST),
    Move("block", OrderStatus.REQUESTED, OrderStatus.BLOCKED, Permission.DECIDE_REQUEST),
    Move("block", OrderStatus.ACCEPTED, OrderStatus.BLOCKED, Permission.DECIDE_REQUEST),
    Move("call_off", OrderStatus.REQUESTED, OrderStatus.CANCELLED, Permission.CANCEL_ORDER),
    Move("call_off", OrderStatus.ACCEPTED, OrderStatus.CANCELLED, Permission.CANCEL_ORDER),
    Move("expire", OrderStatus.REQUESTED, OrderStatus.EXPIRED, Permission.RUN_JOBS),
    Move("lapse", OrderStatus.ACCEPTED, OrderStatus.LAPSED, Permission.RUN_JOBS),
    Move("cancel", OrderStatus.CONFIRMED, OrderStatus.CANCELLED, Permission.CANCEL_ORDER),
    # A single order ends with its visit, whoever calls that off.
    Move("cancel", OrderStatus.CONFIRMED, OrderStatus.CANCELLED, Permission.WORK_VISIT),
    Move("decline", OrderStatus.CONFIRMED, OrderStatus.CANCELLED, Permission.CANCEL_ORDER),
    Move("miss", OrderStatus.CONFIRMED, OrderStatus.MISSED, Permission.DECIDE_REQUEST),
    Move("pause", OrderStatus.CONFIRMED, OrderStatus.PAUSED, Permission.CHANGE_ORDER),
    Move("resume", OrderStatus.PAUSED, OrderStatus.CONFIRMED, Permission.CHANGE_ORDER),
    # A plan is over with its last visit, whatever became of that.
    *(
        Move("complete", OrderStatus.CONFIRMED, OrderStatus.COMPLETED, permission)
        for permission in (Permission.REDEEM, Permission.RUN_JOBS, Permission.CHANGE_ORDER)
    ),
    Move("complete", OrderStatus.PAUSED, OrderStatus.COMPLETED, Permission.CHANGE_ORDER),
)
VISIT_MOVES = (
    Move("confirm", VisitStatus.HELD, VisitStatus.PLANNED, Permission.ANSWER_REQUEST),
    Move("confirm", VisitStatus.HELD, VisitStatus.PLANNED, Permission.DECIDE_REQUEST),
    Move("let_go", VisitStatus.HELD, VisitStatus.CANCELLED, Permission.ANSWER_REQUEST),
    Move("let_go", VisitStatus.HELD, VisitStatus.CANCELLED, Permission.CANCEL_ORDER),
    Move("let_go", VisitStatus.HELD, VisitStatus.CANCELLED, Permission.RUN_JOBS),
    Move("check_in", VisitStatus.PLANNED, VisitStatus.IN_PROGRESS, Permission.WORK_VISIT),
    Move("check_out", VisitStatus.IN_PROGRESS, VisitStatus.FINISHED, Permission.WORK_VISIT),
    Move("redeem", VisitStatus.FINISHED, VisitStatus.REDEEMED, Permission.REDEEM),
    Move("auto_confirm", VisitStatus.FINISHED, VisitStatus.REDEEMED, Permission.RUN_JOBS),
    Move("cancel", VisitStatus.PLANNED, VisitStatus.CANCELLED, Permission.CANCEL_ORDER),
    Move("cancel", VisitStatus.PLANNED, VisitStatus.CANCELLED, Permission.WORK_VISIT),
    Move("miss", VisitStatus.PLANNED, VisitStatus.MISSED, Permission.DECIDE_REQUEST),
    # Another visit takes its place: at another time, or with somebody else.
    Move("give_way", VisitStatus.PLANNED, VisitStatus.DROPPED, Permission.CHANGE_ORDER),
    Move("give_way", VisitStatus.PLANNED, VisitStatus.DROPPED, Permission.ANSWER_REQUEST),
    # Nobody was found for it, or it is not wanted any more.
    *(
        Move("forgo", VisitStatus.UNFILLED, VisitStatus.DROPPED, permission)
        for permission in (
            Permission.ANSWER_REQUEST,
            Permission.CHANGE_ORDER,
            Permission.CANCEL_ORDER,
            Permission.RUN_JOBS,
        )
    ),
    Move("give_way", VisitStatus.UNFILLED, VisitStatus.DROPPED, Permission.ANSWER_REQUEST),
    Move("take_over", VisitStatus.OFFERED, VisitStatus.PLANNED, Permission.ANSWER_REQUEST),
    Move("take_over", VisitStatus.OFFERED, VisitStatus.PLANNED, Permission.DECIDE_REQUEST),
    *(
        Move("turn_down", VisitStatus.OFFERED, VisitStatus.DROPPED, permission)
        for permission in (
            Permission.ANSWER_REQUEST,
            Permission.CHANGE_ORDER,
            Permission.CANCEL_ORDER,
            Permission.RUN_JOBS,
        )
    ),
)
CAREGIVER_MOVES = (
    Move(
        "submit",
        CaregiverStatus.DRAFT,
        CaregiverStatus.SUBMITTED,
        Permission.KEEP_CAREGIVER_PROFILE,
    ),
    Move(
        "submit",
        CaregiverStatus.REJECTED,
        CaregiverStatus.SUBMITTED,
        Permission.KEEP_CAREGIVER_PROFILE,
    ),
    Move(
        "approve", CaregiverStatus.SUBMITTED, CaregiverStatus.APPROVED, Permission.DECIDE_CAREGIVER
    ),
    Move(
        "reject", CaregiverStatus.SUBMITTED, CaregiverStatus.REJECTED, Permission.DECIDE_CAREGIVER
    ),
    Move(
        "suspend", CaregiverStatus.APPROVED, CaregiverStatus.SUSPENDED, Permission.DECIDE_CAREGIVER
    ),
    Move(
        "restore", CaregiverStatus.SUSPENDED, CaregiverStatus.APPROVED, Permission.DECIDE_CAREGIVER
    ),
    # Who is erased works here no more.
    *(
        Move("leave", status, CaregiverStatus.SUSPENDED, Permission.RUN_JOBS)
        for status in CaregiverStatus
        if status is not CaregiverStatus.SUSPENDED
    ),
)
ACCOUNT_MOVES = (
    Move("suspend", AccountStatus.ACTIVE, AccountStatus.SUSPENDED, Permission.KEEP_CUSTOMERS),
    Move("restore", AccountStatus.SUSPENDED, AccountStatus.ACTIVE, Permission.KEEP_CUSTOMERS),
    Move("merge", AccountStatus.ACTIVE, AccountStatus.MERGED, Permission.KEEP_CUSTOMERS),
    Move("merge", AccountStatus.SUSPENDED, AccountStatus.MERGED, Permission.KEEP_CUSTOMERS),
    Move("erase", AccountStatus.ACTIVE, AccountStatus.ERASED, Permission.RUN_JOBS),
    Move("erase", AccountStatus.SUSPENDED, AccountStatus.ERASED, Permission.RUN_JOBS),
    # Two of the desk's callers who turn out to be one person.
    Move("merge", AccountStatus.ACTIVE, AccountStatus.MERGED, Permission.MERGE_CALLERS),
    # Whoever proves to own two accounts may join them.
    Move("merge", AccountStatus.ACTIVE, AccountStatus.MERGED, Permission.KEEP_ACCOUNT),
)
CITY_MOVES = (
    Move("pause", CityStatus.OPEN, CityStatus.PAUSED, Permission.KEEP_CITIES),
    Move("resume", CityStatus.PAUSED, CityStatus.OPEN, Permission.KEEP_CITIES),
    Move("close", CityStatus.OPEN, CityStatus.CLOSED, Permission.KEEP_CITIES),
    Move("close", CityStatus.PAUSED, CityStatus.CLOSED, Permission.KEEP_CITIES),
    Move("reopen", CityStatus.CLOSED, CityStatus.OPEN, Permission.KEEP_CITIES),
)
VERIFICATION_MOVES = (
    Move("submit", CaseStatus.DRAFT, CaseStatus.SUBMITTED, Permission.HAND_IN_CASE),
    Move("approve", CaseStatus.SUBMITTED, CaseStatus.APPROVED, Permission.DECIDE_CASE),
    # Handing in again is a new case: what was rejected stays as it was.
    Move("reject", CaseStatus.SUBMITTED, CaseStatus.REJECTED, Permission.DECIDE_CASE),
    Move("expire", CaseStatus.APPROVED, CaseStatus.EXPIRED, Permission.DECIDE_CASE),
    # Who takes the consent back, or leaves, is verified no more.
    Move("expire", CaseStatus.APPROVED, CaseStatus.EXPIRED, Permission.RUN_JOBS),
)
COMPLAINT_MOVES = (
    Move("close", ComplaintStatus.OPEN, ComplaintStatus.CLOSED, Permission.DECIDE_COMPLAINT),
    Move("take_back", ComplaintStatus.OPEN, ComplaintStatus.CLOSED, Permission.COMPLAIN),
    Move("appeal", ComplaintStatus.CLOSED, ComplaintStatus.APPEALED, Permission.COMPLAIN),
    Move("uphold", ComplaintStatus.APPEALED, ComplaintStatus.CLOSED, Permission.DECIDE_COMPLAINT),
    Move("amend", ComplaintStatus.APPEALED, ComplaintStatus.CLOSED, Permission.DECIDE_COMPLAINT),
    *(Move("take", one, one, Permission.DECIDE_COMPLAINT) for one in UNDECIDED),
    *(Move("hand_over", one, one, Permission.DECIDE_COMPLAINT) for one in UNDECIDED),
    *(Move("escalate", one, one, Permission.RUN_JOBS) for one in UNDECIDED),
)
POINTS_MOVES = (
    Move("contest", PointsStatus.STANDING, PointsStatus.CONTESTED, Permission.CONTEST_POINTS),
    Move("uphold", PointsStatus.CONTESTED, PointsStatus.UPHELD, Permission.DECIDE_COMPLAINT),
    # Contested, or given with a decision that an appeal changed.
    *(
        Move("lift", one, PointsStatus.LIFTED, Permission.DECIDE_COMPLAINT)
        for one in (PointsStatus.STANDING, PointsStatus.CONTESTED, PointsStatus.UPHELD)
    ),
)
INCIDENT_MOVES = (
    Move("close", IncidentStatus.REPORTED, IncidentStatus.CLOSED, Permission.DECIDE_COMPLAINT),
)
EXTRA_TIME_MOVES = (
    Move("agree", ExtraTimeStatus.ASKED, ExtraTimeStatus.AGREED, Permission.ANSWER_EXTRA_TIME),
    Move("refuse", ExtraTimeStatus.ASKED, ExtraTimeStatus.REFUSED, Permission.ANSWER_EXTRA_TIME),
)
TALK_MOVES = (
    Move("take", TalkStatus.WAITING, TalkStatus.ASSIGNED, Permission.ANSWER_CHAT),
    Move("hand_over", TalkStatus.WAITING, TalkStatus.ASSIGNED, Permission.ANSWER_CHAT),
    Move("hand_over", TalkStatus.ASSIGNED, TalkStatus.ASSIGNED, Permission.ANSWER_CHAT),
    Move("put_back", TalkStatus.ASSIGNED, TalkStatus.WAITING, Permission.ANSWER_CHAT),
    # Who took it did not answer.
    Move("requeue", TalkStatus.ASSIGNED, TalkStatus.WAITING, Permission.RUN_JOBS),
    Move("settle", TalkStatus.WAITING, TalkStatus.SETTLED, Permission.ANSWER_CHAT),
    Move("settle", TalkStatus.ASSIGNED, TalkStatus.SETTLED, Permission.ANSWER_CHAT),
    Move("reopen", TalkStatus.SETTLED, TalkStatus.WAITING, Permission.CHAT),
    # A guest is nobody: what he says moves the talk by itself.
    Move("reopen", TalkStatus.SETTLED, TalkStatus.WAITING, Permission.RUN_JOBS),
    # Two open talks of one person become one.
    Move("merge", TalkStatus.WAITING, TalkStatus.SETTLED, Permission.RUN_JOBS),
    Move("merge", TalkStatus.ASSIGNED, TalkStatus.SETTLED, Permission.RUN_JOBS),
    Move("close", TalkStatus.OPEN, TalkStatus.CLOSED, Permission.RUN_JOBS),
)
PAYOUT_BATCH_MOVES = (
    Move("send", BatchStatus.LOCKED, BatchStatus.SENT, Permission.SETTLE_PAY),
    Move("withdraw", BatchStatus.LOCKED, BatchStatus.WITHDRAWN, Permission.SETTLE_PAY),
    Move("close", BatchStatus.SENT, BatchStatus.CLOSED, Permission.SETTLE_PAY),
)
PAYOUT_MOVES = (
    Move("arrive", PayoutStatus.WAITING, PayoutStatus.PAID, Permission.SETTLE_PAY),
    Move("come_back", PayoutStatus.WAITING, PayoutStatus.FAILED, Permission.SETTLE_PAY),
    Move("withdraw", PayoutStatus.WAITING, PayoutStatus.WITHDRAWN, Permission.SETTLE_PAY),
)
REFUND_MOVES = (
    Move("take_back", RefundStatus.GRANTED, RefundStatus.TAKEN_BACK, Permission.REFUND),
)
RULE_VERSION_MOVES = (
    Move("propose", RuleStatus.DRAFT, RuleStatus.PROPOSED, Permission.KEEP_RULES),
    Move("approve", RuleStatus.PROPOSED, RuleStatus.PUBLISHED, Permission.KEEP_RULES),
    Move("turn_down", RuleStatus.PROPOSED, RuleStatus.DRAFT, Permission.KEEP_RULES),
    # Where there is nobody to decide but who wrote it.
    Move("announce", RuleStatus.DRAFT, RuleStatus.WAITING, Permission.KEEP_RULES),
    Move("publish", RuleStatus.WAITING, RuleStatus.PUBLISHED, Permission.RUN_JOBS),
    *(
        Move("withdraw", status, RuleStatus.WITHDRAWN, Permission.KEEP_RULES)
        for status in RuleStatus
        if status is not RuleStatus.WITHDRAWN
    ),
    # Another version was published meanwhile.
    Move("withdraw", RuleStatus.WAITING, RuleStatus.WITHDRAWN, Permission.RUN_JOBS),
)
REPAYMENT_MOVES = (
    Move(
        "take_back",
        RepaymentStatus.RECORDED,
        RepaymentStatus.TAKEN_BACK,
        Permission.REVERSE_RECEIPT,
    ),
)
POLICY_MOVES = (
    Move("publish", PolicyStatus.DRAFT, PolicyStatus.PUBLISHED, Permission.KEEP_POLICIES),
    Move("discard", PolicyStatus.DRAFT, PolicyStatus.WITHDRAWN, Permission.KEEP_POLICIES),
    Move("withdraw", PolicyStatus.PUBLISHED, PolicyStatus.WITHDRAWN, Permission.KEEP_POLICIES),
)
INVOICE_MOVES = (
    Move("issue", InvoiceStatus.ASKED, InvoiceStatus.ISSUED, Permission.ISSUE_INVOICE),
    Move("refuse", InvoiceStatus.ASKED, InvoiceStatus.REFUSED, Permission.ISSUE_INVOICE),
    Move("withdraw", InvoiceStatus.ASKED, InvoiceStatus.WITHDRAWN, Permission.ASK_INVOICE),
    Move("cancel", InvoiceStatus.ISSUED, InvoiceStatus.CANCELLED, Permission.ISSUE_INVOICE),
)
FINDING_MOVES = (
    Move("take", FindingStatus.OPEN, FindingStatus.TAKEN, Permission.DECIDE_COMPLAINT),
    *(
        Move(name, status, target, Permission.DECIDE_COMPLAINT)
        for status in (FindingStatus.OPEN, FindingStatus.TAKEN)
        for name, target in (
            ("uphold", FindingStatus.UPHELD),
            ("dismiss", FindingStatus.DISMISSED),
        )
    ),
)
DISPATCH_RUN_MOVES = (
    Move("propose", RunStatus.ASKED, RunStatus.PROPOSED, Permission.RUN_JOBS),
    Move("fail", RunStatus.ASKED, RunStatus.FAILED, Permission.RUN_JOBS),
    Move("cancel", RunStatus.ASKED, RunStatus.CANCELLED, Permission.DISPATCH),
)
PUSH_MOVES = (
    Move("accept", PushStatus.UNDER_WAY, PushStatus.ACCEPTED, Permission.ANSWER_REQUEST),
    Move("exhaust", PushStatus.UNDER_WAY, PushStatus.EXHAUSTED, Permission.RUN_JOBS),
    Move("stop", PushStatus.UNDER_WAY, PushStatus.STOPPED, Permission.DISPATCH),
    # Its demand is open no more.
    Move("stop", PushStatus.UNDER_WAY, PushStatus.STOPPED, Permission.RUN_JOBS),
    # Nothing came of the order, and its demand is open again.
    Move("go_on", PushStatus.ACCEPTED, PushStatus.UNDER_WAY, Permission.RUN_JOBS),
)
MOVES: dict[Noun, tuple[Move, ...]] = {
    Noun.ACCOUNT: ACCOUNT_MOVES,
    Noun.CITY: CITY_MOVES,
    Noun.DEMAND: DEMAND_MOVES,
    Noun.APPLICATION: APPLICATION_MOVES,
    Noun.ORDER: ORDER_MOVES,
    Noun.VISIT: VISIT_MOVES,
    Noun.CAREGIVER: CAREGIVER_MOVES,
    Noun.VERIFICATION: VERIFICATION_MOVES,
    Noun.COMPLAINT: COMPLAINT_MOVES,
    Noun.INCIDENT: INCIDENT_MOVES,
    Noun.EXTRA_TIME: EXTRA_TIME_MOVES,
    Noun.TALK: TALK_MOVES,
    Noun.PAYOUT_BATCH: PAYOUT_BATCH_MOVES,
    Noun.PAYOUT: PAYOUT_MOVES,
    Noun.REFUND: REFUND_MOVES,
    Noun.RULE_VERSION: RULE_VERSION_MOVES,
    Noun.FINDING: FINDING_MOVES,
    Noun.REPAYMENT: REPAYMENT_MOVES,
    Noun.POINTS: POINTS_MOVES,
    Noun.POLICY_VERSION: POLICY_MOVES,
    Noun.INVOICE: INVOICE_MOVES,
    Noun.DISPATCH_RUN: DISPATCH_RUN_MOVES,
    Noun.PUSH: PUSH_MOVES,
}
