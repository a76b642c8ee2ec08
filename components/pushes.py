"""Pushes: begun and followed by operators, and taken by the caregivers who are told."""

from collections import defaultdict

import streamlit as st

from components import catalogue, formats, icons, layout, live, navigation, session
from components.i18n import t
from services import pushes
from services.catalogue import ItemView
from services.hall import PushedTask
from services.news import Topic
from services.pushes import Pushable, PushStatus, PushView, Told

_SHOWN_AT_ONCE = 4
_CARD_WIDTH = 340
_WANTED = "push_wanted"


def section(city_code: str) -> None:
    """The pushes of a city as they go, and the demands that one would help."""
    _of_city(city_code)


@live.part(Topic.INBOX, Topic.HALL)
def _of_city(city_code: str) -> None:
    waiting = session.fetch(pushes.pushable, city_code)
    begun = session.fetch(pushes.listing, city_code)
    st.subheader(t("pushes.title"), anchor=False)
    st.caption(t("pushes.about"))
    if not waiting and not begun:
        layout.empty("pushes", icon=":material/campaign:")
        return
    items = catalogue.items()
    with st.grid("auto", min_column_width=_CARD_WIDTH):
        for one in layout.first_of(begun, "pushes", _SHOWN_AT_ONCE):
            _push(one, items)
    layout.more_button(begun, "pushes", _SHOWN_AT_ONCE)
    if waiting:
        _pushable(waiting, items)


def push_button(demand_id: int, told: int | None = None) -> None:
    """Tells the best few of a demand at once; or says how many a push has told so far."""
    if told is not None:
        st.badge(t("pushes.told", count=told), icon=":material/campaign:", color="blue")
    elif st.button(t("pushes.begin"), icon=":material/campaign:", key=f"push_{demand_id}"):
        session.perform("pushes.begun", pushes.begin, demand_id)


def take_wanted() -> None:
    """Take what she clicked before the hall is read anew: whoever came first may have it by now."""
    if (wanted := st.session_state.pop(_WANTED, None)) is not None:
        session.perform("pushes.taken", pushes.take, *wanted)


def answer_buttons(push: PushedTask, item: ItemView | None) -> None:
    """One click takes a demand at her own price; another puts it away."""
    price = formats.unit_price(push.price_fen, item.unit) if item else ""
    with layout.row():
        st.button(
            t("pushes.take", price=price),
            type="primary",
            icon=":material/bolt:",
            key=f"take_{push.push_id}",
            on_click=_want,
            args=(push.push_id, push.price_fen),
        )
        if st.button(t("pushes.say_no"), type="tertiary", key=f"say_no_{push.push_id}"):
            session.perform("pushes.said_no", pushes.say_no, push.push_id)


def _want(push_id: int, price_fen: int) -> None:
    st.session_state[_WANTED] = push_id, price_fen


def _pushable(waiting: list[Pushable], items: dict[int, ItemView]) -> None:
    with st.expander(
        t("pushes.waiting", count=len(waiting)),
        icon=":material/notifications_paused:",
        key="pushable",
        on_change="rerun",
    ) as opened:
        if not opened.open:
            return
        with st.grid("auto", min_column_width=_CARD_WIDTH):
            for one in waiting:
                with st.container(border=True, gap="small", key=f"pushable_{one.demand_id}"):
                    posted = t("applications.posted", ago=formats.ago(one.posted_at))
                    st.markdown(f"{_head(one, items)}  \n:gray[:small[{posted}]]")
                    push_button(one.demand_id)


def _push(one: PushView, items: dict[int, ItemView]) -> None:
    """One push: what for, how far it is, and who was told in which wave."""
    symbol, colour = icons.PUSH[one.status]
    how = f":{colour}-badge[{symbol} {t(f'push_status.{one.status}')}]"
    with st.container(border=True, height="stretch", gap="small", key=f"pushed_{one.id}"):
        st.markdown("  \n".join((f"{_head(one, items)}  \n{how} {_next(one)}", *_waves(one))))
        with layout.deeds(f"push_{one.id}"):
            if one.status is PushStatus.ACCEPTED and one.order_id is not None:
                navigation.link(
                    "orders", t("pushes.decide"), icon=":material/thumb_up:",
                    show="held", order=str(one.order_id),
                )  # fmt: skip
            if "stop" in one.moves and layout.confirmed(
                t("pushes.stop"),
                t("pushes.stop_warning"),
                f"stop_push_{one.id}",
                icon=":material/stop_circle:",
            ):
                session.perform("pushes.stopped", pushes.stop, one.id)


def _head(one: PushView | Pushable, items: dict[int, ItemView]) -> str:
    when = formats.span(one.starts_at, one.ends_at)
    where = formats.district(one.district_code)
    what = catalogue.item_name(items, one.item_id)
    return f"**{what}**  \n:small[:material/schedule: {when} · {where}]"


def _next(one: PushView) -> str:
    """When the next wave goes out, while one will; who began it."""
    by = t("pushes.by", name=formats.plain(one.begun_by))
    if one.status is not PushStatus.UNDER_WAY:
        return f":gray[:small[{by}]]"
    at = t("pushes.next", at=formats.time_of_day(one.next_wave_at))
    return f":gray[:small[{at} · {by}]]"


def _waves(one: PushView) -> list[str]:
    """Who was told, a line for each wave, the best fit first."""
    waves = defaultdict[int, list[Told]](list)
    for each in one.told:
        waves[each.wave].append(each)
    return [
        f":small[{t('pushes.wave', number=number, at=formats.time_of_day(told[0].told_at))}] "
        + " ".join(_name(each) for each in told)
        for number, told in waves.items()
    ]


def _name(one: Told) -> str:
    name = f"{one.rank} {formats.plain(one.name)}"
    if one.took_it:
        return f":green-badge[:material/check: {name}]"
    return f":gray-badge[~~{name}~~]" if one.said_no else f":blue-badge[{name}]"
