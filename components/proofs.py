"""Proofs of receipts and pictures of invoices: behind a click, small ones that open larger."""

from collections.abc import Sequence

import streamlit as st

from components import report_photos, session, words
from components.i18n import t
from services import proofs, scans
from services.access import Role
from services.pictures import PictureKind
from services.proofs import MOST, ProofView
from services.scans import Page
from services.statements import StatementKind, StatementLine

_TYPES = ("jpg", "jpeg", "png", "webp", "heic", "heif", "pdf")


def field(label: str, key: str) -> Sequence[bytes]:
    """Where pictures or a PDF are handed in; what was chosen so far."""
    given = st.file_uploader(
        label,
        type=list(_TYPES),
        accept_multiple_files=True,
        max_upload_size=scans.MOST_BYTES // 1024 // 1024,
        key=key,
        help=t("receipts.proof_help", most=MOST),
    )
    return [one.getvalue() for one in given]


def pages_of(given: Sequence[bytes]) -> list[Page] | None:
    """What was handed in as pictures of our own making; None and words if one is none."""
    found = list[Page]()
    with st.spinner(t("verification.preparing")):
        for one in given:
            pages = words.unless_refused(scans.pages_of, one)
            if pages is None:
                return None
            found += pages
    return found


def of_lines(lines: Sequence[StatementLine]) -> dict[int, list[ProofView]]:
    """The proofs of the payments among these lines, by receipt."""
    ids = [one.receipt_id for one in lines if one.kind is StatementKind.RECEIVED]
    found = [one for one in ids if one is not None]
    return session.fetch(proofs.of_receipts, found) if found else {}


def of_receipt(receipt_id: int) -> None:
    """The proofs of one receipt, if there are any."""
    found = session.fetch(proofs.of_receipts, [receipt_id])
    if receipt_id in found:
        expander(found[receipt_id], f"receipt_{receipt_id}")


def expander(shown: Sequence[ProofView], key: str, label: str = "") -> None:
    """What nobody looks at is not opened."""
    key = f"{key}_proofs"
    with st.expander(
        label or t("receipts.proofs", count=len(shown)),
        icon=":material/attach_file:",
        key=f"{key}_open",
        on_change="rerun",
    ) as opened:
        if not opened.open:
            st.session_state.pop(f"{key}_tickets", None)
            return
        at_home = session.actor().role is Role.CUSTOMER
        if not at_home:
            st.caption(f":material/policy: {t('receipts.proofs_audited')}")
        purpose = "own" if at_home else "receipt"
        report_photos.gallery(PictureKind.PROOF, [one.id for one in shown], purpose, key)
