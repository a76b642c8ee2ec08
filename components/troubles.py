"""What is amiss with orders, and what was given back of them, fetched at once for a list."""

from collections.abc import Sequence
from dataclasses import dataclass

from components import session
from components.complaints import complaint_card
from components.extra_times import extra_time_card
from components.incidents import incident_card
from components.refunds import refund_card
from services import complaint_views, extra_times, incidents, refunds
from services.complaint_views import ComplaintView
from services.extra_times import ExtraTimeView
from services.incidents import IncidentView
from services.refunds import RefundView


@dataclass(frozen=True, slots=True)
class Troubles:
    """Everything amiss with the orders that are shown."""

    incidents: Sequence[IncidentView]
    complaints: Sequence[ComplaintView]
    extra_times: Sequence[ExtraTimeView]
    refunds: Sequence[RefundView]

    @property
    def open(self) -> bool:
        """Whether a complaint or an incident is not settled yet."""
        return any(one.closed_at is None for one in (*self.incidents, *self.complaints))

    def asks_extra_time(self, visit_id: int) -> bool:
        """Whether extra time was asked for after this visit."""
        return any(one.visit_id == visit_id for one in self.extra_times)


def troubles(order_ids: Sequence[int]) -> Troubles:
    """What is amiss with these orders, as far as the visitor may know of it."""
    ids = sorted(set(order_ids))
    if not ids:
        return Troubles((), (), (), ())
    return Troubles(
        session.fetch(incidents.of_orders, ids),
        session.fetch(complaint_views.of_orders, ids),
        session.fetch(extra_times.of_orders, ids),
        session.fetch(refunds.of_orders, ids),
    )


def trouble_cards(known: Troubles, order_id: int, visit_id: int | None = None) -> None:
    """What is amiss with one order, or with one visit of it, most urgent first."""

    def its(one: IncidentView | ComplaintView | ExtraTimeView | RefundView) -> bool:
        return one.order_id == order_id and visit_id in (None, one.visit_id)

    for incident in filter(its, known.incidents):
        incident_card(incident)
    for extra in filter(its, known.extra_times):
        extra_time_card(extra)
    for complaint in filter(its, known.complaints):
        complaint_card(complaint)
    for refund in filter(its, known.refunds):
        refund_card(refund)
