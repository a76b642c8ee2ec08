"""A caregiver's own profile: everything asked of them, entered on a phone."""

from datetime import date

import streamlit as st

from components import formats, icons, layout, places, session
from components.caregivers import hours_summary, level_name
from components.i18n import t
from components.own_photo import own_photo
from components.own_prices import price_fields
from components.qualifications import what_each_takes
from services import caregivers, certificates, clock
from services.caregivers import CaregiverStatus, Hours, Profile, ProfileForm, Sex, Skill
from services.certificates import CertificateForm, CertificateKind

_KEY = "my_profile"
_DRAFT = f"{_KEY}_certificates"
_WEEK = f"{_KEY}_week"
_FIRST_MINUTE, _LAST_MINUTE = 8 * 60, 18 * 60
_AFTER_A_PAUSE = 14 * 60, 18 * 60
_HALF_HOURS = range(0, 24 * 60 + 1, 30)
_USUAL_RADIUS_KM = 15
_USUAL_AGE = 40


def status_line(profile: Profile | None) -> None:
    """How far the review is, with the operator's words when they ask for something."""
    status = profile.status if profile else CaregiverStatus.DRAFT
    with layout.row():
        layout.badge(icons.CAREGIVER[status], t(f"caregiver_status.{status}"))
        if profile is not None:
            layout.badge((icons.LEVEL[profile.level], "gray"), level_name(profile.level))
    if profile and profile.decision_words and status is not CaregiverStatus.APPROVED:
        with st.container(border=True, key=f"{_KEY}_decision"):
            layout.field(t("my_profile.operator_said"), profile.decision_words)


def editing(profile: Profile | None) -> bool:
    """Whether the form is wanted; once approved, the profile as families see it comes first."""
    if profile is None:
        return True
    approved = profile.status is CaregiverStatus.APPROVED
    view = st.segmented_control(
        t("my_profile.view"),
        ("edit", "preview"),
        default="preview" if approved else "edit",
        format_func=lambda one: t(f"my_profile.{one}"),
        required=True,
        key="profile_view",
        label_visibility="collapsed",
        persist_state="session",
    )
    return view == "edit"


def draw(now: ProfileForm | None, profile: Profile | None) -> None:
    """The whole form, empty for a newcomer; saved, or saved and submitted."""
    with st.container(border=True):
        st.subheader(t("my_profile.basics"), anchor=False)
        if profile is not None:
            own_photo(profile.id, profile.name)
        city = places.city_choice(_KEY, chosen=now.city_code if now else None)
        if city is None:
            return
        district_code = places.district_choice(
            city.code, _KEY, chosen=now.district_code if now else None
        )
        sex, birth_date, worked_since, radius_km = _basics(now)
    with st.container(border=True):
        st.subheader(t("my_profile.words"), anchor=False)
        about, training, skills = _words(now)
    with st.container(border=True):
        st.subheader(t("my_profile.certificates"), anchor=False)
        held = _certificates(now, profile)
    with st.container(border=True):
        st.subheader(t("my_profile.offers"), anchor=False)
        offers = price_fields(now.offers if now else (), city.code, _KEY)
        what_each_takes(profile, held)
    with st.container(border=True):
        st.subheader(t("my_profile.hours"), anchor=False)
        hours = _weekly_hours(now.hours if now else ())
    form = ProfileForm(
        city_code=city.code,
        district_code=district_code,
        sex=sex,
        birth_date=birth_date,
        worked_since=worked_since,
        radius_km=radius_km,
        about=about,
        training=training,
        skills=skills,
        certificates=held,
        hours=hours,
        offers=offers,
    )
    _save_buttons(form, profile)


def _save_buttons(form: ProfileForm, profile: Profile | None) -> None:
    may_submit = profile is None or "submit" in profile.open_moves
    if may_submit:
        st.caption(t("my_profile.submit_about"))
    with layout.row():
        if st.button(
            t("my_profile.save"),
            type="secondary" if may_submit else "primary",
            icon=":material/save:",
            key="profile_save",
        ):
            session.perform("my_profile.saved", caregivers.save_profile, form, forget=(f"{_KEY}_",))
        if may_submit and st.button(
            t("move.submit"), type="primary", icon=":material/send:", key="profile_submit"
        ):
            session.perform(
                "my_profile.submitted", caregivers.save_and_submit, form, forget=(f"{_KEY}_",)
            )


def _basics(now: ProfileForm | None) -> tuple[Sex, date, int, int]:
    this_year = clock.today().year
    sex = st.segmented_control(
        t("field.sex"),
        list(Sex),
        default=now.sex if now else Sex.FEMALE,
        format_func=lambda one: t(f"sex.{one}"),
        required=True,
        key=f"{_KEY}_sex",
        persist_state="session",
    )
    left, right = st.columns(2)
    birth_date = left.date_input(
        t("field.birth_date"),
        now.birth_date if now else date(this_year - _USUAL_AGE, 1, 1),
        min_value=date(this_year - caregivers.OLDEST_YEARS - 1, 1, 1),
        max_value=date(this_year - caregivers.YOUNGEST_YEARS, 12, 31),
        key=f"{_KEY}_birth_date",
        persist_state="session",
    )
    worked_since = right.number_input(
        t("field.worked_since"),
        certificates.EARLIEST_YEAR,
        this_year,
        now.worked_since if now else this_year,
        key=f"{_KEY}_worked_since",
        persist_state="session",
    )
    radius_km = st.slider(
        t("field.radius_km"),
        1,
        100,
        now.radius_km if now else _USUAL_RADIUS_KM,
        key=f"{_KEY}_radius_km",
        persist_state="session",
    )
    return Sex(sex), birth_date, worked_since, radius_km


def _words(now: ProfileForm | None) -> tuple[str, str, tuple[Skill, ...]]:
    about = st.text_area(
        t("field.about"),
        now.about if now else "",
        key=f"{_KEY}_about",
        max_chars=500,
        placeholder=t("my_profile.about_hint"),
        persist_state="session",
    )
    training = st.text_area(
        t("field.training"),
        now.training if now else "",
        key=f"{_KEY}_training",
        max_chars=500,
        placeholder=t("my_profile.training_hint"),
        persist_state="session",
    )
    skills = st.pills(
        t("field.own_skills"),
        list(Skill),
        selection_mode="multi",
        default=list(now.skills) if now else None,
        format_func=lambda one: t(f"skill.{one}"),
        key=f"{_KEY}_skills",
        persist_state="session",
    )
    return about, training, tuple(Skill(one) for one in skills)


def _certificates(now: ProfileForm | None, profile: Profile | None) -> tuple[CertificateForm, ...]:
    """The certificates entered so far; they are stored with the rest of the form."""
    draft = st.session_state.setdefault(_DRAFT, now.certificates if now else ())
    st.caption(t("my_profile.certificates_about"))
    if not draft:
        st.info(t("my_profile.no_certificate"), icon=":material/workspace_premium:")
    for number, held in enumerate(draft):
        _certificate(number, held)
    if profile is not None and profile.status is CaregiverStatus.APPROVED:
        st.caption(t("my_profile.approved_certificates"))
    _add_certificate(draft)
    return draft


def _certificate(number: int, held: CertificateForm) -> None:
    with st.container(
        horizontal=True,
        horizontal_alignment="distribute",
        vertical_alignment="center",
        key=f"held_{number}",
    ):
        with st.container(gap=None, width="content"):
            st.markdown(f"**{t(f'certificate.{held.kind}')}**")
            st.text(held.issuer)
            if facts := [
                *([held.level] if held.level else []),
                *([t("my_profile.number", number=held.number)] if held.number else []),
            ]:
                st.text(" · ".join(facts))
            key = "my_profile.valid" if held.expires_on else "my_profile.valid_for_good"
            st.caption(t(key, issued=held.issued_on, expires=held.expires_on))
        st.button(
            t("my_profile.remove"),
            icon=":material/delete:",
            type="tertiary",
            key=f"remove_certificate_{number}",
            on_click=_remove,
            args=(number,),
        )


def _remove(number: int) -> None:
    draft = st.session_state[_DRAFT]
    st.session_state[_DRAFT] = draft[:number] + draft[number + 1 :]


def _add_certificate(draft: tuple[CertificateForm, ...]) -> None:
    """A small form for one more; its keys move on with the count, so that it comes back empty."""
    key = f"{_KEY}_add_{len(draft)}"
    with (
        st.expander(
            t("my_profile.add_certificate"), expanded=not draft, icon=":material/add:", key=key
        ),
        st.form(f"{key}_form", border=False),
    ):
        kind = st.selectbox(
            t("field.certificate_kind"),
            list(CertificateKind),
            format_func=lambda one: t(f"certificate.{one}"),
            key=f"{key}_kind",
        )
        issuer = st.text_input(t("field.issuer"), key=f"{key}_issuer", max_chars=80)
        left, right = st.columns(2)
        number = left.text_input(t("field.certificate_number"), key=f"{key}_number", max_chars=40)
        level = right.text_input(
            t("field.certificate_level"), key=f"{key}_level", max_chars=20,
            help=t("my_profile.level_help"),
        )  # fmt: skip
        issued_on = left.date_input(
            t("field.issued_on"),
            clock.today(),
            min_value=date(certificates.EARLIEST_YEAR, 1, 1),
            max_value=clock.today(),
            key=f"{key}_issued_on",
        )
        expires_on = right.date_input(
            t("field.expires_on"),
            None,
            min_value=date(certificates.EARLIEST_YEAR, 1, 1),
            max_value=date(clock.today().year + 50, 12, 31),
            key=f"{key}_expires_on",
            help=t("my_profile.expires_help"),
        )
        if st.form_submit_button(t("my_profile.add"), icon=":material/add:", key=f"{key}_submit"):
            given = CertificateForm(
                CertificateKind(kind), issuer, issued_on, expires_on, number, level
            )
            if session.attempt(certificates.check, given):
                st.session_state[_DRAFT] = (*draft, given)
                st.rerun()


def _weekly_hours(now: tuple[Hours, ...]) -> tuple[Hours, ...]:
    """One weekday at a time; the week as drafted so far stands above it."""
    week: dict[int, list[Hours]] = st.session_state.setdefault(
        _WEEK, {day: [h for h in now if h.weekday == day] for day in range(7)}
    )
    st.caption(t("my_profile.hours_about"))
    summary = st.container()
    day = st.segmented_control(
        t("my_profile.day"),
        list(week),
        default=0,
        format_func=_weekday,
        required=True,
        key=f"{_KEY}_day",
        label_visibility="collapsed",
        persist_state="session",
    )
    week[day] = _day_hours(day, week[day])
    with layout.row():
        for name, days in (("workdays", range(5)), ("every_day", range(7))):
            st.button(
                t(f"my_profile.copy_to_{name}"),
                key=f"copy_hours_{name}",
                type="tertiary",
                icon=":material/content_copy:",
                on_click=_copy_hours,
                args=(day, days),
            )
    drafted = tuple(hours for one in week.values() for hours in one)
    summary.markdown(f"**{hours_summary(drafted)}**")
    return drafted


def _weekday(day: int) -> str:
    return t(f"weekday.{formats.WEEKDAYS[day]}")


def _copy_hours(day: int, days: range) -> None:
    week = st.session_state[_WEEK]
    for other in days:
        week[other] = [Hours(other, h.starts_minute, h.ends_minute) for h in week[day]]


def _day_hours(day: int, now: list[Hours]) -> list[Hours]:
    """From when to when on one weekday, in one stretch or two."""
    name = _weekday(day)
    with layout.row():
        works = st.toggle(t("my_profile.works", day=name), bool(now), key=f"{_KEY}_works_{day}")
        pause = works and st.toggle(t("my_profile.pause"), len(now) > 1, key=f"{_KEY}_pause_{day}")
    if not works:
        return []
    first = now[0] if now else Hours(day, _FIRST_MINUTE, _LAST_MINUTE)
    later = now[1] if len(now) > 1 else Hours(day, *_AFTER_A_PAUSE)
    with layout.row():
        hours = [_stretch(first, "", name)]
        if pause:
            st.caption(t("my_profile.then"), width="content")
            hours.append(_stretch(later, "second_", name))
    return hours


def _stretch(now: Hours, which: str, name: str) -> Hours:
    day = now.weekday
    starts = _minute(
        t(f"my_profile.{which}from", day=name), now.starts_minute, f"{which}from_{day}"
    )
    ends = _minute(t(f"my_profile.{which}to", day=name), now.ends_minute, f"{which}to_{day}")
    return Hours(day, starts, ends)


def _minute(label: str, now: int, key: str) -> int:
    """A time of day in half hours, as minutes from midnight; 24:00 ends a day."""
    options = sorted({*_HALF_HOURS, now})
    return st.selectbox(
        label,
        options,
        index=options.index(now),
        format_func=formats.hour_minute,
        key=f"{_KEY}_{key}",
        label_visibility="collapsed",
        filter_mode=None,
        width=105,
    )
