"""One icon and one colour for each thing that has a status or a kind."""

from services.access import Role
from services.availability import Obstacle
from services.board.automation import AutoMode
from services.board.leaving import Sign
from services.board.overrides import OverrideKind
from services.call_list import Outcome
from services.caregivers import CaregiverLevel, CaregiverStatus
from services.catalogue import ItemGroup
from services.cities import CityStatus
from services.complaint_views import ComplaintStatus, Party
from services.compliance.findings import FindingKind, FindingStatus
from services.customers import AccountStatus
from services.delivery_reports import OutboxChannel
from services.demands import ApplicationStatus, DemandStatus
from services.invoices import InvoiceStatus
from services.jobs import Light
from services.orders import OrderStatus, VisitStatus
from services.payouts import BatchStatus, PayoutStatus
from services.points import PointsStatus
from services.policies import Standing
from services.pushes import PushStatus
from services.receipts import ReceiptMethod
from services.refunds import RefundStatus
from services.repayments import RepaymentStatus
from services.rules import RuleStatus
from services.statements import StatementKind
from services.talks import TalkStatus
from services.tasks import TaskStatus
from services.to_do import ToDoKind
from services.verifications import CaseKind, CaseStatus

COMPLAINT = {
    ComplaintStatus.OPEN: (":material/feedback:", "orange"),
    ComplaintStatus.APPEALED: (":material/balance:", "violet"),
    ComplaintStatus.CLOSED: (":material/task_alt:", "gray"),
}
OVERRIDE = {
    OverrideKind.PIN: (":material/push_pin:", "blue"),
    OverrideKind.FORBID: (":material/person_cancel:", "red"),
}
LEAVING = {
    Sign.HOURS_FALLEN: ":material/trending_down:",
    Sign.PAY_LOW: ":material/payments:",
    Sign.SAYS_NO: ":material/do_not_disturb_on:",
    Sign.RATING_FALLS: ":material/star_half:",
    Sign.NO_VISIT: ":material/event_busy:",
    Sign.LONG_WAYS: ":material/directions_bike:",
}
AUTO_MODE = {
    AutoMode.OFF: (":material/toggle_off:", "gray"),
    AutoMode.SUGGEST: (":material/lightbulb:", "blue"),
    AutoMode.ASSIGN: (":material/autoplay:", "green"),
}
PUSH = {
    PushStatus.UNDER_WAY: (":material/campaign:", "blue"),
    PushStatus.ACCEPTED: (":material/bolt:", "green"),
    PushStatus.EXHAUSTED: (":material/person_off:", "orange"),
    PushStatus.STOPPED: (":material/stop_circle:", "gray"),
}
POINTS = {
    PointsStatus.STANDING: (":material/gavel:", "orange"),
    PointsStatus.CONTESTED: (":material/balance:", "violet"),
    PointsStatus.UPHELD: (":material/verified:", "red"),
    PointsStatus.LIFTED: (":material/undo:", "gray"),
}
PARTY = {
    Party.CUSTOMER: ":material/family_restroom:",
    Party.CAREGIVER: ":material/volunteer_activism:",
    Party.PLATFORM: ":material/support_agent:",
}
ROLE = {
    Role.CUSTOMER: ":material/family_restroom:",
    Role.CAREGIVER: ":material/volunteer_activism:",
    Role.DESK: ":material/headset_mic:",
    Role.OPERATOR: ":material/dashboard:",
    Role.ANALYST: ":material/insights:",
}
GROUP = {
    ItemGroup.MEDICAL: ":material/local_hospital:",
    ItemGroup.ELDERLY: ":material/elderly:",
    ItemGroup.MATERNITY: ":material/child_care:",
}
CITY = {
    CityStatus.OPEN: (":material/check_circle:", "green"),
    CityStatus.PAUSED: (":material/pause_circle:", "orange"),
    CityStatus.CLOSED: (":material/do_not_disturb_on:", "gray"),
}
DEMAND = {
    DemandStatus.DIRECTED: (":material/mark_email_unread:", "violet"),
    DemandStatus.OPEN: (":material/campaign:", "blue"),
    DemandStatus.MATCHED: (":material/handshake:", "green"),
    DemandStatus.WITHDRAWN: (":material/undo:", "gray"),
    DemandStatus.EXPIRED: (":material/hourglass_disabled:", "gray"),
}
APPLICATION = {
    ApplicationStatus.SUBMITTED: (":material/pending:", "blue"),
    ApplicationStatus.APPROVED: (":material/check_circle:", "green"),
    ApplicationStatus.DECLINED: (":material/cancel:", "gray"),
    ApplicationStatus.WAITLISTED: (":material/hourglass_top:", "violet"),
    ApplicationStatus.CLOSED: (":material/person_off:", "gray"),
    ApplicationStatus.WITHDRAWN: (":material/undo:", "gray"),
}
OBSTACLE = {
    Obstacle.NOBODY: ":material/person_off:",
    Obstacle.NOT_OFFERED: ":material/block:",
    Obstacle.CERTIFICATE: ":material/workspace_premium:",
    Obstacle.TOO_FAR: ":material/distance:",
    Obstacle.PRICE: ":material/payments:",
    Obstacle.TOO_SOON: ":material/timer:",
    Obstacle.TOO_FAR_AHEAD: ":material/event_upcoming:",
    Obstacle.CITY_CLOSED: ":material/location_off:",
    Obstacle.OFF_HOURS: ":material/schedule:",
    Obstacle.ON_LEAVE: ":material/beach_access:",
    Obstacle.BUSY: ":material/event_busy:",
    Obstacle.TRAVEL: ":material/directions_bus:",
    Obstacle.REST: ":material/bedtime:",
    Obstacle.WEEK_FULL: ":material/battery_full:",
}
REQUEST = {
    OrderStatus.REQUESTED: (":material/mark_email_unread:", "violet"),
    OrderStatus.ACCEPTED: (":material/thumb_up:", "violet"),
    OrderStatus.REFUSED: (":material/person_off:", "gray"),
    OrderStatus.EXPIRED: (":material/hourglass_disabled:", "gray"),
    OrderStatus.LAPSED: (":material/timer_off:", "gray"),
    OrderStatus.BLOCKED: (":material/block:", "red"),
}
VISIT = {
    VisitStatus.HELD: (":material/mark_email_unread:", "violet"),
    VisitStatus.OFFERED: (":material/swap_horiz:", "violet"),
    VisitStatus.UNFILLED: (":material/person_search:", "orange"),
    VisitStatus.PLANNED: (":material/event:", "blue"),
    VisitStatus.IN_PROGRESS: (":material/directions_walk:", "violet"),
    VisitStatus.FINISHED: (":material/qr_code_scanner:", "orange"),
    VisitStatus.REDEEMED: (":material/verified:", "green"),
    VisitStatus.MISSED: (":material/person_alert:", "red"),
    VisitStatus.CANCELLED: (":material/event_busy:", "gray"),
    VisitStatus.DROPPED: (":material/move_down:", "gray"),
}
RECEIPT_METHOD = {
    ReceiptMethod.CASH: ":material/payments:",
    ReceiptMethod.BANK: ":material/account_balance:",
    ReceiptMethod.WECHAT: ":material/chat:",
    ReceiptMethod.SPLIT: ":material/call_split:",
}
STATEMENT = {
    StatementKind.ORDERED: (":material/event:", "blue"),
    StatementKind.CANCELLED: (":material/event_busy:", "gray"),
    StatementKind.FEE: (":material/request_quote:", "orange"),
    StatementKind.FEE_REVERSED: (":material/undo:", "gray"),
    StatementKind.EXTRA_TIME: (":material/more_time:", "blue"),
    StatementKind.RECEIVED: (":material/check_circle:", "green"),
    StatementKind.RECEIPT_REVERSED: (":material/undo:", "orange"),
    StatementKind.REFUNDED: (":material/currency_exchange:", "violet"),
    StatementKind.REFUND_REVERSED: (":material/undo:", "orange"),
    StatementKind.REPAID: (":material/payments:", "violet"),
    StatementKind.REPAYMENT_REVERSED: (":material/undo:", "orange"),
    StatementKind.MERGED: (":material/merge:", "gray"),
}
TALK = {
    TalkStatus.WAITING: (":material/hourglass_top:", "orange"),
    TalkStatus.ASSIGNED: (":material/support_agent:", "blue"),
    TalkStatus.SETTLED: (":material/task_alt:", "green"),
    TalkStatus.OPEN: (":material/forum:", "blue"),
    TalkStatus.CLOSED: (":material/speaker_notes_off:", "gray"),
}
POLICY = {
    Standing.DRAFT: (":material/edit_note:", "orange"),
    Standing.COMING: (":material/event_upcoming:", "blue"),
    Standing.IN_FORCE: (":material/contract:", "green"),
    Standing.REPLACED: (":material/history:", "gray"),
    Standing.WITHDRAWN: (":material/undo:", "gray"),
}
PAYOUT_BATCH = {
    BatchStatus.LOCKED: (":material/lock:", "orange"),
    BatchStatus.SENT: (":material/account_balance:", "blue"),
    BatchStatus.CLOSED: (":material/task_alt:", "green"),
    BatchStatus.WITHDRAWN: (":material/undo:", "gray"),
}
FINDING = {
    FindingKind.PRICE: ":material/price_change:",
    FindingKind.LATE_CANCELLATIONS: ":material/event_busy:",
    FindingKind.CONTACTS: ":material/contact_phone:",
    FindingKind.TRADED_REVIEWS: ":material/reviews:",
    FindingKind.FAR_CHECK_IN: ":material/wrong_location:",
    FindingKind.EXPIRED_PAPERS: ":material/badge:",
    FindingKind.IDLE_COMPLAINT: ":material/hourglass_disabled:",
}
FINDING_STATUS = {
    FindingStatus.OPEN: (":material/flag:", "orange"),
    FindingStatus.TAKEN: (":material/back_hand:", "blue"),
    FindingStatus.UPHELD: (":material/gavel:", "red"),
    FindingStatus.DISMISSED: (":material/check:", "gray"),
}
RULES = {
    RuleStatus.DRAFT: (":material/edit_note:", "gray"),
    RuleStatus.PROPOSED: (":material/how_to_vote:", "orange"),
    RuleStatus.WAITING: (":material/hourglass_top:", "orange"),
    RuleStatus.PUBLISHED: (":material/gavel:", "green"),
    RuleStatus.WITHDRAWN: (":material/undo:", "gray"),
}
PAYOUT = {
    PayoutStatus.WAITING: (":material/hourglass_top:", "orange"),
    PayoutStatus.PAID: (":material/task_alt:", "green"),
    PayoutStatus.FAILED: (":material/error:", "red"),
    PayoutStatus.WITHDRAWN: (":material/undo:", "gray"),
}
REFUND = {
    RefundStatus.GRANTED: (":material/currency_exchange:", "violet"),
    RefundStatus.TAKEN_BACK: (":material/undo:", "gray"),
}
REPAYMENT = {
    RepaymentStatus.RECORDED: (":material/payments:", "violet"),
    RepaymentStatus.TAKEN_BACK: (":material/undo:", "gray"),
}
INVOICE = {
    InvoiceStatus.ASKED: (":material/hourglass_top:", "orange"),
    InvoiceStatus.ISSUED: (":material/task_alt:", "green"),
    InvoiceStatus.REFUSED: (":material/cancel:", "red"),
    InvoiceStatus.WITHDRAWN: (":material/undo:", "gray"),
    InvoiceStatus.CANCELLED: (":material/block:", "gray"),
}
CAREGIVER = {
    CaregiverStatus.DRAFT: (":material/edit_note:", "gray"),
    CaregiverStatus.SUBMITTED: (":material/pending:", "blue"),
    CaregiverStatus.APPROVED: (":material/verified_user:", "green"),
    CaregiverStatus.REJECTED: (":material/cancel:", "red"),
    CaregiverStatus.SUSPENDED: (":material/block:", "red"),
}
# Told apart by their bars, not by colour.
LEVEL = {
    CaregiverLevel.JUNIOR: ":material/signal_cellular_alt_1_bar:",
    CaregiverLevel.INTERMEDIATE: ":material/signal_cellular_alt_2_bar:",
    CaregiverLevel.SENIOR: ":material/signal_cellular_alt:",
}
CASE = {
    CaseStatus.DRAFT: (":material/edit_note:", "gray"),
    CaseStatus.SUBMITTED: (":material/pending:", "blue"),
    CaseStatus.APPROVED: (":material/verified_user:", "green"),
    CaseStatus.REJECTED: (":material/cancel:", "red"),
    CaseStatus.EXPIRED: (":material/hourglass_disabled:", "orange"),
}
CASE_KIND = {
    CaseKind.CUSTOMER: (":material/family_restroom:", "blue"),
    CaseKind.CAREGIVER: (":material/volunteer_activism:", "violet"),
}
ACCOUNT = {
    AccountStatus.ACTIVE: (":material/check_circle:", "green"),
    AccountStatus.SUSPENDED: (":material/block:", "red"),
    AccountStatus.MERGED: (":material/merge:", "gray"),
    AccountStatus.ERASED: (":material/person_off:", "gray"),
}
LIGHT = {
    Light.GREEN: (":material/check_circle:", "green"),
    Light.YELLOW: (":material/schedule:", "orange"),
    Light.RED: (":material/error:", "red"),
}
TASK = {
    TaskStatus.QUEUED: (":material/hourglass_empty:", "blue"),
    TaskStatus.RUNNING: (":material/sync:", "violet"),
    TaskStatus.DONE: (":material/check_circle:", "green"),
    TaskStatus.FAILED: (":material/error:", "red"),
    TaskStatus.CANCELLED: (":material/cancel:", "gray"),
}
TO_DO = {
    ToDoKind.APPLICATIONS: ":material/how_to_reg:",
    ToDoKind.CASES: ":material/fact_check:",
    ToDoKind.REQUESTS: ":material/mark_email_unread:",
    ToDoKind.APPROVALS: ":material/thumb_up:",
    ToDoKind.UNANSWERED: ":material/notifications_paused:",
    ToDoKind.LATE: ":material/running_with_errors:",
    ToDoKind.INCIDENTS: ":material/emergency:",
    ToDoKind.MISSING: ":material/person_alert:",
    ToDoKind.OVERLONG: ":material/more_time:",
    ToDoKind.COMPLAINTS: ":material/feedback:",
    ToDoKind.POINTS: ":material/gavel:",
    ToDoKind.FINDINGS: ":material/policy:",
    ToDoKind.EARLY: ":material/directions_run:",
    ToDoKind.LEAVES: ":material/event_busy:",
    ToDoKind.UNQUALIFIED: ":material/gpp_bad:",
    ToDoKind.LOCKED: ":material/lock:",
    ToDoKind.UNREDEEMED: ":material/qr_code_scanner:",
}
CHANNEL_OUT = {
    OutboxChannel.INBOX: ":material/inbox:",
    OutboxChannel.TEXT: ":material/sms:",
    OutboxChannel.WECHAT: ":material/chat:",
    OutboxChannel.CALL: ":material/call:",
}
OUTCOME = {
    Outcome.BOOKED: ":material/event_available:",
    Outcome.POSTED: ":material/campaign:",
    Outcome.CHANGED: ":material/edit_calendar:",
    Outcome.CANCELLED: ":material/event_busy:",
    Outcome.REDEEMED: ":material/qr_code_scanner:",
    Outcome.COMPLAINED: ":material/report:",
    Outcome.INFORMED: ":material/task_alt:",
    Outcome.NOBODY_FREE: ":material/search_off:",
    Outcome.CALL_AGAIN: ":material/phone_callback:",
    Outcome.NO_ANSWER: ":material/phone_missed:",
    Outcome.WRONG_NUMBER: ":material/phone_disabled:",
    Outcome.OTHER: ":material/more_horiz:",
}
