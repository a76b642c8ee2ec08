"""Stand-ins for a leave: who is proposed for each visit, changed or left out, and all asked."""

import streamlit as st

from components import catalogue, formats, layout, navigation, places, session, words
from components.i18n import t
from services import stand_ins
from services.access import Permission
from services.catalogue import ItemView
from services.dispatch.rules import Rule
from services.stand_ins import Line, Option, Outcome

_OUTCOME = "stand_ins_outcome"
_WANTED = "stand_ins_wanted"
_LEFT_OUT = 0
_CHOSEN = "stand_in_for_"


def stand_in_section(caregiver_id: int) -> None:
    """Every visit that a caregiver's leave hits, with the best who could make it."""
    _outcome()
    if not session.actor().may(Permission.FOLLOW_CITY_ORDERS):
        return
    if (wanted := st.session_state.pop(_WANTED, None)) is not None:
        session.perform(
            "stand_ins.asked", stand_ins.ask_all, wanted, keep=_OUTCOME, forget=(_CHOSEN,)
        )
    proposal = session.fetch(stand_ins.propose, caregiver_id)
    if not proposal.lines:
        return
    items = catalogue.items()
    with st.container(border=True, key="stand_ins"):
        st.subheader(t("stand_ins.title", count=len(proposal.lines) + proposal.more), anchor=False)
        st.caption(t("stand_ins.about"))
        chosen = [_line(line, items) for line in proposal.lines]
        wishes = [
            (line.visit_id, one)
            for line, one in zip(proposal.lines, chosen, strict=True)
            if one != _LEFT_OUT
        ]
        if proposal.more:
            st.caption(t("stand_ins.more", count=proposal.more))
        if wishes:
            st.button(
                t("stand_ins.ask", count=len(wishes)),
                type="primary",
                icon=":material/send:",
                key="ask_stand_ins",
                on_click=_want,
                args=(wishes,),
            )


def _want(wishes: list[tuple[int, int]]) -> None:
    """Remember who was read when the button was pressed: by now others may be proposed."""
    st.session_state[_WANTED] = wishes


def away_links() -> None:
    """The way to each caregiver whose leave hits visits that nobody is asked to make yet."""
    with layout.row():
        for one in session.fetch(stand_ins.away):
            navigation.link(
                "calendars",
                t("stand_ins.go", name=formats.plain(one.name), count=one.visits),
                icon=":material/swap_horiz:",
                caregiver=str(one.caregiver_id),
            )


def _outcome() -> None:
    """How many were asked just now, and who could not be asked any more."""
    outcome: Outcome | None = st.session_state.pop(_OUTCOME, None)
    if outcome is None:
        return
    st.info(t("stand_ins.outcome", count=outcome.asked), icon=":material/schedule_send:")
    for one in outcome.refused:
        st.warning(
            t(
                "stand_ins.not_asked",
                name=formats.plain(one.name),
                time=formats.moment(one.starts_at),
                why=words.of_refusal(one.refusal),
            ),
            icon=":material/person_off:",
        )


def _line(line: Line, items: dict[int, ItemView]) -> int:
    """One visit, and the number of whom the operator wants to ask for it (0: nobody)."""
    with st.container(border=True, gap="small", key=f"stand_in_{line.visit_id}"):
        item = f"**{catalogue.item_name(items, line.item_id)}**"
        time = formats.span(line.starts_at, line.ends_at)
        st.markdown(f"{item} · {formats.plain(line.family_name)}  \n:material/schedule: {time}")
        if line.answer_until is not None:
            until = formats.moment(line.answer_until)
            st.caption(t("stand_ins.waits", name=formats.plain(line.asked), time=until))
            return _LEFT_OUT
        if not line.options:
            _nobody(line)
            return _LEFT_OUT
        names = {one.id: one for one in line.options}
        # Somebody else proposed, another field: a choice made before is not mistaken for hers.
        proposed = line.proposed.id if line.proposed else _LEFT_OUT
        chosen = st.selectbox(
            t("stand_ins.whom"),
            [*names, _LEFT_OUT],
            index=[*names, _LEFT_OUT].index(proposed),
            format_func=lambda one: named(names[one]) if one else t("stand_ins.leave_out"),
            key=f"{_CHOSEN}{line.visit_id}_{proposed}",
        )
        st.caption(_why(line))
        return chosen


def _nobody(line: Line) -> None:
    """Nobody can come, and why the city's others cannot, counted."""
    counted = sorted(line.obstacles.items(), key=lambda each: -each[1])
    hindered = [
        t("find.hindered", count=count, what=t(f"dispatch_bar.{rule}")) for rule, count in counted
    ]
    why = formats.listed(hindered) if hindered else t(f"dispatch_rule.{Rule.NOBODY}")
    st.warning(t("stand_ins.nobody", why=why), icon=":material/person_off:")


def named(one: Option) -> str:
    """Somebody who could come, as a choice reads: her name, how far she lives, her score."""
    liked = one.score.overall
    score = t("caregiver.no_score") if liked is None else f"★ {liked:.1f}"
    return f"{one.name} · {places.band_name(one.distance)} · {score}"


def _why(line: Line) -> str:
    """Why this one is proposed, and who was next."""
    if line.proposed is None:
        refused = any(one.said_no for one in line.options)
        return t("stand_ins.all_said_no" if refused else "stand_ins.all_needed")
    said = [
        t("stand_ins.known", count=line.proposed.known)
        if line.proposed.known
        else t("stand_ins.new_face")
    ]
    others = [one for one in line.options if one.id != line.proposed.id and not one.said_no]
    if others:
        said.append(t("stand_ins.next", name=formats.plain(others[0].name)))
    else:
        said.append(t("stand_ins.only_one"))
    if no := [one.name for one in line.options if one.said_no]:
        said.append(t("stand_ins.said_no", names=formats.plain(formats.listed(no))))
    return " · ".join(said)
