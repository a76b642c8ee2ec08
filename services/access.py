"""Who may do what: the one table that menu, pages and services all read."""

from dataclasses import dataclass
from enum import StrEnum

from data.accounts import Channel, Role
from services.errors import NotAllowed

__all__ = ["GRANTS", "STAFF", "SYSTEM", "Actor", "Channel", "Permission", "Role"]


class Permission(StrEnum):
    KEEP_ACCOUNT = "account:keep"
    READ_NOTICES = "notices:read"
    ORDER_CARE = "care:order"
    KEEP_RECIPIENTS = "recipients:keep"
    POST_DEMAND = "demand:post"
    WITHDRAW_DEMAND = "demand:withdraw"
    INVITE_CAREGIVER = "demand:invite"
    ACT_FOR_CUSTOMER = "customer:act_for"
    MERGE_CALLERS = "customer:merge_callers"
    BROWSE_HALL = "hall:browse"
    APPLY = "application:make"
    DECIDE_APPLICATION = "application:decide"
    SEE_CAREGIVERS = "caregiver:see"
    FIND_CAREGIVERS = "caregiver:find"
    KEEP_CAREGIVER_PROFILE = "caregiver:keep"
    DECIDE_CAREGIVER = "caregiver:decide"
    REQUEST_ORDER = "order:request"
    ANSWER_REQUEST = "order:answer"
    DECIDE_REQUEST = "order:decide"
    FOLLOW_ORDERS = "order:follow"
    FOLLOW_CITY_ORDERS = "order:follow_city"
    CANCEL_ORDER = "order:cancel"
    COMPLETE_ORDER = "order:complete"
    CHANGE_ORDER = "order:change"
    WORK_VISIT = "visit:work"
    SEE_ADDRESS = "visit:see_address"
    REDEEM = "visit:redeem"
    REISSUE_CODE = "visit:reissue_code"
    REVIEW = "visit:review"
    ANSWER_REVIEW = "review:answer"
    REPORT_REVIEW = "review:report"
    HIDE_REVIEW = "review:hide"
    KEEP_CALENDAR = "calendar:keep"
    KEEP_RULES = "operator:rules"
    READ_UNMET_NEEDS = "operator:unmet_needs"
    DISPATCH = "operator:dispatch"
    COMPLAIN = "complaint:open"
    DECIDE_COMPLAINT = "complaint:decide"
    CONTEST_POINTS = "points:contest"
    KEEP_APART = "exclusion:wish"
    ANSWER_EXTRA_TIME = "extra_time:answer"
    SEE_TO_DO = "operator:to_do"
    KEEP_CUSTOMERS = "operator:customers"
    KEEP_CITIES = "operator:cities"
    KEEP_CATALOGUE = "operator:catalogue"
    KEEP_PLACES = "operator:places"
    KEEP_STAFF = "operator:staff"
    HAND_IN_CASE = "case:hand_in"
    DECIDE_CASE = "case:decide"
    SEE_DOCUMENT = "document:see"
    SEE_JOBS = "operator:jobs"
    CHAT = "chat:ask"
    READ_CHAT = "chat:read"
    ANSWER_CHAT = "chat:answer"
    KEEP_CANNED_REPLIES = "operator:canned_replies"
    SEE_DELIVERIES = "operator:deliveries"
    READ_INCOME = "income:read"
    READ_BILL = "bill:read"
    RECORD_RECEIPT = "receipt:record"
    REVERSE_RECEIPT = "receipt:reverse"
    SEE_PROOF = "receipt:see_proof"
    ASK_INVOICE = "invoice:ask"
    ISSUE_INVOICE = "invoice:issue"
    TAKE_PAPERS = "papers:take"
    KEEP_PAYOUT_ACCOUNT = "income:keep_account"
    CLOSE_MONTH = "operator:close_month"
    SETTLE_PAY = "operator:settle_pay"
    REFUND = "operator:refund"
    KEEP_POLICIES = "operator:policies"
    READ_FIGURES = "figures:read"
    RUN_JOBS = "jobs:run"


_EVERYONE = {Permission.KEEP_ACCOUNT, Permission.READ_NOTICES}

GRANTS: dict[Role, set[Permission]] = {
    Role.CUSTOMER: _EVERYONE
    | {
        Permission.ORDER_CARE,
        Permission.KEEP_RECIPIENTS,
        Permission.POST_DEMAND,
        Permission.WITHDRAW_DEMAND,
        Permission.INVITE_CAREGIVER,
        Permission.SEE_CAREGIVERS,
        Permission.FIND_CAREGIVERS,
        Permission.REQUEST_ORDER,
        Permission.FOLLOW_ORDERS,
        Permission.CANCEL_ORDER,
        Permission.CHANGE_ORDER,
        Permission.COMPLAIN,
        Permission.KEEP_APART,
        Permission.ANSWER_EXTRA_TIME,
        Permission.REDEEM,
        Permission.READ_BILL,
        Permission.SEE_PROOF,
        Permission.TAKE_PAPERS,
        Permission.ASK_INVOICE,
        Permission.REVIEW,
        Permission.HAND_IN_CASE,
        Permission.SEE_DOCUMENT,
        Permission.CHAT,
        Permission.READ_CHAT,
    },
    Role.CAREGIVER: _EVERYONE
    | {
        Permission.BROWSE_HALL,
        Permission.APPLY,
        Permission.KEEP_CAREGIVER_PROFILE,
        Permission.SEE_CAREGIVERS,
        Permission.ANSWER_REQUEST,
        Permission.READ_INCOME,
        Permission.TAKE_PAPERS,
        Permission.KEEP_PAYOUT_ACCOUNT,
        Permission.FOLLOW_ORDERS,
        Permission.WORK_VISIT,
        Permission.ANSWER_REVIEW,
        Permission.REPORT_REVIEW,
        Permission.KEEP_CALENDAR,
        Permission.COMPLAIN,
        Permission.CONTEST_POINTS,
        Permission.KEEP_APART,
        Permission.SEE_ADDRESS,
        Permission.HAND_IN_CASE,
        Permission.SEE_DOCUMENT,
        Permission.CHAT,
        Permission.READ_CHAT,
    },
    Role.DESK: _EVERYONE
    | {
        Permission.FOLLOW_CITY_ORDERS,
        Permission.FOLLOW_ORDERS,
        Permission.SEE_CAREGIVERS,
        Permission.CANCEL_ORDER,
        Permission.CHANGE_ORDER,
        Permission.COMPLAIN,
        Permission.KEEP_APART,
        Permission.ANSWER_EXTRA_TIME,
        Permission.ACT_FOR_CUSTOMER,
        Permission.MERGE_CALLERS,
        Permission.KEEP_RECIPIENTS,
        Permission.POST_DEMAND,
        Permission.WITHDRAW_DEMAND,
        Permission.INVITE_CAREGIVER,
        Permission.FIND_CAREGIVERS,
        Permission.REQUEST_ORDER,
        Permission.REDEEM,
        Permission.RECORD_RECEIPT,
        Permission.SEE_PROOF,
        Permission.TAKE_PAPERS,
        Permission.ASK_INVOICE,
        Permission.SEE_DOCUMENT,
        Permission.READ_CHAT,
        Permission.ANSWER_CHAT,
    },
    Role.OPERATOR: _EVERYONE
    | {
        Permission.SEE_TO_DO,
        Permission.FOLLOW_CITY_ORDERS,
        Permission.DECIDE_APPLICATION,
        Permission.INVITE_CAREGIVER,
        Permission.DECIDE_CAREGIVER,
        Permission.DECIDE_REQUEST,
        Permission.SEE_CAREGIVERS,
        Permission.FOLLOW_ORDERS,
        Permission.CANCEL_ORDER,
        Permission.CHANGE_ORDER,
        Permission.KEEP_CALENDAR,
        Permission.KEEP_RULES,
        Permission.READ_UNMET_NEEDS,
        Permission.DISPATCH,
        Permission.ANSWER_REVIEW,
        Permission.HIDE_REVIEW,
        Permission.DECIDE_COMPLAINT,
        Permission.RECORD_RECEIPT,
        Permission.SEE_PROOF,
        Permission.TAKE_PAPERS,
        Permission.ASK_INVOICE,
        Permission.REVERSE_RECEIPT,
        Permission.ISSUE_INVOICE,
        Permission.REISSUE_CODE,
        Permission.SEE_ADDRESS,
        Permission.KEEP_CUSTOMERS,
        Permission.KEEP_CITIES,
        Permission.KEEP_CATALOGUE,
        Permission.KEEP_PLACES,
        Permission.KEEP_STAFF,
        Permission.DECIDE_CASE,
        Permission.SEE_DOCUMENT,
        Permission.SEE_JOBS,
        Permission.READ_CHAT,
        Permission.ANSWER_CHAT,
        Permission.KEEP_CANNED_REPLIES,
        Permission.SEE_DELIVERIES,
        Permission.READ_FIGURES,
        Permission.SETTLE_PAY,
        Permission.CLOSE_MONTH,
        Permission.REFUND,
        Permission.KEEP_POLICIES,
    },
    Role.ANALYST: _EVERYONE | {Permission.READ_FIGURES},
}

# Who works for the platform, each for their cities.
STAFF = (Role.DESK, Role.OPERATOR, Role.ANALYST)

# What the worker does by itself, under the same guard as people.
_SYSTEM_GRANTS = {Permission.RUN_JOBS, Permission.WITHDRAW_DEMAND, Permission.COMPLETE_ORDER}


@dataclass(frozen=True, slots=True)
class Actor:
    """The signed-in person in their active role, as every service sees them.

    A person without a role is known but may do nothing; neither person nor role is the worker.
    """

    id: int | None
    role: Role | None
    cities: frozenset[str] = frozenset()
    channel: Channel = Channel.APP

    def may(self, permission: Permission) -> bool:
        if self.role is not None:
            return permission in GRANTS[self.role]
        return self.id is None and permission in _SYSTEM_GRANTS

    def require(self, permission: Permission) -> None:
        if not self.may(permission):
            raise NotAllowed("error.not_allowed")


SYSTEM = Actor(id=None, role=None)
