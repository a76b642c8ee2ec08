"""Cities as their operators keep them: figures, settings, and opening, pausing, closing."""

import pandas as pd
import streamlit as st

from components import closures, formats, icons, layout, navigation, places, session
from components.i18n import name, t
from services import cities, regions
from services.cities import CitySettings, Consequences, KeptCity

_NEW = "new_city"
_MOVE_ICONS = {
    "pause": ":material/pause_circle:",
    "resume": ":material/play_circle:",
    "close": ":material/do_not_disturb_on:",
    "reopen": ":material/play_circle:",
}
_WHOLE_NUMBERS = (
    "redeem_lock_minutes",
    "rejected_document_days", "document_days",
    "photo_days", "redeem_reminder_hours", "expiry_days", "answer_minutes",
)  # fmt: skip
_SWITCHES = ("operator_approves", "verify_customers")
_HALF_HOUR = 30
_DONE = {
    "pause": "cities.paused",
    "resume": "cities.resumed",
    "close": "cities.closed",
    "reopen": "cities.reopened",
}


def city_cards(kept: list[KeptCity]) -> None:
    """Each of the operator's cities, with what can be done about it."""
    if not kept:
        layout.empty("cities", icon=":material/location_city:")
    for city in kept:
        with st.container(border=True, key=f"city_{city.code}"):
            _head(city)
            _figures(city)
            with layout.row():
                for move in city.open_moves:
                    _move(city, move)
            _settings(city)
            closures.city_days(city.code)


def _head(city: KeptCity) -> None:
    with layout.row():
        st.subheader(places.city_path(city.code), anchor=False, width="content")
        layout.badge(icons.CITY[city.status], t(f"city_status.{city.status}"))
        st.markdown(f":material/call: {formats.plain(city.settings.hotline)}", width="content")


def _figures(city: KeptCity) -> None:
    with st.grid(4, min_column_width=150):
        st.metric(t("cities.open_orders"), city.open_orders, border=True, format="localized")
        st.metric(t("cities.open_demands"), city.open_demands, border=True, format="localized")
        st.metric(t("cities.caregivers"), city.caregivers, border=True, format="localized")
        st.metric(
            t("cities.customers"),
            city.customers,
            border=True,
            format="localized",
            help=t("cities.customers_help"),
        )


def _move(city: KeptCity, move: str) -> None:
    """Asks once more, and tells what is under way before that is stopped."""
    with st.popover(
        t(f"cities.{move}"),
        icon=_MOVE_ICONS[move],
        key=f"{move}_{city.code}_ask",
        on_change="rerun",
    ) as asked:
        if not asked.open:
            return
        st.markdown(t(f"cities.{move}_warning"))
        if move in ("pause", "close"):
            _consequences(session.fetch(cities.consequences, city.code))
        if st.button(t("frame.confirm"), type="primary", key=f"{move}_{city.code}"):
            session.perform(_DONE[move], cities.move, city.code, move)


def _consequences(found: Consequences) -> None:
    if not (found.open_orders or found.open_demands or found.requests):
        st.caption(f":material/task_alt: {t('cities.nothing_open')}")
        return
    counts = (
        t("cities.orders_count", count=found.open_orders),
        t("cities.demands_count", count=found.open_demands),
        t("cities.requests_count", count=found.requests),
    )
    st.markdown("  \n".join(counts))
    if not found.orders:
        return
    column = st.column_config
    st.dataframe(
        pd.DataFrame(
            {
                "number": [order.number for order in found.orders],
                "time": [formats.moment(order.starts_at) for order in found.orders],
                "caregiver": [order.caregiver_name for order in found.orders],
            }
        ),
        hide_index=True,
        height=min(len(found.orders), 6) * 35 + 38,
        column_config={
            "number": column.NumberColumn(t("orders_page.number"), format="%d", width="small"),
            "time": column.TextColumn(t("orders_page.time")),
            "caregiver": column.TextColumn(t("orders_page.caregiver")),
        },
        alt=t("cities.orders_table"),
        key="city_open_orders",
    )
    if (more := found.open_orders - len(found.orders)) > 0:
        st.caption(t("cities.more_orders", count=more))
    navigation.link("orders", t("page.orders"), icon=":material/list_alt:")


def _settings(city: KeptCity) -> None:
    key = f"settings_{city.code}"
    with st.expander(
        t("cities.settings"), icon=":material/tune:", key=key, on_change="rerun"
    ) as opened:
        if not opened.open:
            return
        with st.form(f"{key}_form", border=False):
            form = _settings_fields(city.settings, key)
            st.caption(t("cities.settings_note"))
            if st.form_submit_button(t("cities.save"), type="primary", key=f"{key}_save"):
                session.perform(
                    "cities.saved", cities.keep_settings, city.code, form, forget=(key,)
                )


def _settings_fields(now: CitySettings, key: str) -> CitySettings:
    with st.grid(3, min_column_width=220):
        hotline = st.text_input(t("field.hotline"), now.hotline, key=f"{key}_hotline", max_chars=20)
        whole = {
            field: st.number_input(
                t(f"field.{field}"),
                value=getattr(now, field),
                key=f"{key}_{field}",
                help=t(f"cities.{field}_help"),
            )
            for field in _WHOLE_NUMBERS
        }
    desk = now.desk_from_minute, now.desk_until_minute
    opens, closes = st.select_slider(
        t("field.desk_hours"),
        sorted({*range(0, 24 * 60 + 1, _HALF_HOUR), *desk}),
        desk,
        format_func=formats.hour_minute,
        key=f"{key}_desk_hours",
        help=t("cities.desk_hours_help"),
    )
    reminders = st.pills(
        t("field.reminder_hours"),
        cities.REMINDER_HOURS,
        selection_mode="multi",
        default=[one for one in cities.REMINDER_HOURS if one in now.reminder_hours],
        format_func=lambda hours: t("cities.hours_before", count=hours),
        key=f"{key}_reminder_hours",
        help=t("cities.reminder_hours_help"),
    )
    switched = {
        field: st.toggle(
            t(f"field.{field}"),
            getattr(now, field),
            key=f"{key}_{field}",
            help=t(f"cities.{field}_help"),
        )
        for field in _SWITCHES
    }
    return CitySettings(
        hotline=hotline,
        reminder_hours=tuple(reminders),
        desk_from_minute=opens,
        desk_until_minute=closes,
        **switched,
        **whole,
    )


def new_city() -> None:
    """Open another city of the national list."""
    with st.expander(
        t("cities.new"), icon=":material/add_location_alt:", key=_NEW, on_change="rerun"
    ) as opened:
        if not opened.open:
            return
        st.caption(t("cities.new_note"))
        left, right = st.columns(2)
        province = left.selectbox(
            t("field.province"),
            [province.code for province in regions.provinces()],
            format_func=formats.district,
            key=f"{_NEW}_province",
        )
        code = right.selectbox(
            t("field.city"),
            [city.code for city in regions.cities_of(province)],
            format_func=formats.city,
            key=f"{_NEW}_city_{province}",
        )
        hotline = st.text_input(t("field.hotline"), key=f"{_NEW}_hotline", max_chars=20)
        if st.button(
            t("cities.open", city=name(regions.region(code))),
            type="primary",
            icon=":material/location_city:",
            key=f"{_NEW}_open",
        ):
            session.perform("cities.opened", cities.add, code, hotline, forget=(_NEW,))
