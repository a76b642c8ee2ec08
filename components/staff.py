"""The people who work in a city: who they are, what they may do, and who joins."""

import streamlit as st

from components import formats, icons, layout, session
from components.i18n import t
from services import staff
from services.access import Role
from services.staff import AccountStatus, Grant, Member

_AT_ONCE = 12


def invitation() -> None:
    """Let somebody in by name and phone, as one thing in one city."""
    with st.expander(
        t("staff.invite"), icon=":material/person_add:", key="invite_ask", on_change="rerun"
    ) as opened:
        if not opened.open:
            return
        with st.form("invite", border=False):
            with st.grid(2, min_column_width=220):
                name = st.text_input(t("field.name"), key="invite_name", max_chars=40)
                phone = st.text_input(t("field.phone"), key="invite_phone", max_chars=20)
                grant = _grant_choice("invite")
            st.caption(t("staff.invite_about"))
            if st.form_submit_button(t("staff.invite"), key="invite_send", type="primary"):
                session.perform(
                    "staff.invited",
                    staff.invite,
                    name,
                    phone,
                    grant.role,
                    grant.city_code,
                    forget=("invite_name", "invite_phone"),
                )


def _grant_choice(key: str) -> Grant:
    """A role and one of the actor's own cities."""
    role = st.selectbox(
        t("field.role"),
        [str(role) for role in staff.ROLES],
        format_func=lambda role: t(f"role.{role}"),
        key=f"{key}_role",
    )
    city = st.selectbox(
        t("field.city"),
        sorted(session.actor().cities),
        format_func=formats.city,
        key=f"{key}_city",
    )
    return Grant(Role(role), city)


def members(found: list[Member]) -> None:
    """Everybody who works here, a card each."""
    with st.grid(2, min_column_width=330):
        for member in layout.first_of(found, "staff", _AT_ONCE):
            with st.container(border=True, key=f"member_{member.id}"):
                _member(member)
    layout.more_button(found, "staff", _AT_ONCE)


def _member(member: Member) -> None:
    me = f" :gray-badge[{t('staff.me')}]" if member.is_me else ""
    icon, colour = icons.ACCOUNT[member.status]
    standing = t(f"account_status.{member.status}")
    left = f" :{colour}-badge[{icon} {standing}]"
    active = member.status is AccountStatus.ACTIVE
    roles = " ".join(
        f":primary-badge[{icons.ROLE[grant.role]} {_grant_name(grant)}]" for grant in member.grants
    )
    seen = t("staff.never_seen")
    if member.last_seen_at is not None:
        seen = t("staff.last_seen", ago=formats.ago(member.last_seen_at))
    lines = (
        f"**{formats.plain(member.name)}**{me}{'' if active else left}",
        roles,
        f":small[{formats.plain(member.masked_phone)} · {seen}]",
    )
    st.markdown("  \n".join(lines))
    if not member.is_me:
        _changing(member)


def _grant_name(grant: Grant) -> str:
    return f"{t(f'role.{grant.role}')} · {formats.city(grant.city_code)}"


def _changing(member: Member) -> None:
    with st.expander(
        t("staff.change"),
        icon=":material/manage_accounts:",
        key=f"change_{member.id}_ask",
        on_change="rerun",
    ) as opened:
        if not opened.open:
            return
        for grant in member.grants:
            if layout.confirmed(
                t("staff.take", role=_grant_name(grant)),
                t("staff.take_means", name=formats.plain(member.name)),
                f"take_{member.id}_{grant.role}_{grant.city_code}",
                icon=":material/person_remove:",
            ):
                session.perform(
                    "staff.taken", staff.take_away, member.id, grant.role, grant.city_code
                )
        if member.has_factor and layout.confirmed(
            t("staff.reset_factor"),
            t("staff.reset_factor_means", name=formats.plain(member.name)),
            f"reset_factor_{member.id}",
            icon=":material/lock_reset:",
        ):
            session.perform("staff.factor_reset", staff.reset_factor, member.id)
        with st.form(f"give_{member.id}", border=False):
            grant = _grant_choice(f"give_{member.id}")
            if st.form_submit_button(t("staff.give"), key=f"give_{member.id}_send"):
                session.perform("staff.given", staff.give, member.id, grant.role, grant.city_code)
