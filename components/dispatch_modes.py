"""What goes by itself: the stop switch, what was done today, and a mode for every item."""

import streamlit as st

from components import catalogue, formats, icons, layout, live, session
from components.i18n import t
from services.board import automation
from services.board.automation import MOST_A_DAY, Automation, AutoMode, Limits, ModeView
from services.catalogue import ItemView
from services.news import Topic

_KEY = "auto"


def section(city_code: str) -> None:
    """How a city stands, and the form that changes it."""
    _by_itself(city_code)


@live.part(Topic.INBOX)
def _by_itself(city_code: str) -> None:
    found = session.fetch(automation.state, city_code)
    items = catalogue.items()
    st.subheader(t("automation.title"), anchor=False)
    st.caption(t("automation.about"))
    _switch(found, city_code)
    _today(found)
    _by_item(found, items)
    _change(found, items, city_code)


def _switch(found: Automation, city_code: str) -> None:
    """Stops everything at once, with a word why; or lets it go on."""
    with st.container(border=True, gap="small", key="auto_switch"):
        if found.stop is None:
            on = any(one.limits.mode is not AutoMode.OFF for one in found.modes)
            word = "automation.running" if on else "automation.nothing_on"
            st.markdown(f":{'green' if on else 'gray'}[:material/autoplay:] **{t(word)}**")
            with st.popover(
                t("automation.stop"),
                icon=":material/emergency_home:",
                type="primary" if on else "secondary",
                key="auto_stop_ask",
                on_change="rerun",
            ) as asked:
                if asked.open:
                    _stop(city_code)
            return
        by = t(
            "automation.stopped_by",
            name=formats.plain(found.stop.by),
            at=formats.moment(found.stop.at),
        )
        st.markdown(f":red[:material/emergency_home:] **{t('automation.stopped')}**  \n{by}")
        st.text(found.stop.words)
        if layout.confirmed(
            t("automation.go_on"),
            t("automation.go_on_warning"),
            "auto_go_on",
            icon=":material/play_arrow:",
        ):
            session.perform("automation.goes_on", automation.go_on, city_code)


def _stop(city_code: str) -> None:
    said = layout.reason_form("auto_stop", t("automation.stop_now"), t("automation.stop_hint"))
    if said is not None:
        session.perform(
            "automation.stopped_now", automation.stop, city_code, said, forget=("reason_auto_stop",)
        )


def _today(found: Automation) -> None:
    with layout.row():
        st.metric(t("automation.assigned_today"), found.assigned_today, width="content")
        last = formats.ago(found.last_run_at) if found.last_run_at else t("automation.never")
        st.metric(t("automation.last_run"), last, width="content")


def _by_item(found: Automation, items: dict[int, ItemView]) -> None:
    """The items something is done for by itself, with their limits."""
    active = [one for one in found.modes if one.limits.mode is not AutoMode.OFF]
    if not active:
        layout.empty("automation", icon=":material/toggle_off:")
        return
    with st.grid("auto", min_column_width=300):
        for one in active:
            with st.container(border=True, height="stretch", key=f"auto_item_{one.item_id}"):
                st.markdown("  \n".join(_facts(one, items)))


def _facts(one: ModeView, items: dict[int, ItemView]) -> list[str]:
    symbol, colour = icons.AUTO_MODE[one.limits.mode]
    mode = f":{colour}-badge[{symbol} {t(f'auto_mode.{one.limits.mode}')}]"
    lines = [f"**{catalogue.item_name(items, one.item_id)}** {mode}"]
    if one.limits.mode is AutoMode.ASSIGN:
        count, most = one.assigned_today, one.limits.most_a_day
        lines.append(f":small[{t('automation.so_many', count=count, most=most)}]")
        said = []
        if one.limits.most_fen is not None and (item := items.get(one.item_id)):
            price = formats.unit_price(one.limits.most_fen, item.unit)
            said.append(t("automation.up_to", price=price))
        if one.limits.only_offered:
            said.append(t("automation.only_offered_short"))
        if said:
            lines.append(f":gray[:small[{' · '.join(said)}]]")
    return lines


def _change(found: Automation, items: dict[int, ItemView], city_code: str) -> None:
    """One item at a time: its mode and limits; to assign by itself takes a typed word."""
    with st.expander(
        t("automation.change"), icon=":material/tune:", key="auto_change", on_change="rerun"
    ) as opened:
        if not opened.open:
            return
        modes = {one.item_id: one.limits for one in found.modes if one.item_id in items}
        item_id = st.selectbox(
            t("field.item"),
            list(modes),
            format_func=lambda one: catalogue.item_name(items, one),
            key=f"{_KEY}_item",
        )
        wanted = _limits(modes[item_id], items[item_id])
        sure = wanted.mode is not AutoMode.ASSIGN or _typed()
        if st.button(t("automation.save"), type="primary", disabled=not sure, key=f"{_KEY}_save"):
            session.perform(
                "automation.saved", automation.set_mode, city_code, item_id, wanted,
                forget=(f"{_KEY}_typed",),
            )  # fmt: skip


def _limits(now: Limits, item: ItemView) -> Limits:
    key = f"{_KEY}_{item.id}"
    mode = st.segmented_control(
        t("automation.mode"),
        list(AutoMode),
        default=now.mode,
        required=True,
        format_func=lambda one: f"{icons.AUTO_MODE[one][0]} {t(f'auto_mode.{one}')}",
        key=f"{key}_mode",
    )
    st.caption(t(f"automation.means_{mode}"))
    if mode is not AutoMode.ASSIGN:
        return Limits(AutoMode(mode), now.most_a_day, now.most_fen, now.only_offered)
    most_a_day = st.number_input(
        t("field.most_a_day"), 1, MOST_A_DAY, now.most_a_day, key=f"{key}_most"
    )
    unit = t(f"unit.{item.unit}")
    yuan = st.number_input(
        t("automation.most_price", unit=unit),
        item.lowest_fen // 100,
        item.highest_fen // 100,
        min(max(now.most_fen or item.highest_fen, item.lowest_fen), item.highest_fen) // 100,
        key=f"{key}_price",
    )
    only_offered = st.toggle(t("automation.only_offered"), now.only_offered, key=f"{key}_offered")
    return Limits(AutoMode.ASSIGN, most_a_day, yuan * 100, only_offered)


def _typed() -> bool:
    """Whether the word was typed that says that assigning by itself is meant."""
    word = t("auto_mode.assign")
    typed = st.text_input(t("automation.type_word", word=word), key=f"{_KEY}_typed")
    return typed.strip().lower() == word.lower()
