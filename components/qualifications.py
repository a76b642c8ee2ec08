"""What a caregiver's work takes: papers to hand in, and certificates for each kind of care."""

import streamlit as st

from components import catalogue, formats, navigation
from components.i18n import name, t
from components.verification import paper_name
from services import certificates, clock, verifications
from services.caregivers import Profile
from services.certificates import CertificateForm, CertificateKind, CertificateView
from services.verifications import CaseKind, CaseStatus, CaseView

_KEY = "my_profile"
_MARKS = {
    "drafted": ":material/edit_note:",
    "lacking": ":material/close:",
    "ended": ":material/event_busy:",
    "in_review": ":material/pending:",
}


def papers(mine: CaseView | None) -> None:
    """What is still to be handed in beside the profile, and the way there."""
    if mine is not None and mine.status is not CaseStatus.DRAFT:
        return
    lacking = list(verifications.needed(CaseKind.CAREGIVER)) if mine is None else mine.missing
    with st.container(border=True, key=f"{_KEY}_papers", gap="small"):
        if lacking:
            names = formats.listed(paper_name(*one) for one in lacking)
            said = t("my_profile.papers_missing", papers=names)
        else:
            said = t("my_profile.papers_there")
        icon = ":orange[:material/upload_file:]" if lacking else ":green[:material/check_circle:]"
        st.markdown(f"{icon} **{t('my_profile.papers')}**  \n{said}")
        navigation.link("verification", t("my_profile.to_papers"), icon=":material/arrow_forward:")


def what_each_takes(profile: Profile | None, drafted: tuple[CertificateForm, ...]) -> None:
    """For each item she could offer, the certificates it takes and how she stands to them."""
    with st.expander(
        t("my_profile.what_each_takes"),
        icon=":material/checklist:",
        key=f"{_KEY}_what_each_takes",
        on_change="rerun",
    ) as opened:
        if not opened.open:
            return
        held = {one.kind: one for one in profile.certificates} if profile else {}
        marks = {
            kind: _mark(kind, held.get(kind), drafted={one.kind for one in drafted})
            for item in catalogue.items().values()
            for kind in item.required_certificates
        }
        lines = (
            f"**{name(item)}**  \n{' '.join(marks[kind] for kind in item.required_certificates)}"
            for item in catalogue.offered(catalogue.items()).values()
        )
        st.markdown("\n\n".join(lines))


def _mark(
    kind: CertificateKind, held: CertificateView | None, *, drafted: set[CertificateKind]
) -> str:
    """:green-badge[健康证]: held; not yet approved, ending, ended or lacking in other colours."""
    named, soon = t(f"certificate.{kind}"), clock.today() + certificates.EXPIRES_SOON
    if held is None:
        key, colour = ("drafted", "gray") if kind in drafted else ("lacking", "red")
    elif held.expired:
        key, colour = "ended", "red"
    elif not held.approved:
        key, colour = "in_review", "gray"
    elif held.expires_on is not None and held.expires_on <= soon:
        said = t("my_profile.certificate_ends", name=named, day=held.expires_on)
        return f":orange-badge[:material/schedule: {said}]"
    else:
        return f":green-badge[:material/check: {named}]"
    return f":{colour}-badge[{_MARKS[key]} {t(f'my_profile.certificate_{key}', name=named)}]"
