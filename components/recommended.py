"""The best five for a demand or a wish, with reasons, and what can be done with each."""

from collections.abc import Callable, Sequence

import streamlit as st

from components import board_reasons, formats, layout, session
from components.i18n import t
from services import assignments, recipients
from services.board import recommendations
from services.board.recommendations import Recommended
from services.catalogue import ItemView
from services.search import Wanted


def for_demand(demand_id: int, item: ItemView | None) -> None:
    """Behind a click: whom dispatch would send to a demand, each to be sent at once."""
    key = f"recommended_{demand_id}"
    with st.expander(
        t("recommended.title"), icon=":material/recommend:", key=key, on_change="rerun"
    ) as opened:
        if not opened.open:
            return
        with st.spinner(t("recommended.looking")):
            found = session.fetch(recommendations.for_demand, demand_id)
        chosen = _listed(found, item, key, t("recommended.send"))
    if chosen is not None:
        session.perform("recommended.sent", assignments.assign, demand_id, chosen.caregiver_id)


def for_wish(customer_id: int, wanted: Wanted, item: ItemView, book: Callable[[int], None]) -> None:
    """Behind a click: the best for what a caller wants at a time; one can be booked."""
    if wanted.starts_at is None:
        return
    with st.expander(
        t("recommended.title"), icon=":material/recommend:", key="recommended_wish",
        on_change="rerun",
    ) as opened:  # fmt: skip
        if not opened.open:
            return
        family = session.fetch(recipients.listing, customer_id=customer_id)
        if not family:
            st.caption(t("recommended.nobody_cared_for"))
            return
        names = {one.id: one.name for one in family}
        whom = next(iter(names))
        if len(names) > 1:
            whom = st.segmented_control(
                t("recommended.whom"), list(names), default=whom, required=True,
                format_func=lambda one: names[one], key=f"recommended_whom_{customer_id}",
            )  # fmt: skip
        found = session.fetch(recommendations.for_wish, customer_id, whom, wanted)
        chosen = _listed(found, item, "recommended_wish", t("find.book"))
    if chosen is not None:
        book(chosen.caregiver_id)


def _listed(
    found: Sequence[Recommended], item: ItemView | None, key: str, deed: str
) -> Recommended | None:
    """One line each, the best first; whose button was pressed."""
    if not found:
        st.caption(t("recommended.nobody"))
        return None
    chosen = None
    for place, one in enumerate(found, 1):
        with st.container(border=True, gap="small", key=f"{key}_{one.caregiver_id}"):
            with layout.row():
                st.markdown(_head(place, one, item))
                if st.button(
                    deed, icon=":material/send:", key=f"{key}_take_{one.caregiver_id}",
                    type="primary" if place == 1 else "secondary",
                ):  # fmt: skip
                    chosen = one
            st.caption(board_reasons.figures(one.figures))
            if place > 1:
                name = formats.plain(one.name)
                st.markdown(board_reasons.beside(name, one.figures, one.more, found[0].figures))
    return chosen


def _head(place: int, one: Recommended, item: ItemView | None) -> str:
    price = formats.unit_price(one.price_fen, item.unit) if item else ""
    words = f"**{place}. {formats.plain(one.name)}** {price}"
    if one.applied:
        words += f" :green-badge[:material/how_to_reg: {t('recommended.applied')}]"
    return words
