"""Reviews: written after redemption, read on profiles."""

import streamlit as st

from components import catalogue, formats, layout, session
from components.i18n import t
from services import erasure, reviews
from services.reviews import ReviewForm, ReviewView

_SHOWN_AT_ONCE = 3
_SCORES = ("skill", "attitude", "communication", "overall")


def review_form(visit_id: int) -> None:
    """Four scores and words about one visit."""
    with st.form(f"review_{visit_id}", border=False):
        given: dict[str, int | None] = {}
        with st.grid("auto", min_column_width=200):
            for score in _SCORES:
                with st.container(gap=None):
                    st.caption(t(f"score.{score}"))
                    given[score] = st.feedback("stars", key=f"review_{visit_id}_{score}")
        words = st.text_area(t("field.review_words"), key=f"review_{visit_id}_words", max_chars=500)
        st.caption(t("review.public"))
        if st.form_submit_button(
            t("review.submit"), type="primary", key=f"review_{visit_id}_submit"
        ):
            # A star not given counts as none, and the service refuses it in words.
            marks = {
                score: (stars + 1 if stars is not None else 0) for score, stars in given.items()
            }
            session.perform(
                "review.written", reviews.write, visit_id, ReviewForm(**marks, words=words)
            )


def review_list(written: list[ReviewView]) -> None:
    """What families said, newest first."""
    items = catalogue.items()
    if not written:
        st.caption(t("review.none"))
    for number, review in enumerate(layout.first_of(written, "reviews", _SHOWN_AT_ONCE)):
        with st.container(border=True, key=f"review_shown_{number}", gap="small"):
            st.markdown(f"{stars(review.overall)}  {catalogue.item_name(items, review.item_id)}")
            if review.words:
                st.text(review.words)
            st.caption(
                f"{_by(review)} · {formats.ago(review.written_at)} · "
                + " · ".join(f"{t(f'score.{s}')} {getattr(review, s)}" for s in _SCORES[:3])
            )
    layout.more_button(written, "reviews", _SHOWN_AT_ONCE)


def _by(review: ReviewView) -> str:
    if review.family_name == erasure.NOBODY:
        return t("review.by_nobody")
    return t("review.by", family=review.family_name)


def stars(score: float) -> str:
    """★★★★☆ in the accent colour."""
    full = round(score)
    return f":orange[{'★' * full}{'☆' * (5 - full)}]"
