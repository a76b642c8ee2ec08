"""Caregivers as their operators keep them: all of them in a table, one of them in full."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from components import catalogue, formats, icons, layout, navigation, people, session, tables
from components.caregivers import level_name, profile_card
from components.i18n import t
from components.reviews import review_list
from services import caregivers, clock, levels, reviews, rosters, verifications
from services.caregivers import CaregiverLevel, CaregiverStatus, Profile
from services.catalogue import ItemView
from services.rosters import CaregiverLine, Commitments, Engagement, Expiring
from services.verifications import CaseKind

_NONE = "–"
_NUMBERS = ("visits_done", "visits_ahead")


@dataclass(frozen=True, slots=True)
class Choice:
    """What was typed, the status to show (None: all), and how many those are."""

    typed: str
    status: CaregiverStatus | None
    count: int


def choice(typed: str, counts: dict[CaregiverStatus, int]) -> Choice:
    """All those found, or those of one status."""
    numbers = {tables.ALL: sum(counts.values())} | {s: counts.get(s, 0) for s in CaregiverStatus}
    shown = tables.kind_choice(
        t("caregivers_page.filter"),
        numbers,
        lambda one: t(f"caregiver_status.{one}"),
        "caregivers_filter",
    )
    status = next((status for status in CaregiverStatus if status == shown), None)
    return Choice(typed, status, numbers.get(shown, 0))


def caregiver_list(choice: Choice) -> int | None:
    """One page of those found; the number of the one that was clicked, or that a link names."""
    above = st.container()
    offset = tables.offset(choice.count, f"caregivers_page_{choice.status}_{choice.typed}")
    shown = session.fetch(
        rosters.listing, choice.typed, choice.status, limit=tables.A_PAGE, offset=offset
    )
    linked = navigation.asked_number("caregiver")
    with above:
        if not shown:
            layout.empty("caregivers", icon=":material/person_search:")
            return linked
        return _table(shown) or linked


def _table(shown: list[CaregiverLine]) -> int | None:
    statuses = {status: t(f"caregiver_status.{status}") for status in CaregiverStatus}
    column = st.column_config
    chosen = tables.chosen(
        shown,
        {
            "name": [one.name for one in shown],
            "status": [[statuses[one.status]] for one in shown],
            "district": [formats.district(one.district_code) for one in shown],
            "score": [_score(one) for one in shown],
            "visits_done": [one.visits_done for one in shown],
            "visits_ahead": [one.visits_ahead for one in shown],
            "frozen": [formats.money(one.frozen_fen) for one in shown],
            "certificate": [_certificate(one) for one in shown],
            "phone": [one.masked_phone for one in shown],
        },
        {
            "name": column.TextColumn(t("customers.name")),
            "status": column.MultiselectColumn(
                t("customers.status"),
                options=list(statuses.values()),
                color=[icons.CAREGIVER[status][1] for status in statuses],
            ),
            "district": column.TextColumn(t("field.district")),
            "score": column.TextColumn(t("caregivers_page.score"), alignment="right"),
            **{
                name: column.NumberColumn(t(f"caregivers_page.{name}"), format="%d")
                for name in _NUMBERS
            },
            "frozen": column.TextColumn(t("caregivers_page.frozen"), alignment="right"),
            "certificate": column.MultiselectColumn(
                t("caregivers_page.certificate"),
                options=[t("caregivers_page.expired"), t("caregivers_page.expires_soon")],
                color=["red", "orange"],
            ),
            "phone": column.TextColumn(t("customers.phone")),
        },
        key="caregivers",
        alt=t("caregivers_page.table"),
    )
    return chosen.id if chosen else None


def _score(one: CaregiverLine) -> str:
    return _NONE if one.score.overall is None else f"{one.score.overall:.1f}"


def _certificate(one: CaregiverLine) -> list[str]:
    if one.expires_on is None:
        return []
    expired = one.expires_on < clock.today()
    return [t("caregivers_page.expired" if expired else "caregivers_page.expires_soon")]


def caregiver_in_full(caregiver_id: int) -> None:
    """One caregiver as families see her, what hangs on her, and what may be decided."""
    profile = session.fetch(caregivers.profile, caregiver_id)
    held = session.fetch(rosters.commitments, caregiver_id)
    items = catalogue.items()
    with st.container(border=True, key=f"caregiver_{caregiver_id}"):
        st.subheader(formats.plain(profile.name), anchor=False)
        if profile.decision_words:
            layout.field(t("my_profile.operator_said"), profile.decision_words)
        profile_card(profile)
        with st.container(horizontal=True, gap="medium"):
            layout.field(t("field.phone"), held.masked_phone)
            layout.field(t("caregivers_page.frozen"), formats.money(held.frozen_fen))
        with layout.row():
            navigation.link(
                "calendars",
                t("calendar.open"),
                icon=":material/edit_calendar:",
                caregiver=str(caregiver_id),
            )
            people.whole_phone(
                t("customers.whole_phone"),
                rosters.phone,
                caregiver_id,
                f"caregiver_phone_{caregiver_id}",
            )
        _ahead(profile, held, items)
        if profile.score.reviews:
            _reviews(caregiver_id)
        _level(profile)
        _answers(profile)
        if "suspend" in profile.open_moves:
            _suspending(profile, held, items)
        if "restore" in profile.open_moves:
            _restoring(caregiver_id)


def _reviews(caregiver_id: int) -> None:
    """What families said of her, to be answered or hidden; the hidden ones, too."""
    with st.expander(
        t("caregiver.reviews"),
        icon=":material/reviews:",
        key=f"reviews_of_{caregiver_id}",
        on_change="rerun",
    ) as opened:
        if opened.open:
            review_list(session.fetch(reviews.of_caregiver, caregiver_id), "reviews_here")


def _ahead(profile: Profile, held: Commitments, items: dict[int, ItemView]) -> None:
    """Visits that lie ahead, each a link to its order; a suspended caregiver's want somebody."""
    expected = (*held.visits, *held.requests)
    if not expected:
        st.caption(t("caregivers_page.nothing_ahead"))
        return
    if profile.status is CaregiverStatus.SUSPENDED:
        st.warning(t("caregivers_page.to_reassign"), icon=":material/swap_horiz:")
    else:
        st.caption(t("caregivers_page.ahead"))
    key = f"ahead_{profile.id}"
    with st.container(gap=None, key=f"links_{key}"):
        for one in layout.first_of(expected, key, 5):
            navigation.link(
                "orders", _written(one, items), icon=icons.VISIT[one.status][0],
                order=str(one.order_id),
            )  # fmt: skip
    layout.more_button(expected, key, 10)


def _written(one: Engagement, items: dict[int, ItemView]) -> str:
    return " · ".join(
        (
            formats.span(one.starts_at, one.ends_at),
            formats.plain(one.family_name),
            catalogue.item_name(items, one.item_id),
            t("order.number", number=one.order_id),
        )
    )


def level_choice(now: CaregiverLevel, key: str) -> CaregiverLevel:
    """A caregiver's level, beginning with the one she has."""
    return st.segmented_control(
        t("field.caregiver_level"),
        list(CaregiverLevel),
        default=now,
        required=True,
        format_func=lambda one: f"{icons.LEVEL[one]} {level_name(one)}",
        key=f"{key}_level",
        wrap=True,
    )


def _level(profile: Profile) -> None:
    """Her level, to be set anew; what follows from another one is said first."""
    key = f"caregiver_{profile.id}_{profile.level}"
    chosen = level_choice(profile.level, key)
    if chosen is profile.level:
        return
    st.caption(t("caregivers_page.level_means"))
    if st.button(
        t("caregivers_page.set_level", level=level_name(chosen)),
        icon=icons.LEVEL[chosen],
        key=f"{key}_set",
    ):
        session.perform("caregivers_page.level_set", levels.give, profile.id, chosen)


def _answers(profile: Profile) -> None:
    """A newcomer is decided on with her papers; one who came before papers can be sent back."""
    if "reject" not in profile.open_moves:
        return
    case_id = session.fetch(verifications.waiting_of, profile.id, CaseKind.CAREGIVER)
    if case_id is not None:
        navigation.link(
            "verifications",
            t("caregivers_page.to_case"),
            icon=":material/fact_check:",
            case=str(case_id),
        )
        return
    with st.expander(
        t("move.reject"),
        icon=":material/undo:",
        key=f"reject_caregiver_{profile.id}_ask",
        on_change="rerun",
    ) as opened:
        if opened.open:
            _with_reason(profile.id, "reject", t("move.reject"), "caregivers_page.rejected")


def _suspending(profile: Profile, held: Commitments, items: dict[int, ItemView]) -> None:
    with st.expander(
        t("caregivers_page.suspend"),
        icon=":material/block:",
        key=f"suspend_caregiver_{profile.id}_ask",
        on_change="rerun",
    ) as opened:
        if not opened.open:
            return
        st.markdown(t("caregivers_page.suspend_means", applications=held.open_applications))
        stay = t("caregivers_page.visits_stay", count=len(held.visits))
        _listed(stay if held.visits else t("caregivers_page.nothing_ahead"), held.visits, items)
        if held.requests:
            waiting = t("caregivers_page.requests_stay", count=len(held.requests))
            _listed(waiting, held.requests, items)
        _with_reason(
            profile.id, "suspend", t("caregivers_page.suspend"), "caregivers_page.suspended"
        )


def _listed(title: str, expected: Sequence[Engagement], items: dict[int, ItemView]) -> None:
    lines = (f"- {_written(one, items)}" for one in expected)
    st.markdown("\n".join((f"**{title}**", "", *lines)))


def _with_reason(caregiver_id: int, move: str, label: str, done: str) -> None:
    hint = t("caregivers_page.suspend_hint" if move == "suspend" else "caregivers_page.reason_hint")
    people.move_with_reason("caregiver", caregiver_id, move, label, hint, done, caregivers.move)


def _restoring(caregiver_id: int) -> None:
    if layout.confirmed(
        t("caregivers_page.restore"),
        t("caregivers_page.restore_means"),
        f"restore_caregiver_{caregiver_id}",
        icon=":material/undo:",
    ):
        session.perform("caregivers_page.restored", caregivers.move, caregiver_id, "restore")


def expiring() -> None:
    """Whose certificates end within a month or have ended: they take no new work with those."""
    with st.expander(
        t("caregivers_page.expiring"),
        icon=":material/event_busy:",
        key="certificates_expiring",
        on_change="rerun",
    ) as opened:
        if not opened.open:
            return
        found = session.fetch(rosters.expiring)
        if not found:
            st.caption(t("caregivers_page.none_expiring"))
        elif (picked := _expiring_table(found)) is not None:
            navigation.link(
                "caregivers",
                t("caregivers_page.look_at", name=formats.plain(picked.name)),
                icon=":material/arrow_forward:",
                caregiver=str(picked.caregiver_id),
            )


def _expiring_table(found: list[Expiring]) -> Expiring | None:
    column = st.column_config
    states = {t("caregivers_page.expired"): "red", t("caregivers_page.expires_soon"): "orange"}
    return tables.chosen(
        found,
        {
            "name": [one.name for one in found],
            "certificate": [t(f"certificate.{one.kind}") for one in found],
            "state": [
                [t(f"caregivers_page.{'expired' if one.days_left < 0 else 'expires_soon'}")]
                for one in found
            ],
            "expires_on": [one.expires_on for one in found],
            "days_left": [one.days_left for one in found],
        },
        {
            "name": column.TextColumn(t("customers.name")),
            "certificate": column.TextColumn(t("caregivers_page.certificate")),
            "state": column.MultiselectColumn(
                t("customers.status"), options=list(states), color=list(states.values())
            ),
            "expires_on": column.DateColumn(t("field.expires_on")),
            "days_left": column.NumberColumn(t("caregivers_page.days_left"), format="%d"),
        },
        key="expiring",
        alt=t("caregivers_page.expiring"),
    )
