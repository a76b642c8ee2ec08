"""A caregiver's own portrait: chosen on the phone, shown as families see it."""

from zlib import crc32

import streamlit as st

from components import portraits, session
from components.i18n import t
from services import photos


def own_photo(caregiver_id: int, name: str) -> None:
    """The portrait with a way to change it."""
    image = session.fetch(photos.of, [caregiver_id]).get(caregiver_id)
    with st.container(horizontal=True, vertical_alignment="center", key=f"face_{caregiver_id}"):
        portraits.face(name, image, width=96)
        with st.popover(
            t("my_profile.change_photo"),
            icon=":material/photo_camera:",
            key="change_photo",
            on_change="rerun",
        ) as opened:
            if opened.open:
                _upload(image or b"")


def _upload(image: bytes) -> None:
    given = st.file_uploader(
        t("my_profile.photo"),
        type=["jpg", "jpeg", "png", "webp"],
        max_upload_size=photos.MOST_BYTES // 1024 // 1024,
        key=f"own_photo_{crc32(image)}",
        help=t("my_profile.photo_help"),
    )
    if st.button(
        t("my_profile.save_photo"), type="primary", key="save_photo", disabled=given is None
    ):
        session.perform(
            "my_profile.photo_saved",
            photos.save,
            given.getvalue() if given else b"",
            forget=("own_photo_",),
        )
    if image and st.button(t("my_profile.remove_photo"), type="tertiary", key="remove_photo"):
        session.perform("my_profile.photo_removed", photos.remove)
