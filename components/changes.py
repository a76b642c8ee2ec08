"""Changing a visit that is still to come: the cost is in the question, before the click."""

from datetime import date

import streamlit as st

from components import formats, layout, prices, session
from components.i18n import t
from services import changes, clock
from services.access import Permission, Role
from services.changes import REASONS, EndReason, Party, Quote
from services.orders import OrderKind, OrderStatus, OrderView, VisitStatus

_STAYED_AWAY = (Party.CUSTOMER, Party.CAREGIVER)


def change_buttons(visit: OrderView) -> None:
    """Move a coming visit, call it off, or say who did not come; nothing if none of it is open."""
    if visit.visit_status is not VisitStatus.PLANNED or visit.status is not OrderStatus.CONFIRMED:
        return
    actor = session.actor()
    if actor.may(Permission.CHANGE_ORDER):
        _move(visit)
    if actor.may(Permission.CANCEL_ORDER) or actor.may(Permission.WORK_VISIT):
        _cancel(visit)
    if actor.may(Permission.DECIDE_REQUEST):
        _miss(visit)


def outcome(visit: OrderView) -> str:
    """Why a visit did not take place, and what is owed for that; empty if nothing is to say."""
    if visit.end_reason is None:
        return ""
    said = [t(f"end_reason.{visit.end_reason}")]
    if visit.ended_by is not None:
        said.append(t("changes.by", party=t(f"party.{visit.ended_by}")))
    if visit.fee_fen:
        said.append(t("changes.fee_owed", fee=formats.money(visit.fee_fen)))
    if visit.penalty_fen:
        said.append(t("changes.penalty_owed", fee=formats.money(visit.penalty_fen)))
    return " · ".join(said)


def _cancel(visit: OrderView) -> None:
    key = f"cancel_{visit.visit_id}"
    whole = visit.kind is OrderKind.SINGLE and not session.actor().may(Permission.WORK_VISIT)
    label = t("move.cancel") if whole else t("changes.cancel_one")
    with st.popover(
        label, icon=":material/event_busy:", key=f"{key}_ask", on_change="rerun"
    ) as asked:
        if not asked.open:
            return
        found = session.fetch(changes.quote, visit.visit_id)
        if found.begun and found.own is not Party.PLATFORM:
            st.markdown(t("changes.time_has_come"))
            return
        fault = found.own
        if found.own is Party.PLATFORM:
            fault = _fault(found, key)
        else:
            st.markdown(_question(found, visit))
        reason = st.selectbox(
            t("field.end_reason"),
            REASONS,
            format_func=lambda one: t(f"end_reason.{one}"),
            key=f"{key}_reason",
        )
        said = st.text_area(
            t("field.reason" if found.own is Party.PLATFORM else "changes.words_hint"),
            key=f"{key}_words",
            max_chars=300,
        )
        fee_fen = found.fees[fault]
        pressed = st.button(_confirm_label(fee_fen), type="primary", key=key)
        seen_fen = prices.as_shown(f"{key}_{fault}", fee_fen, pressed=pressed)
        if pressed:
            _perform_cancel(visit, reason, said or "", seen_fen, fault)


def _perform_cancel(
    visit: OrderView, reason: EndReason, said: str, seen_fen: int, fault: Party
) -> None:
    done = "order.cancelled" if visit.kind is OrderKind.SINGLE else "changes.visit_cancelled"
    key = f"cancel_{visit.visit_id}"
    args = (visit.visit_id, reason, said, seen_fen)
    session.perform(done, changes.cancel_visit, *args, fault=fault, forget=(key,))


def _confirm_label(fee_fen: int) -> str:
    if not fee_fen:
        return t("changes.cancel_free")
    return t("changes.cancel_for", fee=formats.money(fee_fen))


def _question(found: Quote, visit: OrderView) -> str:
    """What it costs, and until when it costs nothing."""
    said = [t(f"changes.cancel_{found.own}_{visit.kind}")]
    if found.fee_fen:
        fee, total = formats.money(found.fee_fen), formats.money(found.total_fen)
        said.append(t(f"changes.costs_{found.own}", fee=fee, total=total))
    elif found.own is Party.CUSTOMER and found.free_until is not None:
        said.append(t("changes.free_until", until=formats.moment(found.free_until)))
    else:
        said.append(t("changes.free_now"))
    return "  \n".join(said)


def _fault(found: Quote, key: str) -> Party:
    """By whose doing an operator calls a visit off."""
    return st.radio(
        t("field.party"),
        [Party.PLATFORM, Party.CUSTOMER, Party.CAREGIVER],
        format_func=lambda one: t(
            f"changes.fault_{one}", fee=formats.money(found.fees[one]) if found.fees[one] else "¥0"
        ),
        key=f"{key}_fault",
    )


def _miss(visit: OrderView) -> None:
    """Once its time has come: who did not come."""
    key = f"miss_{visit.visit_id}"
    found = session.fetch(changes.quote, visit.visit_id)
    if not found.begun:
        return
    with st.popover(
        t("changes.no_show"), icon=":material/person_alert:", key=f"{key}_ask", on_change="rerun"
    ) as asked:
        if not asked.open:
            return
        st.markdown(t("changes.no_show_warning"))
        party = st.radio(
            t("changes.who_stayed_away"),
            _STAYED_AWAY,
            format_func=lambda one: t(
                f"changes.no_show_{one}", fee=formats.money(found.no_show[one])
            ),
            key=f"{key}_party",
        )
        said = layout.reason_form(key, t("changes.record"), t("changes.evidence_hint"))
        if said is not None:
            session.perform(
                "changes.missed",
                changes.miss,
                visit.visit_id,
                party,
                said,
                forget=(f"reason_{key}",),
            )


def _move(visit: OrderView) -> None:
    key = f"move_{visit.visit_id}"
    with st.popover(
        t("changes.move"), icon=":material/edit_calendar:", key=f"{key}_ask", on_change="rerun"
    ) as asked:
        if not asked.open:
            return
        found = session.fetch(changes.quote, visit.visit_id)
        if found.begun or (found.fees[Party.CUSTOMER] and session.actor().role != Role.OPERATOR):
            st.markdown(t("changes.too_late_to_move"))
            return
        if found.free_until is not None:
            st.markdown(t("changes.move_until", until=formats.moment(found.free_until)))
        _choose_time(visit, key)


def _choose_time(visit: OrderView, key: str) -> None:
    """One of the same caregiver's free times, and what the visit costs then."""
    free = session.fetch(changes.openings, visit.visit_id)
    if not free:
        st.markdown(t("changes.no_time"))
        return
    own_day = clock.in_city(visit.starts_at).date().isoformat()
    day = st.selectbox(
        t("field.day"),
        list(free),
        list(free).index(own_day) if own_day in free else 0,
        format_func=lambda one: formats.day(date.fromisoformat(one)),
        key=f"{key}_day",
    )
    starts = {formats.time_of_day(start): start for start in free[day]}
    own_time = formats.time_of_day(visit.starts_at)
    chosen = st.selectbox(
        t("field.start"),
        list(starts),
        list(starts).index(own_time) if own_time in starts else 0,
        key=f"{key}_start_{day}",
    )
    starts_at = starts[chosen]
    price = session.fetch(changes.moved_price, visit.visit_id, starts_at)
    before, after = formats.money(visit.total_fen), formats.money(price.total_fen)
    said = "changes.price_stays" if before == after else "changes.price_moves"
    st.markdown(t(said, before=before, after=after))
    if short := prices.in_short(price.parts):
        st.caption(short)
    pressed = st.button(t("changes.move_now"), type="primary", key=key)
    seen_fen = prices.as_shown(key, price.total_fen, pressed=pressed)
    if pressed:
        session.perform(
            "changes.moved", changes.reschedule, visit.visit_id, starts_at, seen_fen, forget=(key,)
        )
