"""Why a line of a proposal is as it is: terms, who was next, what another choice would cost."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import streamlit as st

from components import formats, layout, session
from components.figures import charts
from components.i18n import t
from services.board import proposals
from services.board.proposals import LineState, LineView
from services.dispatch.counterfactuals import (
    Change,
    HigherPrice,
    LaterStart,
    MoreCaregivers,
    WithoutPin,
)
from services.dispatch.explaining import Candidate
from services.dispatch.rules import Rule
from services.dispatch.weights import Term

# Said of a term only if it matters so many minutes.
_MATTERS = 1.0
_MOST_SAID = 3


def reasons(run_id: int, line: LineView) -> None:
    """Why this caregiver, and the next two beside her, term by term."""
    told = session.fetch(proposals.explanation, run_id, line.number)
    st.markdown(t("board.why", name=formats.plain(line.caregiver_name), cost=_minutes(line.cost)))
    st.caption(figures(told))
    if told["pinned"]:
        st.caption(f":material/push_pin: {t('board.pinned')}")
    names = session.fetch(proposals.names, [one["caregiver_id"] for one in told["rivals"]])
    for one in told["rivals"]:
        name = formats.plain(names.get(one["caregiver_id"], ""))
        st.markdown(f"- {beside(name, one, one['more'], told, pinned=told['pinned'])}")
    if not told["rivals"]:
        st.caption(t("board.no_rival"))
    _drawn(line, told, names)


def figures(told: Mapping[str, Any]) -> str:
    """What of her the choice rests on, in figures."""
    parts = [
        t("board.way", minutes=_minutes(told["way_minutes"])),
        f"★ {told['rating']:.1f}",
        t("board.booked", hours=_hours(told["booked"]), available=_hours(told["available"])),
        t("board.known", count=told["visits"]) if told["visits"] else t("board.unknown"),
    ]
    return " · ".join(parts)


def beside(
    name: str,
    rival: Mapping[str, Any],
    more: Mapping[str, float],
    chosen: Mapping[str, Any],
    *,
    pinned: bool = False,
) -> str:
    """How another compares: "李娜: 8 minutes nearer, but 46 of 44 hours this week already"."""
    ranked = sorted(more.items(), key=lambda one: -abs(one[1]))[:_MOST_SAID]
    better = [_term(t_, rival, chosen, better=True) for t_, cost in ranked if cost <= -_MATTERS]
    worse = [_term(t_, rival, chosen, better=False) for t_, cost in ranked if cost >= _MATTERS]
    if not better and not worse:
        return t("board.alike", name=name)
    total = _sum(sum(more.values()), pinned=pinned)
    if better and worse:
        good, bad = formats.listed(better), formats.listed(worse)
        return t("board.rival_both", name=name, better=good, worse=bad, sum=total)
    return t("board.rival_one", name=name, what=formats.listed(better or worse), sum=total)


def _sum(cost: float, *, pinned: bool) -> str:
    """What all terms come to; who costs less is wanted elsewhere, or another was pinned."""
    minutes = _minutes(abs(cost))
    if abs(cost) < _MATTERS:
        return t("board.sum_alike")
    if cost > 0:
        return t("board.sum_more", cost=minutes)
    return t("board.sum_but_pinned" if pinned else "board.sum_less", cost=minutes)


def _term(term: str, rival: Mapping[str, Any], chosen: Mapping[str, Any], *, better: bool) -> str:
    """What a term says of one beside another, in words and figures."""
    way = abs(rival["way_minutes"] - chosen["way_minutes"])
    return t(
        f"board.better_{term}" if better else f"board.worse_{term}",
        minutes=_minutes(way),
        rating=f"{rival['rating']:.1f}",
        hours=_hours(rival["booked"]),
        available=_hours(rival["available"]),
        count=rival["visits"],
    )


def _drawn(line: LineView, told: Mapping[str, Any], names: Mapping[int, str]) -> None:
    """The terms of all three as bars on top of each other: whoever has the shortest is sent."""
    people = [line.caregiver_name, *(names.get(one["caregiver_id"], "") for one in told["rivals"])]
    terms: list[dict[str, float]] = [told["terms"]]
    for one in told["rivals"]:
        terms.append({term: told["terms"][term] + more for term, more in one["more"].items()})
    series = _series(terms)
    if not series:
        return
    charts.draw(
        charts.bars(
            series,
            people,
            stacked=True,
        ),
        key=f"board_terms_{line.number}",
        alt=t("board.terms"),
        rows=len(people) + 1,
    )
    st.caption(t("board.terms_about"))


def _series(terms: Sequence[Mapping[str, float]]) -> dict[str, list[float]]:
    """What each pays by term: the weightiest in their order, the others put together."""
    most = {term: max(each.get(term, 0) for each in terms) for term in Term}
    told = [term for term in Term if most[term] >= _MATTERS]
    own = sorted(told, key=lambda term: -most[term])[: len(charts.colours()) - 1]
    series = {
        t(f"dispatch_term.{term}"): [round(each.get(term, 0), 1) for each in terms]
        for term in told
        if term in own
    }
    if others := [term for term in told if term not in own]:
        sums = [round(sum(each.get(term, 0) for term in others), 1) for each in terms]
        series[t("board.other_terms")] = sums
    return series


def pinning(run_id: int, line: LineView, caregiver_id: int, name: str) -> None:
    """What it would cost the whole plan if somebody else came."""
    cost = session.fetch(proposals.pin_cost, run_id, line.number, caregiver_id)
    if isinstance(cost, Rule):
        st.warning(
            t("board.cannot", name=formats.plain(name), why=rule_of_one(cost)),
            icon=":material/block:",
        )
    elif cost < 1:
        st.success(t("board.pin_free", name=formats.plain(name)), icon=":material/check:")
    else:
        st.info(
            t("board.pin_cost", name=formats.plain(name), minutes=_minutes(cost)),
            icon=":material/push_pin:",
        )


def unserved(run_id: int, line: LineView) -> None:
    """Why nobody comes, and, asked, what would have to change."""
    pinned_to = session.fetch(proposals.explanation, run_id, line.number).get("pinned_to")
    if pinned_to is not None and line.rule is not None:
        name = session.fetch(proposals.names, [pinned_to]).get(pinned_to, "")
        said = t("board.pinned_out", name=formats.plain(name), why=rule_of_one(line.rule))
        st.markdown(f"**{said}**")
    elif line.rule is not None:
        st.markdown(f"**{t(f'dispatch_rule.{line.rule}')}**")
    if not st.toggle(
        t("board.what_would_help"), key=f"board_help_{line.number}", help=t("board.help_about")
    ):
        return
    with st.spinner(t("board.trying")):
        changes = session.fetch(proposals.changes, run_id, line.number)
    if not changes:
        st.caption(t("board.nothing_helps"))
    instead = [one.caregiver_id for one in changes if isinstance(one, WithoutPin)]
    names = session.fetch(proposals.names, instead) if instead else {}
    for one in changes:
        st.markdown(f"- {_change(one, line, names)}")


def _change(one: Change, line: LineView, names: Mapping[int, str]) -> str:
    match one:
        case WithoutPin(caregiver_id):
            return t("board.without_pin", name=formats.plain(names.get(caregiver_id, "")))
        case MoreCaregivers():
            return t(
                "board.more_caregivers",
                count=one.count,
                district=formats.district(one.district_code),
                papers=_papers(one.certificates),
                time=formats.span(one.free_from, one.free_until),
            )
        case HigherPrice():
            return t("board.higher_price", amount=formats.money(one.more_fen))
        case LaterStart():
            later = line.starts_at + timedelta(minutes=one.minutes)
            return t("board.later_start", time=formats.time_of_day(later), minutes=one.minutes)


def _papers(kinds: Sequence[str] | frozenset[str]) -> str:
    if not kinds:
        return t("board.no_papers")
    return t(
        "board.with_papers", papers=formats.listed(t(f"certificate.{one}") for one in sorted(kinds))
    )


def rule_of_one(rule: Rule) -> str:
    """Why one caregiver cannot come, in words that end a sentence."""
    return t(f"dispatch_bar.{rule}")


def choices(found: Sequence[Candidate], names: Mapping[int, str]) -> dict[int, str]:
    """The recommended by id, as a choice reads: name, minutes on the way, score."""
    return {
        one.visit.caregiver_id: t(
            "board.choice",
            name=names.get(one.visit.caregiver_id, ""),
            minutes=_minutes(one.visit.way_minutes),
            rating=f"{one.rating:.1f}",
        )
        for one in found
    }


def state_badge(line: LineView) -> None:
    layout.badge(STATES[line.state], t(f"board.state_{line.state}"))


STATES = {
    LineState.PROPOSED: (":material/swap_horiz:", "blue"),
    LineState.REFUSED: (":material/block:", "red"),
    LineState.NOBODY: (":material/person_off:", "orange"),
    LineState.ASKED: (":material/hourglass_top:", "violet"),
    LineState.STANDS: (":material/task_alt:", "green"),
    LineState.SAID_NO: (":material/thumb_down:", "red"),
    LineState.LAPSED: (":material/timer_off:", "orange"),
    LineState.KEPT: (":material/lock:", "gray"),
    LineState.MOOT: (":material/history:", "gray"),
}


def _minutes(minutes: float) -> str:
    return f"{minutes:.0f}"


def _hours(minutes: float) -> str:
    return f"{minutes / 60:.1f}".removesuffix(".0")
