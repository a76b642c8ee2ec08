"""Caregivers as others see them."""

from collections.abc import Callable, Iterable
from itertools import groupby

import streamlit as st

from components import catalogue, formats, icons, layout, portraits, session
from components.i18n import chinese, name, t
from components.reviews import review_list, stars
from services import caregivers, clock, photos, reviews
from services.caregivers import CaregiverLevel, Hours, Profile
from services.track_records import Score


def profile_dialog(
    caregiver_id: int, called: str, beside: Callable[[], None] | None = None
) -> None:
    """A caregiver's public profile above the page, with what else belongs beside it."""
    st.dialog(formats.plain(called), width="large")(_profile)(caregiver_id, beside)


def _profile(caregiver_id: int, beside: Callable[[], None] | None) -> None:
    if session.recognise() is None:
        st.rerun()
    profile_card(session.fetch(caregivers.profile, caregiver_id))
    if beside is not None:
        beside()
    st.markdown(f"**{t('caregiver.reviews')}**")
    review_list(session.fetch(reviews.of_caregiver, caregiver_id))


def own_preview(profile: Profile) -> None:
    """One's own profile and reviews as families see them."""
    left, right = st.columns(2, gap="large")
    with left, st.container(border=True):
        st.subheader(formats.plain(profile.name), anchor=False)
        profile_card(profile)
    with right:
        st.subheader(t("caregiver.reviews"), anchor=False)
        review_list(session.fetch(reviews.of_caregiver, profile.id))


def profile_card(profile: Profile) -> None:
    """Everything public about one caregiver: no phone, no address."""
    image = session.fetch(photos.of, [profile.id]).get(profile.id)
    with st.container(horizontal=True, vertical_alignment="center", key=f"card_{profile.id}"):
        portraits.face(profile.name, image, width=88)
        layout.badge(icons.CAREGIVER[profile.status], t(f"caregiver_status.{profile.status}"))
        layout.badge((icons.LEVEL[profile.level], "gray"), level_name(profile.level))
        st.caption(
            t(
                "caregiver.summary",
                sex=t(f"sex.{profile.sex}"),
                age=profile.age,
                district=formats.district(profile.district_code),
                years=clock.today().year - profile.worked_since,
            ),
            width="content",
        )
    score_line(profile.score)
    with st.grid(3, min_column_width=80):
        st.metric(t("caregiver.visits_done"), profile.visits_done)
        st.metric(t("caregiver.hours_done"), profile.hours_done)
        st.metric(t("caregiver.reviews"), profile.score.reviews)
    if profile.about:
        st.text(profile.about)
    if profile.training:
        layout.field(t("field.training"), profile.training)
    certificate_badges(profile)
    _prices(profile)
    if profile.skills:
        st.caption(" · ".join(t(f"skill.{skill}") for skill in profile.skills))
    st.caption(hours_summary(profile.hours))


def level_name(level: CaregiverLevel) -> str:
    """How far along a caregiver is, in a word."""
    return t(f"caregiver_level.{level}")


def _prices(profile: Profile) -> None:
    """What families can book, at the caregiver's prices."""
    items = catalogue.items()
    said = [
        f"{name(item)} **{formats.unit_price(offer.price_fen, item.unit)}**"
        for offer in profile.offers
        if (item := items.get(offer.item_id)) is not None
    ]
    if said:
        st.markdown(" · ".join(said))


def certificate_badges(profile: Profile) -> None:
    """Certificates with their expiry: the verified, those still looked at, and the expired."""
    with layout.row():
        for held in profile.certificates:
            icon, colour = ":material/verified:", "green"
            if held.expired:
                icon, colour = ":material/warning:", "red"
            elif not held.approved:
                icon, colour = ":material/hourglass_top:", "gray"
            until = f" · {t('caregiver.until', day=held.expires_on)}" if held.expires_on else ""
            st.badge(
                f"{t(f'certificate.{held.kind}')}{until}",
                icon=icon,
                color=colour,
            )


def score_line(score: Score) -> None:
    """★★★★★ 4.8 with the three parts, or that there is none yet."""
    if score.overall is None:
        st.caption(t("caregiver.no_score"))
        return
    parts = " · ".join(
        f"{t(f'score.{part}')} {getattr(score, part):.1f}"
        for part in ("skill", "attitude", "communication")
    )
    st.markdown(f"{stars(score.overall)} **{score.overall:.1f}** ({score.reviews}) · {parts}")


def hours_summary(week: Iterable[Hours]) -> str:
    """周一至周五 07:00–20:00；周六 08:00–12:00: days with equal hours stand together."""
    of_day: dict[int, str] = {}
    for h in week:
        stretch = f"{formats.hour_minute(h.starts_minute)}–{formats.hour_minute(h.ends_minute)}"
        before = of_day.get(h.weekday)
        of_day[h.weekday] = formats.listed((before, stretch)) if before else stretch
    written = [
        f"{_days(days)} {hours}"
        for hours, equal in groupby(sorted(of_day), key=of_day.__getitem__)
        for days in _unbroken(list(equal))
    ]
    return ("；" if chinese() else "; ").join(written) or t("caregiver.no_hours")


def _unbroken(days: list[int]) -> list[list[int]]:
    """Split a rising list of weekdays where a day is missing."""
    return [
        [day for _, day in part]
        for _, part in groupby(enumerate(days), key=lambda place: place[1] - place[0])
    ]


def _days(run: list[int]) -> str:
    first, last = (t(f"weekday.{formats.WEEKDAYS[day]}") for day in (run[0], run[-1]))
    return first if len(run) == 1 else t("caregiver.from_to", first=first, last=last)
