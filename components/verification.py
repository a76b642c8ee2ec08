"""Handing in who one is: consent, name and number, photos; then how far the review is."""

from collections.abc import Sequence

import streamlit as st

from components import accounts, formats, icons, layout, navigation, policies, session, words
from components import consents as consents_shown
from components.document_view import document
from components.i18n import t
from services import caregivers, consents, documents, resident_ids, verifications
from services.consents import Policy
from services.documents import DocumentKind, DocumentView
from services.verifications import (
    CaseKind,
    CaseStatus,
    CaseView,
    IdentityForm,
    Needed,
    RejectReason,
    Step,
)

_KEY = "verification"
_STEPS = ("consent", "identity", "photos")
_CONSENT_HEIGHT = 420
_ENDED = (CaseStatus.REJECTED, CaseStatus.EXPIRED)
_TYPES = ("jpg", "jpeg", "png", "webp", "heic", "heif", "pdf")
_TICKS = (":material/check_circle:", ":material/radio_button_unchecked:")


def kind() -> CaseKind:
    """Families hand in who they are, caregivers what they may do too."""
    return CaseKind(str(session.actor().role))


def case(mine: CaseView | None) -> None:
    """How far it is; and what the person has to do now, one step at a time."""
    history = session.fetch(verifications.history, kind())
    if mine is None or mine.status is CaseStatus.DRAFT:
        if history and history[-1].status in _ENDED:
            with st.container(border=True, key="case_sent_back"):
                _why(history[-1].reasons, history[-1].words)
        _steps(mine)
    else:
        _outcome(mine)
    _so_far(history)


def _outcome(mine: CaseView) -> None:
    with st.container(border=True, key="case_outcome"):
        with layout.row():
            layout.badge(icons.CASE[mine.status], t(f"case_status.{mine.status}"))
            st.text(f"{mine.masked_name} · {mine.masked_number}", width="content")
        st.caption(t(f"verification.means_{mine.status}"))
        _why(mine.reasons, mine.words)
        _anew(mine)
    if shown := [one for one in mine.documents if not one.shredded]:
        with st.expander(
            t("verification.handed_in"),
            icon=":material/folder_shared:",
            key="case_papers",
            on_change="rerun",
        ) as opened:
            if opened.open:
                _look(shown, f"{_KEY}_handed_in")


def _why(reasons: Sequence[RejectReason], said: str) -> None:
    """Why it came back, and what to mend."""
    if reasons:
        st.markdown(
            "\n\n".join(
                f":red[:material/error:] **{t(f'reject_reason.{reason}')}**  \n"
                f":small[{t(f'reject_reason.{reason}_mend')}]"
                for reason in reasons
            )
        )
    if said:
        layout.field(t("my_profile.operator_said"), said)


def _anew(mine: CaseView) -> None:
    """Mend and hand in again; a caregiver who learnt something new hands in that."""
    if mine.status is CaseStatus.SUBMITTED:
        return
    if mine.status is CaseStatus.APPROVED and mine.kind is CaseKind.CUSTOMER:
        return
    again = mine.status is not CaseStatus.APPROVED
    if st.button(
        t("verification.mend" if again else "verification.add_papers"),
        type="primary" if again else "secondary",
        icon=":material/edit:",
        key="case_anew",
    ):
        session.perform(
            "verification.begun", verifications.save, mine.kind, IdentityForm("", ""),
            forget=(f"{_KEY}_",),
        )  # fmt: skip


def _so_far(steps: list[Step]) -> None:
    """What happened until now, oldest first."""
    if not steps:
        return
    with st.expander(t("verification.so_far"), icon=":material/history:", key="case_history"):
        for step in steps:
            symbol, colour = icons.CASE[step.status]
            said = [f":{colour}[{symbol}] **{t(f'case_status.{step.status}')}**"]
            said += [t(f"reject_reason.{reason}") for reason in step.reasons]
            if step.words:
                said.append(formats.plain(step.words))
            st.markdown(f"{' · '.join(said)}  \n:gray[:small[{formats.moment(step.at)}]]")


def _steps(mine: CaseView | None) -> None:
    """The three steps; the first that is not done is open."""
    done = _done(mine)
    first = next((step for step in _STEPS if step not in done), "photos")
    step = st.segmented_control(
        t("verification.step"),
        _STEPS,
        default=first,
        required=True,
        format_func=lambda one: (
            f"{':material/check_circle:' if one in done else ':material/circle:'}"
            f" {t(f'verification.step_{one}')}"
        ),
        key=f"{_KEY}_step_{first}",
        label_visibility="collapsed",
        width="stretch",
    )
    with st.container(border=True, key=f"step_{step}"):
        if step == "consent":
            _consent(given="consent" in done)
        elif "consent" not in done:
            st.info(t("verification.consent_first"), icon=":material/shield_person:")
        elif _has_no_city():
            st.caption(t("verification.city_first"))
            accounts.region_fields()
        elif step == "identity":
            _identity(mine)
        elif mine is None or "identity" not in done:
            st.info(t("verification.identity_first"), icon=":material/badge:")
        else:
            _photos(mine)


def _has_no_city() -> bool:
    """Whose operators should look is not known yet; a caregiver's profile says it too."""
    visitor = session.visitor()
    if visitor is None or visitor.city_code is not None:
        return False
    return kind() is CaseKind.CUSTOMER or session.fetch(caregivers.standing) is None


def _done(mine: CaseView | None) -> set[str]:
    done = set()
    views = {view.policy: view for view in session.fetch(consents.mine)}
    sensitive = views[Policy.SENSITIVE_DATA]
    if sensitive.holds and not sensitive.outdated:
        done.add("consent")
    if mine is not None and mine.masked_name and mine.masked_number:
        done.add("identity")
    if mine is not None and not mine.missing:
        done.add("photos")
    return done


def _consent(*, given: bool) -> None:
    """The text a person says yes to before anything sensitive is asked."""
    if given:
        st.success(t("verification.consented"), icon=":material/check_circle:")
        consents_shown.document(Policy.SENSITIVE_DATA, _KEY)
        return
    # The yes is at the end of what is scrolled, so that a keyboard comes there too.
    with st.container(height=_CONSENT_HEIGHT, border=True, key="case_consent_text"):
        version = consents_shown.in_force(Policy.SENSITIVE_DATA)
        st.markdown(policies.words_of(version))
        agreed = st.checkbox(t("verification.agree"), key=f"{_KEY}_agreed")
    if not agreed:
        st.caption(t("verification.read_to_end"))
    if st.button(t("verification.go_on"), type="primary", key="case_consent", disabled=not agreed):
        session.perform("verification.consented", consents.give, version.policy, version.number)


def _identity(mine: CaseView | None) -> None:
    """Name and number as on the card; checked while they are typed, masked once they are kept."""
    kept = mine is not None and bool(mine.masked_name and mine.masked_number)
    if kept and mine is not None:
        with st.container(horizontal=True, gap="large"):
            layout.field(t("field.legal_name"), mine.masked_name)
            layout.field(t("field.id_number"), mine.masked_number)
        if not mine.area_known:
            st.warning(t("verification.area_unknown"), icon=":material/help:")
        if not st.toggle(t("verification.change"), key=f"{_KEY}_change"):
            return
    legal_name = st.text_input(
        t("field.legal_name"), key=f"{_KEY}_name", max_chars=40, help=t("verification.name_help")
    )
    typed = st.text_input(
        t("field.id_number"), key=f"{_KEY}_number", max_chars=24, autocomplete="off"
    )
    read = words.unless_refused(resident_ids.read, typed) if typed else None
    if read is not None:
        born = t("verification.born", on=read.birth_date, sex=t(f"sex.{read.sex}"))
        st.caption(f":material/check: {born}")
        if not read.area_known:
            st.warning(t("verification.area_unknown"), icon=":material/help:")
    if st.button(
        t("verification.keep_and_go_on"), type="primary", key="case_identity",
        disabled=bool(typed) and read is None,
    ):  # fmt: skip
        session.perform(
            "verification.identity_kept", verifications.save, kind(),
            IdentityForm(legal_name, typed), forget=(f"{_KEY}_",),
        )  # fmt: skip


def _photos(mine: CaseView) -> None:
    """One paper at a time: what is asked, what is there, and a way to take it with the camera."""
    wanted = list(mine.needed)
    todo = [wanted.index(one) for one in mine.missing]
    key = f"{_KEY}_paper_{mine.id}"
    # Not as default: Streamlit warns of one beside a value that the button below sets.
    st.session_state.setdefault(key, todo[0] if todo else 0)
    chosen = (
        st.pills(
            t("verification.which"),
            range(len(wanted)),
            required=True,
            format_func=lambda one: f"{_TICKS[one in todo]} {paper_name(*wanted[one])}",
            key=key,
            label_visibility="collapsed",
            wrap=True,
        )
        or 0
    )
    _paper(mine, wanted[chosen])
    if after := [one for one in todo if one != chosen]:
        following = next((one for one in after if one > chosen), after[0])
        st.button(
            t("verification.next", paper=paper_name(*wanted[following])),
            icon=":material/arrow_forward:",
            key="case_next_paper",
            on_click=st.session_state.__setitem__,
            args=(key, following),
        )
    _hand_in(mine)


def _paper(mine: CaseView, wanted: Needed) -> None:
    document_kind, certificate_kind = wanted
    held = [one for one in mine.documents if (one.kind, one.certificate_kind) == wanted]
    st.markdown(f"**{paper_name(*wanted)}**  \n:gray[:small[{t(f'paper_hint.{document_kind}')}]]")
    if held:
        shown = _look(held, f"{_KEY}_{document_kind}_{certificate_kind}")
        if st.button(
            t("my_profile.remove"), icon=":material/delete:", type="tertiary", key="case_remove"
        ):
            session.perform("verification.removed", documents.remove, shown.id)
    _uploader(mine, wanted, held)


def _uploader(mine: CaseView, wanted: Needed, held: list[DocumentView]) -> None:
    """What is chosen goes straight into pages of our own making; the file is kept nowhere."""
    document_kind, certificate_kind = wanted
    one_page = document_kind in documents.ONE_PAGE
    label = "another_page" if held and not one_page else "replace" if held else "take_photo"
    newest = max((one.id for one in held), default=0)
    given = st.file_uploader(
        t(f"verification.{label}"),
        type=list(_TYPES),
        # A new key after each file: the field is empty again.
        key=f"{_KEY}_file_{document_kind}_{certificate_kind}_{newest}",
        help=t("verification.file_help"),
    )
    if given is None:
        return
    with st.spinner(t("verification.preparing")):
        pages = words.unless_refused(documents.pages_of, given.getvalue())
    if pages:
        session.perform(
            "verification.attached", documents.attach, mine.id, document_kind, pages,
            certificate_kind, forget=(f"{_KEY}_file_",),
        )  # fmt: skip


def _look(held: list[DocumentView], key: str) -> DocumentView:
    """One of several pages, opened by a ticket; it is returned."""
    number = 0
    if len(held) > 1:
        names = [page_name(one, held) for one in held]
        number = st.segmented_control(
            t("verification.page"),
            range(len(held)),
            default=0,
            required=True,
            format_func=names.__getitem__,
            key=f"{key}_page_{len(held)}",
            label_visibility="collapsed",
            wrap=True,
        )
    shown = held[number]
    document(shown.id, page_name(shown, held), "own", f"{key}_view")
    return shown


def page_name(one: DocumentView, among: Sequence[DocumentView]) -> str:
    """健康证 2: the number only where there are several."""
    shows = one.kind, one.certificate_kind
    alike = [other for other in among if (other.kind, other.certificate_kind) == shows]
    name = paper_name(one.kind, one.certificate_kind)
    return f"{name} {alike.index(one) + 1}" if len(alike) > 1 else name


def _hand_in(mine: CaseView) -> None:
    """The last step; a caregiver hands in together with her profile."""
    if mine.missing:
        names = [paper_name(*one) for one in mine.missing]
        st.caption(t("verification.missing", papers=formats.listed(names)))
        return
    if mine.kind is CaseKind.CAREGIVER:
        st.caption(t("verification.with_profile"))
        navigation.button("my_profile", t("verification.to_profile"), icon=":material/send:")
        return
    st.caption(t("verification.submit_about"))
    if st.button(t("move.submit"), type="primary", icon=":material/send:", key="case_submit"):
        session.perform(
            "verification.submitted", verifications.submit, mine.id, forget=(f"{_KEY}_",)
        )


def paper_name(document_kind: DocumentKind, certificate_kind: str | None) -> str:
    """身份证人像面, 证书：养老护理员."""
    if certificate_kind is None:
        return t(f"paper.{document_kind}")
    return t(f"certificate.{certificate_kind}")


def asked_for() -> None:
    """Above what a family fills in for a booking: say before, not after, that they must verify."""
    status = session.fetch(verifications.before_booking)
    if status is None:
        return
    waiting = status is CaseStatus.SUBMITTED
    with st.container(border=True, key="verify_first"), layout.row():
        st.markdown(
            f":orange[:material/verified_user:] "
            f"{t('verification.in_review' if waiting else 'verification.asked_for')}",
            width="stretch",
        )
        navigation.link(
            "verification", t("verification.asked_for_go"), icon=":material/arrow_forward:"
        )
