"""The operators' complaints: the queue by deadline, and one case in full."""

from collections.abc import Sequence

import streamlit as st

from components import (
    catalogue,
    complaint_thread,
    complaints,
    formats,
    icons,
    layout,
    navigation,
    session,
    tables,
    troubles,
)
from components.chat import dispute_talk
from components.complaint_rulings import ruling_form
from components.i18n import t
from services import clock, complaint_cases, complaint_evidence, complaint_messages, no_shows
from services.catalogue import ItemView
from services.complaint_cases import Case, CaseLine, Queue
from services.complaint_messages import Audience
from services.complaint_views import ComplaintStatus, ComplaintView
from services.complaints import ComplaintCategory

_TEXTS = ("due", "category", "item", "customer", "caregiver", "owner")
_STEP_ICONS = {
    "open": ":material/flag:",
    "take": ":material/front_hand:",
    "hand_over": ":material/move_down:",
    "escalate": ":material/alarm:",
    "close": ":material/task_alt:",
    "take_back": ":material/undo:",
    "appeal": ":material/balance:",
    "uphold": ":material/verified:",
    "amend": ":material/edit_note:",
}


def case_list(items: dict[int, ItemView]) -> int | None:
    """The queue that is chosen, a page at a time; the case that was clicked, or is linked to."""
    with layout.row():
        chosen = st.selectbox(
            t("field.complaint_category"),
            [tables.ALL, *ComplaintCategory],
            format_func=lambda one: t(
                "cases.all_kinds" if one == tables.ALL else f"complaint_category.{one}"
            ),
            key="case_category",
            width=220,
        )
    category = ComplaintCategory(chosen) if chosen != tables.ALL else None
    counted = session.fetch(complaint_cases.counts, category)
    queue = _queue(counted)
    above = st.container()
    offset = tables.offset(counted[queue], f"cases_page_{queue}_{category}")
    shown = session.fetch(complaint_cases.listing, queue, category, offset=offset)
    with above:
        if not shown:
            layout.empty("complaints", icon=":material/feedback:")
            return navigation.asked_number("case")
        picked = _table(shown, items)
    return picked.id if picked is not None else navigation.asked_number("case")


def _queue(counted: dict[Queue, int]) -> Queue:
    linked = st.query_params.get("show", "")
    default = Queue(linked) if linked in list(Queue) else Queue.UNDECIDED
    return st.segmented_control(
        t("cases.queue"),
        list(Queue),
        default=default,
        required=True,
        format_func=lambda one: f"{t(f'case_queue.{one}')} {counted[one]:,}",
        key=f"case_queue_{default}",  # A new link is a new choice.
        label_visibility="collapsed",
        wrap=True,
    )


def _table(shown: Sequence[CaseLine], items: dict[int, ItemView]) -> CaseLine | None:
    statuses = {t(f"complaint_status.{one}"): icons.COMPLAINT[one][1] for one in ComplaintStatus}
    statuses[t("cases.overdue")] = "red"
    column = st.column_config
    return tables.chosen(
        shown,
        {
            "number": [one.id for one in shown],
            "status": [_states(one) for one in shown],
            "due": [_due(one) for one in shown],
            "category": [
                f"{t(f'complaint.by_{one.by}')}{t(f'complaint_category.{one.category}')}"
                for one in shown
            ],
            "item": [catalogue.item_name(items, one.item_id) for one in shown],
            "customer": [one.customer_name for one in shown],
            "caregiver": [one.caregiver_name for one in shown],
            "owner": [one.owner_name or "–" for one in shown],
        },
        {
            "number": column.NumberColumn(t("cases.number"), format="%d", width="small"),
            "status": column.MultiselectColumn(
                t("cases.status"), options=list(statuses), color=list(statuses.values())
            ),
            **{name: column.TextColumn(t(f"cases.{name}")) for name in _TEXTS},
        },
        key="cases",
        alt=t("cases.table"),
    )


def _states(one: CaseLine) -> list[str]:
    states = [t(f"complaint_status.{one.status}")]
    late = one.closed_at is None and one.due_at <= clock.now()
    return [*states, t("cases.overdue")] if late else states


def _due(one: CaseLine) -> str:
    return formats.moment(one.closed_at) if one.closed_at else formats.moment(one.due_at)


def case_in_full(number: int, items: dict[int, ItemView]) -> None:
    """One case: what it is about, what was done, said and handed in, and the decision."""
    case = session.fetch(complaint_cases.one, number)
    one = case.complaint
    with st.container(border=True, key=f"case_{one.id}"):
        _head(case, items)
        if one.concerned:
            st.info(t("cases.concerned"), icon=":material/front_hand:")
            return
        left, right = st.columns([3, 2], gap="large")
        with left:
            st.markdown(f"**{t('complaint.thread')}**")
            complaint_thread.messages(session.fetch(complaint_messages.of, one.id))
            pages = session.fetch(complaint_evidence.of, one.id)
            complaint_thread.evidence(pages, one.id, "complaint")
            complaint_thread.sharing(pages)
            if one.undecided:
                complaint_thread.message_form(one.id, _readers(one))
                dispute_talk(one.order_id)
        with right:
            _timeline(case)
            _visit_facts(one)
        if one.undecided:
            ruling_form(case)


def _head(case: Case, items: dict[int, ItemView]) -> None:
    one = case.complaint
    st.subheader(t("cases.case", number=one.id), anchor=False)
    st.markdown("  \n".join(complaints.told(one)))
    with st.container(horizontal=True, gap="medium"):
        layout.field(t("cases.item"), catalogue.item_name(items, case.item_id))
        layout.field(t("cases.customer"), case.customer_name)
        layout.field(t("cases.caregiver"), case.caregiver_name)
        layout.field(t("cases.price"), formats.money(case.total_fen))
        layout.field(t("cases.pay"), formats.money(case.pay_fen))
        layout.field(t("cases.owner"), case.owner_name or t("cases.nobody"))
    with layout.row():
        navigation.link(
            "orders", t("order.number", number=one.order_id), icon=":material/list_alt:",
            order=str(one.order_id),
        )  # fmt: skip
        if "take" in one.moves and case.owner_id != session.actor().id:
            label = t("cases.take_over" if case.owner_id else "cases.take")
            if st.button(label, type="primary", icon=":material/front_hand:", key="take_case"):
                session.perform("cases.taken", complaint_cases.take, one.id)
        if "hand_over" in one.moves:
            _hand_over(one)
    for incident in troubles.troubles([one.order_id]).incidents:
        if incident.visit_id == one.visit_id:
            st.markdown(f":orange[:material/emergency: {t(f'incident_kind.{incident.kind}')}]")
            st.text(incident.words)


def _hand_over(one: ComplaintView) -> None:
    with st.popover(
        t("cases.hand_over"), icon=":material/move_down:", key="hand_over_ask", on_change="rerun"
    ) as asked:
        if not asked.open:
            return
        able = {each.id: each.name for each in session.fetch(complaint_cases.colleagues, one.id)}
        if not able:
            st.caption(t("cases.nobody_else"))
            return
        to_id = st.selectbox(
            t("cases.to_whom"), list(able), format_func=able.__getitem__, key="hand_over_to"
        )
        if st.button(t("cases.hand_over"), type="primary", key="hand_over"):
            session.perform("cases.handed_over", complaint_cases.hand_over, one.id, to_id)


def _readers(one: ComplaintView) -> list[Audience]:
    """The other side first: it is asked for its view."""
    both = [Audience.CAREGIVER, Audience.CUSTOMER]
    first = both if one.by == Audience.CUSTOMER else both[::-1]
    return [*first, Audience.BOTH, Audience.STAFF]


def _timeline(case: Case) -> None:
    """What was done when and by whom, from top to bottom, and what comes next."""
    st.markdown(f"**{t('cases.timeline')}**")
    lines = list[str]()
    for step in case.steps:
        who = formats.plain(step.name) if step.name else t("order.by_itself")
        icon = _STEP_ICONS[step.move]
        lines.append(
            f":primary[{icon}] **{t(f'step.complaint_{step.move}')}**  \n"
            f":gray[:small[{formats.moment(step.at)} · {who}]]"
        )
    if case.complaint.undecided:
        due = formats.moment(case.complaint.due_at)
        late = case.complaint.due_at <= clock.now()
        colour = "red" if late else "orange"
        lines.append(
            f":{colour}[:material/schedule:] **{t('cases.to_decide')}**  \n"
            f":{colour}[:small[{t('complaint.due', at=due)}]]"
        )
    for line in lines:
        st.markdown(line)


def _visit_facts(one: ComplaintView) -> None:
    """How the visit was planned and went."""
    found = session.fetch(no_shows.evidence, one.visit_id)
    planned = formats.span(found.starts_at, found.ends_at)
    lines = [
        t("evidence.planned", when=planned),
        (
            t("evidence.checked_in", at=formats.moment(found.checked_in_at))
            if found.checked_in_at
            else t("evidence.not_in")
        ),
        (
            t("evidence.checked_out", at=formats.moment(found.checked_out_at))
            if found.checked_out_at
            else t("evidence.not_out")
        ),
    ]
    if found.checked_in_near:
        near = t(f"distance.{found.checked_in_near}")
        lines.append(t("orders_page.checked_in_near", near=near))
    elif found.checked_in_at:
        lines.append(t("evidence.no_place"))
    if found.missed_at and found.missed_by:
        lines.append(
            t(
                "evidence.missed",
                party=t(f"party.{found.missed_by}"),
                at=formats.moment(found.missed_at),
                fee=formats.money(found.owed_fen),
            )
        )
    st.markdown(f"**{t('evidence.button')}**")
    st.markdown("  \n".join(lines))
    if found.words:
        layout.field(t("evidence.words"), found.words)
