"""Applications: everybody who offers to take a demand, side by side, for the operator to choose."""

from datetime import timedelta

import streamlit as st

from components import catalogue, formats, icons, layout, plans, recommended, session
from components.caregivers import profile_dialog
from components.i18n import t
from components.invitations import invite_button
from components.places import band_name
from components.pushes import push_button
from components.reviews import stars
from services import applications
from services.applications import Candidate, Decision
from services.availability import Obstacle
from services.catalogue import ItemView
from services.loads import Load
from services.open_plans import Fit

SHOWN_AT_ONCE, MORE_AT_ONCE = 2, 10
# From which saturation on a week is shown in which colour.
_COLOURS = (0.9, "red"), (0.6, "orange")
_MOST_DAYS = 12
_HOUR = timedelta(hours=1)
_SHOWN = "applications_shown"


def shown() -> int:
    """How many demands are on the page; "more" adds to it."""
    return st.session_state.get(_SHOWN, SHOWN_AT_ONCE)


def decisions(waiting: list[Decision], items: dict[int, ItemView]) -> None:
    """The demands that wait for a choice, soonest first."""
    for decision in waiting:
        with st.container(border=True, key=f"decision_{decision.demand_id}"):
            demand_head(decision, items)
            with st.grid("auto", min_column_width=270):
                for number, candidate in enumerate(decision.candidates):
                    best = number == 0 and candidate.fits
                    _candidate_card(candidate, items.get(decision.item_id), best=best)
            if decision.rhythm is None:
                recommended.for_demand(decision.demand_id, items.get(decision.item_id))


def more_button(are_waiting: bool) -> None:
    """Shows more demands, if more wait."""
    if are_waiting:
        st.button(
            t("applications.more"),
            key="more_applications",
            icon=":material/expand_more:",
            on_click=_show_more,
        )


def _show_more() -> None:
    st.session_state[_SHOWN] = shown() + MORE_AT_ONCE


def unanswered(demands: list[Decision], items: dict[int, ItemView], pushed: dict[int, int]) -> None:
    """The demands nobody offers to take yet, behind a click unless a link asks for them.

    `pushed` says of demands that are pushed how many were told.
    """
    if not demands:
        return
    with st.expander(
        t("applications.unanswered", count=len(demands)),
        expanded=st.query_params.get("show") == "unanswered",
        icon=":material/notifications_paused:",
        key="unanswered",
        on_change="rerun",
    ) as opened:
        if not opened.open:
            return
        st.caption(t("applications.unanswered_next"))
        with st.grid("auto", min_column_width=320):
            for demand in demands:
                with st.container(
                    border=True, height="stretch", key=f"unanswered_{demand.demand_id}"
                ):
                    demand_head(demand, items)
                    with layout.row():
                        if demand.rhythm is None:
                            push_button(demand.demand_id, pushed.get(demand.demand_id))
                        invite_button(demand.demand_id, items.get(demand.item_id))
                    if demand.rhythm is None:
                        recommended.for_demand(demand.demand_id, items.get(demand.item_id))


def demand_head(demand: Decision, items: dict[int, ItemView]) -> None:
    """What is wanted, when, where, for how much, and since when it waits."""
    item = items.get(demand.item_id)
    what = f"**{catalogue.item_name(items, demand.item_id)}**"
    if demand.candidates:
        count = t("applications.count", count=len(demand.candidates))
        what += f" :blue-badge[:material/group: {count}]"
    what += f" :gray[:small[{t('applications.posted', ago=formats.ago(demand.posted_at))}]]"
    facts = [
        f":material/schedule: {formats.span(demand.starts_at, demand.ends_at)}",
        f":material/location_on: {formats.district(demand.district_code)}",
    ]
    if item is not None:
        price = formats.price_range(demand.lowest_fen, demand.highest_fen, item.unit)
        facts.append(f":material/payments: {price}")
        facts.append(formats.amount(demand.units, item.unit))
    facts += plans.rhythm_lines(demand.rhythm, item)
    st.markdown(f"{what}  \n:gray[:small[{' · '.join(facts)}]]")
    if demand.words:
        st.text(demand.words)


def _candidate_card(candidate: Candidate, item: ItemView | None, *, best: bool) -> None:
    with st.container(border=True, height="stretch", gap="small", key=f"candidate_{candidate.id}"):
        # One element for all facts: with many candidates each further one is felt.
        st.markdown("  \n".join(_facts(candidate, item, best=best)))
        if candidate.words:
            st.text(candidate.words)
        with layout.row():
            _answers(candidate, best=best)


def _facts(candidate: Candidate, item: ItemView | None, *, best: bool) -> list[str]:
    """Who it is, what it costs, what families said, and what speaks for or against."""
    who = f"**{formats.plain(candidate.name)}**"
    if best:
        who += f" :primary-badge[:material/recommend: {t('applications.best')}]"
    each = formats.unit_price(candidate.price_fen, item.unit) if item else ""
    applied = t("applications.applied", ago=formats.ago(candidate.applied_at))
    return [
        who,
        f"**{formats.money(candidate.total_fen)}** :gray[:small[{each} · {applied}]]",
        _score(candidate),
        _load(candidate.load),
        " ".join(_badges(candidate)),
    ]


def _score(candidate: Candidate) -> str:
    score = candidate.score
    if score.overall is None:
        return f":gray[{t('caregiver.no_score')}]"
    return f"{stars(score.overall)} **{score.overall:.1f}** :gray[({score.reviews})]"


def _load(load: Load) -> str:
    """How full her week is: a bar of ten, the share, and the hours behind it."""
    hours = t(
        "applications.hours",
        booked=f"{load.booked / _HOUR:g}",
        works=f"{load.works / _HOUR:g}",
    )
    if load.saturation is None:
        return f":gray[:small[{t('applications.load')} – · {hours}]]"
    tenths = min(10, round(load.saturation * 10))
    colour = next((name for least, name in _COLOURS if load.saturation >= least), "green")
    full = f":{colour}[{'▰' * tenths}]" if tenths else ""
    bar = full + (f":gray[{'▱' * (10 - tenths)}]" if tenths < 10 else "")
    return f":small[{t('applications.load')} {bar} **{load.saturation:.0%}** :gray[{hours}]]"


def _badges(candidate: Candidate) -> list[str]:
    badges = [f":gray-badge[:material/distance: {band_name(candidate.distance)}]"]
    if candidate.fit is not None:
        return [*badges, *_fit_badges(candidate.fit), *_missing(candidate)]
    if not candidate.obstacles:
        badges.append(f":green-badge[:material/event_available: {t('applications.free')}]")
    for met in candidate.obstacles:
        colour = "red" if met is Obstacle.BUSY else "orange"
        badges.append(f":{colour}-badge[{icons.OBSTACLE[met]} {t(f'clash.{met}')}]")
    return badges + _missing(candidate)


def _missing(candidate: Candidate) -> list[str]:
    named = (t(f"certificate.{kind}") for kind in candidate.missing_certificates)
    return [
        f":red-badge[:material/warning: {t('applications.missing', certificate=one)}]"
        for one in named
    ]


def _fit_badges(fit: Fit) -> list[str]:
    """How many visits of a plan she can make, and what is in the way of the others, how often."""
    colour = "green" if fit.fitting == fit.visits else "orange" if fit.fitting else "red"
    fits = t("applications.fits", fitting=fit.fitting, all=fit.visits)
    return [
        f":{colour}-badge[:material/event_repeat: {fits}]",
        *(
            f":orange-badge[{icons.OBSTACLE[met]} {_clash(met)} × {count}]"
            for met, count in fit.obstacles.items()
        ),
    ]


def _clash(met: Obstacle) -> str:
    return t(f"clash.{met}")


def _left_out(fit: Fit | None) -> str:
    """The days of a plan on which she cannot come, named before the click."""
    if fit is None or not fit.skipped:
        return ""
    shown = formats.listed(formats.day(day) for day in fit.skipped[:_MOST_DAYS])
    return t("applications.left_out", count=len(fit.skipped), days=shown)


def _answers(candidate: Candidate, *, best: bool) -> None:
    seen = candidate.fit.skipped if candidate.fit else None
    if layout.confirmed(
        t("move.approve"),
        " ".join(
            (
                t("applications.approve_warning", name=formats.plain(candidate.name)),
                _left_out(candidate.fit),
            )
        ).strip(),
        f"approve_{candidate.id}",
        icon=":material/check:",
        main=best,
    ):
        session.perform("applications.approved", applications.approve, candidate.id, seen)
    if layout.confirmed(
        t("move.decline"),
        t("applications.decline_warning", name=formats.plain(candidate.name)),
        f"decline_{candidate.id}",
    ):
        session.perform("applications.declined", applications.decline, candidate.id)
    if st.button(
        t("applications.profile"),
        key=f"profile_{candidate.id}",
        type="tertiary",
        icon=":material/badge:",
    ):
        profile_dialog(candidate.caregiver_id, candidate.name)
