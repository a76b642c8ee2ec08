"""A caregiver's own prices: what she does, for how much, and what families see of it."""

import streamlit as st

from components import catalogue, formats, session
from components.i18n import name, t
from services import price_bounds
from services.caregivers import Offer
from services.catalogue import ItemView
from services.price_bounds import Bounds


def price_fields(now: tuple[Offer, ...], city_code: str, key: str) -> tuple[Offer, ...]:
    """Which care she does and for how much; families find her for these."""
    st.caption(t("my_profile.offers_about"))
    items = catalogue.offered(catalogue.items())
    prices = {offer.item_id: offer.price_fen for offer in now}
    chosen = st.pills(
        t("my_profile.offers"),
        list(items),
        selection_mode="multi",
        default=[item_id for item_id in prices if item_id in items],
        format_func=lambda item_id: name(items[item_id]),
        key=f"{key}_offers",
        label_visibility="collapsed",
        persist_state="session",
    )
    bounds = session.fetch(price_bounds.own, city_code)
    with st.grid("auto", min_column_width=200):
        return tuple(
            Offer(item_id, 100 * _yuan(items[item_id], prices.get(item_id), bounds[item_id], key))
            for item_id in chosen
        )


def _yuan(item: ItemView, price_fen: int | None, bounds: Bounds, key: str) -> int:
    """Her own price within the catalogue's range, and what families see of it today."""
    lowest, highest = item.lowest_fen // 100, item.highest_fen // 100
    usual = (price_fen or (bounds.lowest_fen + bounds.highest_fen) // 2) // 100
    with st.container(gap="small"):
        yuan = st.number_input(
            f"{name(item)} · {t('my_profile.yuan_per', unit=t(f'unit.{item.unit}'))}",
            lowest,
            highest,
            min(max(usual, lowest), highest),
            key=f"{key}_price_{item.id}",
            help=catalogue.item_price(item),
            persist_state="session",
        )
        if bounds != Bounds(item.lowest_fen, item.highest_fen):
            st.caption(
                t(
                    "my_profile.bounded",
                    range=formats.price_range(bounds.lowest_fen, bounds.highest_fen, item.unit),
                    price=formats.unit_price(bounds.clamp(100 * yuan), item.unit),
                )
            )
    return yuan
