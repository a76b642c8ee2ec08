"""A version of the rules tried out on days gone by: what would have changed, and for whom."""

from collections.abc import Mapping
from datetime import timedelta

import pandas as pd
import streamlit as st

from components import formats, rule_fields, session
from components.figures import charts
from components.i18n import t
from services import clock, replays
from services.replays import Count, Replay, Side, Total
from services.rules import VersionView

_PERIOD = timedelta(days=30)
_MOST_DRAWN = 8


def tried_out(version: VersionView) -> None:
    """Choose days gone by and see what this version would have made of them."""
    key = f"replay_{version.id}"
    with st.expander(
        t("replays.title"), icon=":material/science:", key=key, on_change="rerun"
    ) as opened:
        if not opened.open:
            return
        st.caption(t("replays.about"))
        yesterday = clock.today() - timedelta(days=1)
        chosen = st.date_input(
            t("replays.days"),
            (clock.today() - _PERIOD, yesterday),
            max_value=yesterday,
            key=f"{key}_days",
        )
        if len(chosen) < 2:
            st.info(t("replays.choose"), icon=":material/date_range:")
        elif not version.changes:
            st.info(t("replays.nothing_changed"), icon=":material/edit:")
        else:
            with st.spinner(t("replays.working")):
                found = session.fetch(replays.replay, version.id, *chosen)
            _shown(found, key)


def _shown(found: Replay, key: str) -> None:
    if found.visits:
        st.markdown(t("replays.visits", count=found.visits))
        _totals(found.totals)
    else:
        st.info(t("replays.no_visits"), icon=":material/event_busy:")
    _counts(found.counts)
    if found.untold:
        names = formats.listed(rule_fields.named(one) for one in found.untold)
        st.caption(t("replays.untold", names=names))
    if found.visits:
        _people(found, key)


def _totals(totals: Mapping[Total, tuple[int, int, int]]) -> None:
    with st.grid(3, min_column_width=160):
        for name, (_, now, then) in totals.items():
            st.metric(
                t(f"replays.{name}"),
                formats.money(then),
                _signed(then - now),
                delta_color="off",
                delta_arrow="off" if then == now else "up" if then > now else "down",
                border=True,
                help=t("replays.now", amount=formats.money(now)),
            )
    booked, now, _ = totals[Total.FAMILIES]
    if booked != now:
        st.caption(t("replays.booked", amount=formats.money(booked), now=formats.money(now)))


def _signed(fen: int) -> str:
    if fen == 0:
        return t("replays.same")
    return f"{'+' if fen > 0 else '−'}{formats.money(abs(fen))}"


def _counts(counts: Mapping[Count, tuple[int, int]]) -> None:
    for name, (now, then) in counts.items():
        say = formats.money if name is Count.WAITING_FEN else str
        st.markdown(f"- {t(f'replays.{name}', now=say(now), then=say(then))}")


def _people(found: Replay, key: str) -> None:
    side = st.segmented_control(
        t("replays.whose"),
        list(Side),
        default=Side.CAREGIVER,
        required=True,
        format_func=lambda one: t(f"replays.side_{one}"),
        key=f"{key}_side",
    )
    people = found.people[found.people["side"] == side].reset_index(drop=True)
    moved = people[people["change_fen"] != 0]
    more, less = (people["change_fen"] > 0).sum(), (people["change_fen"] < 0).sum()
    st.markdown(t(f"replays.{side}_moved", more=more, less=less, same=len(people) - more - less))
    if moved.empty:
        return
    names = _named(moved, side, key)
    _drawn(moved, names, key)
    _table(moved, names, key)


def _named(people: pd.DataFrame, side: Side, key: str) -> list[str]:
    """A number for each person, or the names of those who are drawn, which is audited."""
    aliases = [t(f"replays.{side}_alias", number=number) for number in range(1, len(people) + 1)]
    if not st.toggle(t("replays.names"), key=f"{key}_{side}_names", help=t("replays.names_help")):
        return aliases
    ids = [int(one) for one in people["account_id"].head(2 * _MOST_DRAWN)]
    named = session.disclose(replays.names, ids) or {}
    return [
        named.get(int(account_id), alias)
        for account_id, alias in zip(people["account_id"], aliases, strict=True)
    ]


def _drawn(people: pd.DataFrame, names: list[str], key: str) -> None:
    """Who gains and who loses most, the one on top of the other."""
    told = (
        people.assign(name=names).head(2 * _MOST_DRAWN).sort_values("change_fen", ascending=False)
    )
    yuan = (told["change_fen"] / 100).tolist()
    charts.draw(
        charts.bars(
            {
                t("replays.gains"): [max(one, 0) for one in yuan],
                t("replays.loses"): [min(one, 0) for one in yuan],
            },
            told["name"].tolist(),
            stacked=True,
            prefix="¥",
        ),
        key=f"{key}_chart",
        alt=t("replays.chart"),
        rows=len(told),
    )


def _table(people: pd.DataFrame, names: list[str], key: str) -> None:
    column = st.column_config
    st.dataframe(
        pd.DataFrame(
            {
                "name": names,
                "visits": people["visits"],
                "now": [formats.money(fen) for fen in people["now_fen"]],
                "then": [formats.money(fen) for fen in people["then_fen"]],
                "change": [_signed(fen) for fen in people["change_fen"]],
            }
        ),
        hide_index=True,
        height="content" if len(people) < 10 else 380,
        column_config={
            "name": column.TextColumn(t("replays.name"), pinned=True),
            "visits": column.NumberColumn(t("replays.visits_column")),
            "now": column.TextColumn(t("rules.before"), alignment="right"),
            "then": column.TextColumn(t("rules.after"), alignment="right"),
            "change": column.TextColumn(t("replays.change"), alignment="right"),
        },
        key=f"{key}_people",
        alt=t("replays.table"),
    )
