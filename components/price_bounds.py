"""Base prices as operators see and set them: by item and level, of today and to come."""

from datetime import timedelta

import streamlit as st

from components import catalogue, formats, icons, layout, session, tables
from components.caregivers import level_name
from components.i18n import name, t
from services import clock, price_bounds
from services.catalogue import ItemView
from services.price_bounds import Bounds, CaregiverLevel, CityPrices, Dated


def city_prices(kept: CityPrices) -> None:
    """What each level may ask for each item; the row that was clicked is set anew."""
    items = catalogue.items()
    with st.container(border=True, key=f"price_bounds_{kept.city_code}"):
        st.subheader(t("price_bounds.title"), anchor=False)
        st.caption(t("price_bounds.about"))
        if not kept.kept and not kept.coming:
            st.info(t("price_bounds.none"), icon=":material/menu_book:")
        for day, item_id in kept.unfair:
            st.warning(
                t(
                    "price_bounds.unfair",
                    item=catalogue.item_name(items, item_id),
                    day=formats.date_alone(day),
                ),
                icon=":material/warning:",
            )
        chosen = _table(kept, list(catalogue.offered(items).values()))
        if chosen is None:
            st.caption(t("price_bounds.choose"))
        else:
            _new(kept, chosen)
        if kept.coming:
            st.markdown(f"**{t('price_bounds.coming')}**")
        for one in kept.coming:
            if one.item_id in items:
                _coming(one, items[one.item_id])


def _table(kept: CityPrices, items: list[ItemView]) -> ItemView | None:
    column = st.column_config
    return tables.chosen(
        items,
        {
            "item": [name(item) for item in items],
            **{level: [_said(kept, item, level) for item in items] for level in CaregiverLevel},
            "unit": [t(f"unit.{item.unit}") for item in items],
        },
        {
            "item": column.TextColumn(t("field.item"), width=150),
            **{level: column.TextColumn(level_name(level), width=100) for level in CaregiverLevel},
            "unit": column.TextColumn(t("price_bounds.unit"), width="small"),
        },
        key=f"price_bounds_{kept.city_code}",
        alt=t("price_bounds.table"),
    )


def _said(kept: CityPrices, item: ItemView, level: CaregiverLevel) -> str:
    bounds = kept.now[item.id, level]
    said = formats.total_range(bounds.lowest_fen, bounds.highest_fen)
    own = (item.id, level) in kept.kept
    return said if own else f"({said})"


def _range(bounds: Bounds, item: ItemView) -> str:
    return formats.price_range(bounds.lowest_fen, bounds.highest_fen, item.unit)


def _coming(one: Dated, item: ItemView) -> None:
    with layout.row():
        st.markdown(
            f"{icons.LEVEL[one.level]} "
            + t(
                "price_bounds.says",
                day=formats.date_alone(one.valid_from),
                year=one.valid_from.year,
                item=name(item),
                level=level_name(one.level),
                range=_range(one.bounds, item),
            ),
            width="content",
        )
        if layout.confirmed(
            t("price_bounds.drop"),
            t("price_bounds.drop_means"),
            f"drop_base_price_{one.id}",
            icon=":material/delete:",
        ):
            session.perform("price_bounds.dropped", price_bounds.drop, one.id)


def _new(kept: CityPrices, item: ItemView) -> None:
    """Bounds of one item and level from a day on, beginning with those of today."""
    key = f"base_price_{kept.city_code}_{item.id}"
    st.markdown(f"**{t('price_bounds.new', item=name(item))}**")
    level = st.segmented_control(
        t("field.caregiver_level"),
        list(CaregiverLevel),
        default=CaregiverLevel.JUNIOR,
        required=True,
        format_func=lambda one: f"{icons.LEVEL[one]} {level_name(one)}",
        key=f"{key}_level",
    )
    now = kept.now[item.id, level]
    with st.form(f"{key}_{level}_form", border=False):
        with st.grid(3, min_column_width=160):
            lowest = _yuan_field("lowest", now.lowest_fen, item, f"{key}_{level}")
            highest = _yuan_field("highest", now.highest_fen, item, f"{key}_{level}")
            valid_from = st.date_input(
                t("field.valid_from"),
                clock.today() + timedelta(days=1),
                key=f"{key}_{level}_valid_from",
            )
        st.caption(t("price_bounds.within", range=catalogue.item_price(item)))
        if st.form_submit_button(t("price_bounds.set"), type="primary", key=f"{key}_{level}_set"):
            session.perform(
                "price_bounds.saved",
                price_bounds.keep,
                kept.city_code,
                item.id,
                level,
                valid_from,
                100 * lowest,
                100 * highest,
                forget=(f"{key}_{level}_",),
            )


def _yuan_field(which: str, now_fen: int, item: ItemView, key: str) -> int:
    unit = t("my_profile.yuan_per", unit=t(f"unit.{item.unit}"))
    return st.number_input(
        f"{t(f'price_bounds.{which}')} · {unit}", value=now_fen // 100, step=1, key=f"{key}_{which}"
    )
