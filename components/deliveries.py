"""What became of messages outside the app, for the operators: counts, and those given up."""

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from components import formats, icons, layout, session
from components.i18n import t
from services import delivery_reports
from services.delivery_reports import DeadLetter, OutboxChannel, OutboxStatus, Report

_STATUS_COLOURS = {
    OutboxStatus.DELIVERED: "#0f9d8a",
    OutboxStatus.PENDING: "#e0a53a",
    OutboxStatus.CANCELLED: "#9aa4ad",
    OutboxStatus.FAILED: "#c8503c",
}
_SHOWN_AT_ONCE = 8
_FACTS = "item", "pay", "days", "date", "price", "level", "count", "number", "policy"


def report() -> None:
    """The week by channel, whether the gateways are there, and what was given up."""
    found = session.fetch(delivery_reports.report)
    for channel, ready in found.ready.items():
        if not ready:
            st.info(t(f"deliveries.no_{channel}"), icon=":material/link_off:")
    if found.oldest_waiting is not None:
        ago = formats.ago(found.oldest_waiting)
        st.warning(t("deliveries.waits", ago=ago), icon=":material/hourglass_top:")
    if not found.counts:
        layout.empty("deliveries", icon=":material/mark_email_read:")
        return
    _week(found)
    _dead(found.dead)


def _week(found: Report) -> None:
    channels = [one for one in OutboxChannel if any(each is one for each, _ in found.counts)]
    names = [t(f"channel_out.{one}") for one in channels]
    figure = go.Figure(layout={"barmode": "stack", "height": 60 + 48 * len(channels)})
    for status in OutboxStatus:
        counts = [found.counts.get((channel, status), 0) for channel in channels]
        if any(counts):
            figure.add_bar(
                name=t(f"outbox_status.{status}"),
                y=names,
                x=counts,
                orientation="h",
                marker_color=_STATUS_COLOURS[status],
            )
    figure.update_layout(
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        legend={"orientation": "h", "y": -0.3, "traceorder": "normal"},
    )
    st.plotly_chart(figure, key="deliveries_week", config={"displayModeBar": False})
    st.dataframe(
        pd.DataFrame(
            {
                t("deliveries.channel"): names,
                **{
                    t(f"outbox_status.{status}"): [
                        found.counts.get((channel, status), 0) for channel in channels
                    ]
                    for status in OutboxStatus
                },
            }
        ),
        hide_index=True,
        alt=t("deliveries.table"),
        key="deliveries_table",
    )


def _dead(letters: tuple[DeadLetter, ...]) -> None:
    st.subheader(t("deliveries.dead", count=len(letters)), anchor=False)
    if not letters:
        st.caption(f":material/task_alt: {t('deliveries.none_dead')}")
        return
    if layout.confirmed(
        t("deliveries.resend_all", count=len(letters)),
        t("deliveries.resend_all_means"),
        "resend_all",
        icon=":material/forward_to_inbox:",
    ):
        session.perform("deliveries.resent", delivery_reports.resend_all)
    for letter in layout.first_of(letters, "dead_letters", _SHOWN_AT_ONCE):
        with st.container(
            border=True,
            horizontal=True,
            horizontal_alignment="distribute",
            vertical_alignment="center",
            key=f"dead_{letter.id}",
        ):
            icon = icons.CHANNEL_OUT[letter.channel]
            about = " · ".join(
                (
                    t(f"channel_out.{letter.channel}"),
                    t(f"failure.{letter.failure}"),
                    t("to_call.tries", count=letter.tries),
                    formats.ago(letter.written_at),
                )
            )
            st.markdown(
                f"{icon} **{formats.plain(letter.name)}** · {_about(letter)}  \n:small[{about}]",
                width="content",
            )
            if st.button(
                t("deliveries.resend"), key=f"resend_{letter.id}", icon=":material/replay:"
            ):
                session.perform("deliveries.resent", delivery_reports.resend, letter.id)
    layout.more_button(letters, "dead_letters", _SHOWN_AT_ONCE)


def _about(letter: DeadLetter) -> str:
    """What the message told, as its reader's inbox says it, without the facts."""
    return t(f"notice_text.{letter.kind}", **dict.fromkeys(_FACTS, "…")).replace("**", "")
