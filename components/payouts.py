"""Payouts as operators settle them: what is due, what the bank has, what it answered."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from components import downloads, formats, icons, layout, places, session
from components.i18n import t
from services import payout_files, payouts
from services.payout_files import FileKind
from services.payouts import BatchStatus, BatchView, Due, PayoutStatus, PayoutView, Preview

_WANTED = "payout_file_wanted"
_SHOWN_AT_ONCE = 10


def take_file() -> None:
    """Hand out the bank file that was asked for by the last click."""
    if (wanted := st.session_state.pop(_WANTED, None)) is None:
        return
    ticket = session.disclose(payout_files.prepare, *wanted)
    if ticket is not None:
        downloads.fetch(f"documents/payouts/{ticket}", "fetch_payouts")
        st.info(t("payouts.file_taken"), icon=":material/account_balance:")


def city_payouts(city_code: str) -> None:
    """What a city owes its caregivers now, and the button that sets it aside for the bank."""
    found = session.fetch(payouts.preview, city_code)
    with st.container(border=True, key=f"payouts_{city_code}"):
        st.subheader(places.city_path(city_code), anchor=False)
        if not found.ready and not found.without_account:
            st.caption(t("payouts.nothing_due"))
            return
        with st.grid(2, min_column_width=120):
            st.metric(t("payouts.due"), formats.money(found.total_fen), border=True)
            st.metric(t("payouts.people"), len(found.ready), border=True)
        if found.without_account:
            names = formats.listed(formats.plain(one.name) for one in found.without_account)
            st.warning(t("payouts.lacking_names", names=names), icon=":material/credit_card_off:")
        if found.ready:
            _due_table(found.ready, city_code)
            _lock(found, city_code)


def _lock(found: Preview, city_code: str) -> None:
    total = formats.money(found.total_fen)
    if layout.confirmed(
        t("payouts.lock", total=total),
        t("payouts.lock_warning", count=len(found.ready), total=total),
        f"lock_{city_code}",
        icon=":material/lock:",
        main=True,
    ):
        session.perform("payouts.locked", payouts.lock, city_code, found.total_fen)


def _due_table(due: Sequence[Due], city_code: str) -> None:
    column = st.column_config
    st.dataframe(
        pd.DataFrame(
            {
                "name": [one.name for one in due],
                "amount": [formats.money(one.amount_fen) for one in due],
                "account": [_account(one.bank or "", one.tail or "") for one in due],
            }
        ),
        hide_index=True,
        height="content" if len(due) < 12 else 420,
        column_config={
            "name": column.TextColumn(t("payouts.name"), pinned=True),
            "amount": column.TextColumn(t("payouts.amount"), alignment="right"),
            "account": column.TextColumn(t("payouts.account")),
        },
        key=f"due_{city_code}",
        alt=t("payouts.due"),
    )


def batches() -> None:
    """The batches, the last first: those the bank has open, the others folded."""
    found = session.fetch(payouts.batches)
    st.subheader(t("payouts.batches"), anchor=False)
    if not found:
        layout.empty("payouts", icon=":material/account_balance:")
        return
    for batch in layout.first_of(found, "payout_batches", _SHOWN_AT_ONCE):
        _batch(batch)
    layout.more_button(found, "payout_batches", _SHOWN_AT_ONCE)


def _batch(batch: BatchView) -> None:
    with st.container(border=True, key=f"batch_{batch.id}"):
        with layout.row():
            st.markdown(f"**{t('payouts.batch', number=batch.id)}**", width="content")
            layout.badge(icons.PAYOUT_BATCH[batch.status], t(f"batch_status.{batch.status}"))
        parts = [
            t(f"payouts.sum_{status}", count=batch.counts[status], total=_money(batch, status))
            for status in PayoutStatus
            if status in batch.counts
        ]
        when = t("payouts.locked_at", at=formats.moment(batch.locked_at))
        st.caption(" · ".join((places.city_path(batch.city_code), when, *parts)))
        with layout.row():
            if batch.status in (BatchStatus.LOCKED, BatchStatus.SENT):
                _files(batch)
            if "withdraw" in batch.moves and layout.confirmed(
                t("payouts.withdraw"), t("payouts.withdraw_warning"), f"withdraw_{batch.id}"
            ):
                session.perform("payouts.withdrawn", payouts.withdraw, batch.id)
        with st.expander(
            t("payouts.lines"), key=f"lines_{batch.id}", on_change="rerun",
            expanded=batch.status is BatchStatus.SENT, icon=":material/list:",
        ) as opened:  # fmt: skip
            if opened.open:
                _lines(batch)


def _files(batch: BatchView) -> None:
    if session.without_routes():
        st.info(t("extracts.without_routes"))
        return
    for kind in FileKind:
        st.button(
            t(f"payouts.take_{kind}"),
            icon=":material/download:",
            type="primary" if batch.status is BatchStatus.LOCKED else "secondary",
            key=f"take_{kind}_{batch.id}",
            on_click=_want,
            args=(batch.id, kind),
        )


def _want(batch_id: int, kind: FileKind) -> None:
    st.session_state[_WANTED] = batch_id, kind


def _lines(batch: BatchView) -> None:
    """Every line and what the bank said of it; those that wait can be answered."""
    found = session.fetch(payouts.lines, batch.id)
    waiting = [one for one in found if one.status is PayoutStatus.WAITING]
    _table(found, batch.id)
    if batch.status is not BatchStatus.SENT or not waiting:
        return
    total = formats.money(sum(one.amount_fen for one in waiting))
    with layout.row():
        if layout.confirmed(
            t("payouts.all_arrived", count=len(waiting)),
            t("payouts.all_arrived_warning", total=total),
            f"arrived_{batch.id}",
            icon=":material/task_alt:",
            main=True,
        ):
            numbers = [one.id for one in waiting]
            session.perform("payouts.noted", payouts.arrived, batch.id, numbers)
        _came_back(waiting, batch.id)


def _came_back(waiting: Sequence[PayoutView], batch_id: int) -> None:
    key = f"came_back_{batch_id}"
    with st.popover(
        t("payouts.came_back"), icon=":material/undo:", key=f"{key}_ask", on_change="rerun"
    ) as asked:
        if not asked.open:
            return
        named = {one.id: one for one in waiting}
        chosen = st.selectbox(
            t("payouts.which"),
            list(named),
            format_func=lambda one: f"{named[one].name} · {formats.money(named[one].amount_fen)}",
            key=f"{key}_line",
        )
        why = st.text_input(t("payouts.why"), key=f"{key}_why", max_chars=200)
        if st.button(t("payouts.note_it"), type="primary", key=f"{key}_yes"):
            session.perform("payouts.noted", payouts.came_back, chosen, why, forget=(key,))


def _table(found: Sequence[PayoutView], batch_id: int) -> None:
    statuses = {t(f"payout_status.{one}"): icons.PAYOUT[one][1] for one in PayoutStatus}
    column = st.column_config
    st.dataframe(
        pd.DataFrame(
            {
                "name": [one.name for one in found],
                "amount": [formats.money(one.amount_fen) for one in found],
                "status": [[t(f"payout_status.{one.status}")] for one in found],
                "account": [_account(one.bank, one.tail) for one in found],
                "why": [one.failure_words for one in found],
            }
        ),
        hide_index=True,
        height="content" if len(found) < 12 else 420,
        column_config={
            "name": column.TextColumn(t("payouts.name"), pinned=True),
            "amount": column.TextColumn(t("payouts.amount"), alignment="right"),
            "status": column.MultiselectColumn(
                t("payouts.status"), options=list(statuses), color=list(statuses.values())
            ),
            "account": column.TextColumn(t("payouts.account")),
            "why": column.TextColumn(t("payouts.why")),
        },
        key=f"payout_lines_{batch_id}",
        alt=t("payouts.lines"),
    )


def _money(batch: BatchView, status: PayoutStatus) -> str:
    return formats.money(batch.sums[status])


def _account(bank: str, tail: str) -> str:
    return t("payouts.account_said", bank=bank, tail=tail)
