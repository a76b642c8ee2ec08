"""Reviewing who people are: the queue, and one case at a time with image and data side by side."""

import streamlit as st

from components import formats, icons, layout, navigation, session, tables
from components.document_view import document
from components.i18n import t
from components.operator_caregivers import level_choice
from components.verification import page_name, paper_name
from services import certificates, clock, leases, reviewing, verifications
from services.certificates import CertificateKind, Claim
from services.documents import DocumentKind, DocumentView
from services.verifications import CaseKind, CaseReview, Decided, Line, RejectReason

_IN_HAND = "case_in_hand"
_KEY = "review"


def review_desk() -> None:
    """The case in hand, or the queue to take one from."""
    # Kept only once it could be read: a case decided meanwhile must not come back.
    number = st.session_state.pop(_IN_HAND, None)
    if number is None:
        _queue()
        return
    back = st.button(
        t("verifications.let_go"),
        icon=":material/arrow_back:",
        key="case_let_go",
        type="tertiary",
        shortcut="Alt+L",
    )
    case = session.fetch(verifications.review, number)
    st.session_state[_IN_HAND] = number
    if leases.runs_down(case.reviewing_until):
        session.disclose(verifications.hold, number)
    if back:
        session.perform("verifications.left", verifications.let_go, number, keep=_IN_HAND)
    _in_full(case)


# --- The queue


def _queue() -> None:
    """How many wait and since when; the oldest is one click away."""
    chosen = st.segmented_control(
        t("verifications.filter"),
        [tables.ALL, *CaseKind],
        default=tables.ALL,
        required=True,
        format_func=lambda one: (
            t("orders_page.all")
            if one == tables.ALL
            else f"{icons.CASE_KIND[one][0]} {t(f'case_kind.{one}')}"
        ),
        key="cases_filter",
        label_visibility="collapsed",
    )
    kind = next((one for one in CaseKind if one == chosen), None)
    page_key = f"cases_page_{kind}"
    before = (st.session_state.get(page_key, 1) - 1) * tables.A_PAGE
    queue = session.fetch(verifications.queue, tables.A_PAGE, before, kind)
    linked = navigation.asked_number("case")
    if not queue.lines:
        layout.empty("verifications", icon=":material/task_alt:")
        return
    with layout.row():
        if st.button(
            t("verifications.take_oldest"),
            type="primary",
            icon=":material/play_arrow:",
            key="case_take",
            shortcut="Alt+N",
        ):
            _take(None)
        waits = t("verifications.waits", count=f"{queue.count:,}")
        if queue.oldest_at is not None:
            waits = f"**{waits}** · {t('today.oldest', ago=formats.ago(queue.oldest_at))}"
        st.markdown(waits, width="content")
    above = st.container()
    picked = _table(queue.lines)
    tables.offset(queue.count, page_key)
    number = picked.id if picked else linked
    if number is not None:
        with above, st.container(border=True, key="case_picked"), layout.row():
            st.markdown(f"**{t('verifications.number', number=number)}**", width="content")
            if st.button(t("verifications.take"), icon=":material/pan_tool:", key="case_take_this"):
                _take(number)


def _take(number: int | None) -> None:
    session.perform("verifications.taken", verifications.take, number, keep=_IN_HAND)


def _table(lines: tuple[Line, ...]) -> Line | None:
    kinds = {t(f"case_kind.{kind}"): colour for kind, (_, colour) in icons.CASE_KIND.items()}
    states = {t("verifications.by_other"): "gray", t("verifications.resubmitted"): "orange"}
    column = st.column_config
    return tables.chosen(
        lines,
        {
            "number": [one.id for one in lines],
            "kind": [[t(f"case_kind.{one.kind}")] for one in lines],
            "name": [one.masked_name for one in lines],
            "city": [formats.city(one.city_code) for one in lines],
            "submitted": [formats.moment(one.submitted_at) for one in lines],
            "age": [formats.ago(one.submitted_at) for one in lines],
            "state": [_states(one) for one in lines],
        },
        {
            "number": column.NumberColumn(
                t("verifications.column_number"), format="%d", width="small"
            ),
            "kind": column.MultiselectColumn(
                t("verifications.column_kind"), options=list(kinds), color=list(kinds.values())
            ),
            "state": column.MultiselectColumn(
                t("verifications.column_state"), options=list(states), color=list(states.values())
            ),
            **{
                name: column.TextColumn(t(f"verifications.column_{name}"))
                for name in ("name", "city", "submitted", "age")
            },
        },
        key="cases",
        alt=t("verifications.table"),
    )


def _states(line: Line) -> list[str]:
    said = [t("verifications.by_other")] if line.taken_by_other else []
    return said + ([t("verifications.resubmitted")] if line.resubmitted else [])


# --- One case


def _in_full(case: CaseReview) -> None:
    image, data = st.columns([3, 2], gap="medium")
    with image:
        shown = _papers(case)
    with data:
        _who(case)
        _claims(case, shown)
        _earlier(case)
        _decision(case)


def _papers(case: CaseReview) -> DocumentView | None:
    """The papers one by one; opening one leaves an audit row."""
    held = [one for one in case.documents if not one.shredded]
    if not held:
        st.info(t("verifications.no_papers"), icon=":material/image_not_supported:")
        return None
    key = f"{_KEY}_paper_{case.id}"
    number = st.session_state.setdefault(key, 0)
    with layout.row():
        for way, icon, shortcut, step in (
            ("before", ":material/arrow_upward:", "Alt+Up", -1),
            ("after", ":material/arrow_downward:", "Alt+Down", 1),
        ):
            st.button(
                t(f"verifications.paper_{way}"),
                icon=icon,
                key=f"case_paper_{way}",
                type="tertiary",
                shortcut=shortcut,
                on_click=st.session_state.__setitem__,
                args=(key, (number + step) % len(held)),
            )
    number = (
        st.pills(
            t("verification.which"),
            range(len(held)),
            required=True,
            format_func=lambda one: page_name(held[one], held),
            key=key,
            label_visibility="collapsed",
            wrap=True,
        )
        or 0
    )
    document(
        held[number].id,
        page_name(held[number], held),
        "review",
        f"{_KEY}_view_{case.id}",
        tall=True,
    )
    return held[number]


def _who(case: CaseReview) -> None:
    """What the person says, what the number says, and where the two disagree."""
    with st.container(border=True, key=f"case_{case.id}"):
        with layout.row():
            layout.badge(icons.CASE_KIND[case.kind], t(f"case_kind.{case.kind}"))
            st.caption(
                t(
                    "verifications.head",
                    number=case.id,
                    ago=formats.ago(case.submitted_at),
                    until=formats.time_of_day(case.reviewing_until),
                ),
                width="content",
            )
        with st.grid(2, min_column_width=120):
            _fact("name", formats.plain(case.legal_name))
            _fact("id_number", formats.plain(case.masked_number))
            _fact("birth_date", f"{case.birth_date:%Y-%m-%d}")
            _fact("sex_age", t("verifications.sex_age", sex=t(f"sex.{case.sex}"), age=case.age))
        if st.button(
            t("verifications.whole_number"),
            key=f"whole_number_{case.id}",
            type="tertiary",
            icon=":material/visibility:",
            help=t("orders_page.contact_help"),
        ) and (number := session.disclose(verifications.id_number, case.id)):
            st.code(number, language=None)
        for said in _doubts(case):
            st.warning(said, icon=":material/warning:")


def _fact(name: str, value: str) -> None:
    st.markdown(f":gray[:small[{t(f'field.{name}')}]]  \n**{value}**")


def _doubts(case: CaseReview) -> list[str]:
    """What a reviewer should look at twice."""
    said = []
    if case.account_name != case.legal_name:
        said.append(t("verifications.other_name", name=formats.plain(case.account_name)))
    if not case.area_known:
        said.append(t("verification.area_unknown"))
    if case.same_number:
        said.append(t("verifications.same_number", count=case.same_number))
    there = {(one.kind, one.certificate_kind) for one in case.documents}
    if lacking := [paper_name(*one) for one in case.needed if one not in there]:
        said.append(t("verification.missing", papers=formats.listed(lacking)))
    return said


def _claims(case: CaseReview, shown: DocumentView | None) -> None:
    """The certificates as entered; the one whose picture is open stands out."""
    if not case.certificates:
        return
    with st.container(border=True, key=f"claims_{case.id}", gap="small"):
        st.markdown(f"**{t('verifications.claims')}**")
        for claim in case.certificates:
            open_now = shown is not None and _shows(shown, claim)
            st.markdown(_claim(claim, open_now=open_now))


def _shows(shown: DocumentView, claim: Claim) -> bool:
    if claim.kind is CertificateKind.HEALTH:
        return shown.kind is DocumentKind.HEALTH_REPORT
    return shown.certificate_kind == claim.kind


def _claim(claim: Claim, *, open_now: bool) -> str:
    mark = ":primary[:material/arrow_right:] " if open_now else ""
    said = f"{mark}**{t(f'certificate.{claim.kind}')}**{_expiry_badge(claim)}"
    facts = [formats.plain(claim.issuer)]
    if claim.level:
        facts.append(formats.plain(claim.level))
    if claim.number:
        facts.append(formats.plain(t("my_profile.number", number=claim.number)))
    key = "my_profile.valid" if claim.expires_on else "my_profile.valid_for_good"
    valid = t(key, issued=claim.issued_on, expires=claim.expires_on)
    return f"{said}  \n:small[{' · '.join(facts)}]  \n:gray[:small[{valid}]]"


def _expiry_badge(claim: Claim) -> str:
    if claim.expired:
        return f" :red-badge[{t('caregivers_page.expired')}]"
    if (
        claim.expires_on is not None
        and claim.expires_on <= clock.today() + certificates.EXPIRES_SOON
    ):
        return f" :orange-badge[{t('caregivers_page.expires_soon')}]"
    return f" :green-badge[{t('verifications.already_approved')}]" if claim.approved else ""


def _earlier(case: CaseReview) -> None:
    if not case.earlier:
        return
    with st.expander(
        t("verifications.earlier", count=len(case.earlier)),
        icon=":material/history:",
        key=f"earlier_{case.id}",
    ):
        st.markdown("\n\n".join(_earlier_line(one) for one in case.earlier))


def _earlier_line(one: Decided) -> str:
    symbol, colour = icons.CASE[one.status]
    said = [f":{colour}[{symbol}] **{t(f'case_status.{one.status}')}**"]
    said += [t(f"reject_reason.{reason}") for reason in one.reasons]
    if one.words:
        said.append(formats.plain(one.words))
    at = one.decided_at or one.submitted_at
    return " · ".join([*said, formats.moment(at)] if at else said)


def _decision(case: CaseReview) -> None:
    """Yes at once, no with reasons; either opens the next case."""
    with st.container(border=True, key=f"decide_{case.id}"):
        level = level_choice(case.level, f"{_KEY}_{case.id}") if case.level else None
        approved = st.button(
            t("verifications.approve"),
            type="primary",
            icon=":material/verified_user:",
            key=f"approve_case_{case.id}",
            shortcut="Alt+A",
            width="stretch",
        )
        reasons = st.pills(
            t("verifications.reasons"),
            list(RejectReason),
            selection_mode="multi",
            format_func=lambda one: t(f"reject_reason.{one}"),
            key=f"{_KEY}_reasons_{case.id}",
        )
        said = st.text_area(
            t("verifications.words"),
            key=f"{_KEY}_words_{case.id}",
            max_chars=300,
            placeholder=t("verifications.words_hint"),
            height=80,
        )
        rejected = st.button(
            t("move.reject"),
            icon=":material/undo:",
            key=f"reject_case_{case.id}",
            shortcut="Alt+X",
            width="stretch",
        )
    if approved:
        session.perform(
            "verifications.approved",
            reviewing.decide_and_take,
            case.id,
            "approve",
            level=level,
            keep=_IN_HAND,
        )
    if rejected:
        named = tuple(RejectReason(one) for one in reasons)
        session.perform(
            "verifications.rejected",
            reviewing.decide_and_take,
            case.id,
            "reject",
            named,
            said or "",
            keep=_IN_HAND,
        )
