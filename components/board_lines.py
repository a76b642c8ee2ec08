"""The lines of a proposal: filtered, chosen, accepted, and one of them opened."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date

import pandas as pd
import streamlit as st

from components import (
    board_reasons,
    catalogue,
    formats,
    icons,
    layout,
    navigation,
    session,
    words,
)
from components.board_history import PICKED
from components.i18n import t
from services import clock
from services.board import acceptance, overrides, proposals
from services.board.overrides import OverrideKind, OverrideReason, OverrideView, Subject
from services.board.proposals import OPEN, LineState, LineView
from services.catalogue import ItemView
from services.errors import ServiceError

_OUTCOME = "board_outcome"
_WANTED = "board_wanted"
_LAID_DOWN = {
    OverrideKind.PIN: "board.pin_laid_down",
    OverrideKind.FORBID: "board.forbid_laid_down",
}
# A kind of lines, in the order in which they matter to whoever decides.
_KINDS = {
    "open": (LineState.PROPOSED, LineState.REFUSED, LineState.SAID_NO, LineState.LAPSED),
    "nobody": (LineState.NOBODY,),
    "done": (LineState.ASKED, LineState.STANDS),
    "kept": (LineState.KEPT, LineState.MOOT),
}


def narrowed(lines: Sequence[LineView], items: dict[int, ItemView]) -> list[LineView]:
    """The lines of the districts and items chosen above."""
    districts = sorted({one.district_code for one in lines})
    kinds = sorted({one.item_id for one in lines})
    if len(districts) < 2 and len(kinds) < 2:
        return list(lines)
    with layout.row():
        near = st.multiselect(
            t("field.district"), districts, format_func=formats.district, key="board_districts",
            placeholder=t("board.all_districts"), width=260,
        )  # fmt: skip
        chosen = st.multiselect(
            t("field.item"), kinds, format_func=lambda one: catalogue.item_name(items, one),
            key="board_items", placeholder=t("board.all_items"), width=260,
        )  # fmt: skip
    return [
        one
        for one in lines
        if (not near or one.district_code in near) and (not chosen or one.item_id in chosen)
    ]


def table(
    run_id: int,
    lines: Sequence[LineView],
    items: dict[int, ItemView],
    pick: Callable[[int], None],
) -> None:
    """Lines of a kind as rows to be chosen, and what can be accepted of them."""
    _accept_wanted(run_id)
    counts = Counter(
        kind for one in lines for kind, states in _KINDS.items() if one.state in states
    )
    kind = st.segmented_control(
        t("board.kind"),
        list(_KINDS),
        default=next((kind for kind in _KINDS if counts[kind]), "open"),
        required=True,
        format_func=lambda one: f"{t(f'board.kind_{one}')} {counts[one]}",
        key=f"board_kind_{run_id}",
        label_visibility="collapsed",
        wrap=True,
    )
    shown = [one for one in lines if one.state in _KINDS[kind]]
    if not shown:
        st.caption(t(f"board.none_{kind}"))
        return
    chosen = _rows(shown, items, pick, f"board_rows_{run_id}_{kind}")
    _accept_buttons(shown, [one for one in chosen if one.state in OPEN])


def _rows(
    shown: Sequence[LineView], items: dict[int, ItemView], pick: Callable[[int], None], name: str
) -> list[LineView]:
    # A list that changed has nothing selected: the same row may be another line.
    key = f"{name}_{hash(tuple((one.number, one.state) for one in shown))}"

    def pressed() -> None:
        rows = st.session_state[key].selection.rows
        if len(rows) == 1:
            pick(shown[rows[0]].number)

    column = st.column_config
    picked = st.dataframe(
        pd.DataFrame(
            {
                "time": [formats.span(one.starts_at, one.ends_at) for one in shown],
                "item": [catalogue.item_name(items, one.item_id) for one in shown],
                "district": [formats.district(one.district_code) for one in shown],
                "family": [one.family_name for one in shown],
                "before": [one.before_name or t("board.nobody_yet") for one in shown],
                "after": [_after(one) for one in shown],
                "state": [t(f"board.state_{one.state}") for one in shown],
            }
        ),
        hide_index=True,
        height="content" if len(shown) < 9 else 340,
        column_config={
            "time": column.TextColumn(t("board.time"), pinned=True),
            "item": column.TextColumn(t("field.item")),
            "district": column.TextColumn(t("field.district")),
            "family": column.TextColumn(t("board.family")),
            "before": column.TextColumn(t("board.before")),
            "after": column.TextColumn(t("board.after")),
            "state": column.TextColumn(t("board.state")),
        },
        on_select=pressed,
        selection_mode="multi-row",
        key=key,
        alt=t("board.lines"),
    )
    return [shown[row] for row in picked.selection.rows if row < len(shown)]


def _after(one: LineView) -> str:
    if one.caregiver_name:
        return one.caregiver_name
    return t(f"dispatch_rule.{one.rule}") if one.rule else ""


def _accept_buttons(shown: Sequence[LineView], chosen: Sequence[LineView]) -> None:
    every = [one.number for one in shown if one.state in OPEN]
    if not every:
        return
    with layout.deeds("board_accept"):
        with st.popover(
            t("board.accept_all", count=len(every)),
            icon=":material/done_all:",
            type="secondary" if chosen else "primary",
            key="board_accept_all_ask",
            on_change="rerun",
        ) as asked:
            if asked.open:
                st.markdown(t("board.accept_all_about", count=len(every)))
                st.button(
                    t("frame.confirm"), type="primary", key="board_accept_all",
                    on_click=_want, args=(every,),
                )  # fmt: skip
        if chosen:
            st.button(
                t("board.accept_chosen", count=len(chosen)),
                icon=":material/check:",
                type="primary",
                key="board_accept_chosen",
                on_click=_want,
                args=([one.number for one in chosen],),
            )
    st.caption(t("board.accept_about"))


def _want(numbers: list[int]) -> None:
    """Remember which lines were seen when the button was pressed."""
    st.session_state[_WANTED] = numbers


def _accept_wanted(run_id: int) -> None:
    """Accept what was wanted, some at a time, and say how it went."""
    if wanted := st.session_state.pop(_WANTED, None):
        st.session_state[_OUTCOME] = _accepted(run_id, wanted)
        st.rerun()
    outcome: tuple[int, list[tuple[int, ServiceError]]] | None = st.session_state.pop(
        _OUTCOME, None
    )
    if outcome is None:
        return
    accepted, refused = outcome
    if accepted:
        st.success(t("board.accepted", count=accepted), icon=":material/check_circle:")
    for number, refusal in refused:
        st.warning(
            t("board.not_accepted", number=number, why=words.of_refusal(refusal)),
            icon=":material/block:",
        )


def _accepted(run_id: int, wanted: Sequence[int]) -> tuple[int, list[tuple[int, ServiceError]]]:
    """Accept lines in as many transactions as it takes, with a bar that says how far it is."""
    accepted, refused = 0, list[tuple[int, ServiceError]]()
    bar = st.progress(0.0, t("board.accepting"))
    for begin in range(0, len(wanted), acceptance.MOST_LINES):
        part = wanted[begin : begin + acceptance.MOST_LINES]
        outcome = session.disclose(acceptance.accept, run_id, part)
        if outcome is None:
            break
        accepted += outcome.accepted
        refused += outcome.refused
        bar.progress((begin + len(part)) / len(wanted), t("board.accepting"))
    return accepted, refused


def opened(
    run_id: int, line: LineView, items: dict[int, ItemView], close: Callable[[], None]
) -> None:
    """One line: what it is, why, and what the operator can do about it."""
    with st.container(border=True, key="board_line"):
        with layout.row():
            st.subheader(
                f"{catalogue.item_name(items, line.item_id)} · {formats.plain(line.family_name)}",
                anchor=False,
            )
            board_reasons.state_badge(line)
            st.button(
                t("board.close"), icon=":material/close:", type="tertiary", key="board_close",
                on_click=close,
            )  # fmt: skip
        st.caption(_about(line, items))
        if line.refusal:
            st.warning(t(line.refusal), icon=":material/block:")
        if line.caregiver_id is None:
            board_reasons.unserved(run_id, line)
        else:
            board_reasons.reasons(run_id, line)
        _deeds(run_id, line)


def _about(line: LineView, items: dict[int, ItemView]) -> str:
    parts = [
        f":material/schedule: {formats.span(line.starts_at, line.ends_at)}",
        f":material/location_on: {formats.district(line.district_code)}",
    ]
    if line.caregiver_id is not None:
        unit = items[line.item_id].unit
        parts.append(f":material/payments: {formats.unit_price(line.price_fen, unit)}")
    if line.before_name:
        parts.append(t("board.was_to_come", name=formats.plain(line.before_name)))
    return " · ".join(parts)


def _deeds(run_id: int, line: LineView) -> None:
    if line.order_id is not None:
        navigation.link(
            "orders",
            t("board.see_order", number=line.order_id),
            icon=":material/list_alt:",
            order=str(line.order_id),
        )
    if line.state not in (*OPEN, LineState.NOBODY, LineState.KEPT):
        return
    subject = Subject(line.demand_id, line.visit_id)
    with layout.deeds("board_line_deeds"):
        if line.state in OPEN:
            st.button(
                t("board.accept_one"), icon=":material/check:", type="primary",
                key="board_accept_one", on_click=_want, args=([line.number],),
            )  # fmt: skip
        with st.popover(
            t("board.move" if line.caregiver_id else "board.send"),
            icon=":material/push_pin:",
            key="board_move_ask",
            on_change="rerun",
        ) as moving:
            if moving.open:
                _move(run_id, line, subject)
        if line.caregiver_id is not None:
            with st.popover(
                t("board.forbid", name=formats.plain(line.caregiver_name)),
                icon=":material/person_cancel:",
                key="board_forbid_ask",
                on_change="rerun",
            ) as banning:
                if banning.open:
                    _override(subject, line.caregiver_id, OverrideKind.FORBID)


def _move(run_id: int, line: LineView, subject: Subject) -> None:
    """Choose somebody else, see what it costs the whole plan, and lay it down."""
    with st.spinner(t("board.looking")):
        found = session.fetch(proposals.recommended, run_id, line.number)
    others = [one for one in found if one.visit.caregiver_id != line.caregiver_id]
    if not others:
        st.caption(t("board.nobody_else"))
        return
    ids = [one.visit.caregiver_id for one in others]
    names = session.fetch(proposals.names, ids)
    named = board_reasons.choices(others, names)
    chosen = st.selectbox(
        t("board.who_instead"), list(named), format_func=lambda one: named[one],
        key=f"board_instead_{line.number}",
    )  # fmt: skip
    with st.spinner(t("board.looking")):
        board_reasons.pinning(run_id, line, chosen, names.get(chosen, ""))
    _override(subject, chosen, OverrideKind.PIN)


def _override(subject: Subject, caregiver_id: int, kind: OverrideKind) -> None:
    """Why, from a list and in words, and the button that lays it down."""
    key = f"board_{kind}_{subject.demand_id}_{subject.visit_id}"
    with st.form(f"{key}_form", border=False):
        reason = st.selectbox(
            t("field.reason"),
            list(OverrideReason),
            format_func=lambda one: t(f"override_reason.{one}"),
            key=f"{key}_reason",
        )
        said = st.text_area(
            t("board.words"), key=f"{key}_words", max_chars=300, placeholder=t("board.words_hint")
        )
        if st.form_submit_button(t(f"board.do_{kind}"), type="primary", key=key):
            session.perform(
                _LAID_DOWN[kind],
                overrides.lay_down,
                subject,
                caregiver_id,
                kind,
                reason,
                said or "",
                # The line closes, and what was opened on it.
                forget=(key, PICKED),
            )


def standing(found: Sequence[OverrideView], items: dict[int, ItemView]) -> None:
    """What operators laid down, each to be lifted."""
    for one in found:
        with st.container(border=True, gap="small", key=f"override_{one.id}"):
            with layout.row():
                symbol, _ = icons.OVERRIDE[one.kind]
                name = formats.plain(one.caregiver_name)
                st.markdown(f"{symbol} **{t(f'board.says_{one.kind}', name=name)}**")
                st.button(
                    t("board.lift"), icon=":material/undo:", type="tertiary",
                    key=f"lift_{one.id}", on_click=_lift, args=(one.id,),
                )  # fmt: skip
            about = [
                catalogue.item_name(items, one.item_id),
                formats.moment(one.starts_at),
                t(f"override_reason.{one.reason}"),
                t("board.said_by", name=formats.plain(one.made_by)),
            ]
            st.caption(" · ".join(about))
            if one.words:
                st.text(one.words)
    if (lifted := st.session_state.pop("board_lift", None)) is not None:
        session.perform("board.lifted", overrides.lift, lifted)


def _lift(override_id: int) -> None:
    st.session_state["board_lift"] = override_id


def days_of(lines: Sequence[LineView]) -> list[date]:
    """The days on which there is something to see, soonest first."""
    return sorted({clock.in_city(one.starts_at).date() for one in lines})
