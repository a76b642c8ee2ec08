"""Reviews: written after redemption, read on profiles."""

import streamlit as st

from components import catalogue, formats, layout, session
from components.i18n import t
from services import erasure, reviews
from services.reviews import ReviewForm, ReviewView

_SHOWN_AT_ONCE = 3
_ICONS = {
    "answer": ":material/reply:",
    "report": ":material/flag:",
    "hide": ":material/visibility_off:",
    "show": ":material/visibility:",
}
_DEEDS = {
    "answer": ("review.answer_done", reviews.answer),
    "report": ("review.report_done", reviews.report),
    "hide": ("review.hide_done", reviews.hide),
}
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


def review_list(written: list[ReviewView], key: str = "reviews") -> None:
    """What families said, newest first."""
    items = catalogue.items()
    if not written:
        st.caption(t("review.none"))
    for number, review in enumerate(layout.first_of(written, key, _SHOWN_AT_ONCE)):
        with st.container(border=True, key=f"{key}_shown_{number}", gap="small"):
            st.markdown(f"{stars(review.overall)}  {catalogue.item_name(items, review.item_id)}")
            if review.words:
                st.text(review.words)
            _answers(review)
            st.caption(
                f"{_by(review)} · {formats.ago(review.written_at)} · "
                + " · ".join(f"{t(f'score.{s}')} {getattr(review, s)}" for s in _SCORES[:3])
            )
            _deeds(review)
    layout.more_button(written, key, _SHOWN_AT_ONCE)


def reported_ones() -> None:
    """The reviews caregivers asked the operators to look at, if there are any."""
    if found := session.fetch(reviews.reported):
        st.subheader(t("review.reported", count=len(found)), anchor=False)
        review_list(found, "reported")


def _answers(review: ReviewView) -> None:
    """What the caregiver and the operators said to it, and what was said against it."""
    for heading, said in (
        ("review.by_caregiver", review.reply_words),
        ("review.by_operator", review.staff_words),
        ("review.report_reason", review.report_words),
        ("review.hidden_reason", review.hidden_words),
    ):
        if said:
            layout.field(t(heading), said)


def _deeds(review: ReviewView) -> None:
    """A button for each thing that this reader may do with it."""
    if not review.deeds:
        return
    with layout.row():
        for deed in review.deeds:
            label, key = t(f"review.{deed}"), f"{deed}_review_{review.id}"
            if deed == "show":
                if st.button(label, icon=_ICONS[deed], key=key):
                    session.perform("review.show_done", reviews.show, review.id)
                continue
            with st.popover(label, icon=_ICONS[deed], key=f"{key}_ask", on_change="rerun") as ask:
                if ask.open:
                    _say(review, deed, key)


def _say(review: ReviewView, deed: str, key: str) -> None:
    """The words a deed takes, and what comes of it said before the click."""
    st.caption(t(f"review.{deed}_means"))
    with st.form(f"{key}_form", border=False):
        answering = deed == "answer"
        said = st.text_area(
            t("field.reply" if answering else "field.reason"),
            key=f"{key}_words",
            max_chars=500 if answering else 300,
        )
        if st.form_submit_button(t(f"review.{deed}"), type="primary", key=key):
            done, do = _DEEDS[deed]
            session.perform(done, do, review.id, said)


def _by(review: ReviewView) -> str:
    if review.family_name == erasure.NOBODY:
        return t("review.by_nobody")
    return t("review.by", family=review.family_name)


def stars(score: float) -> str:
    """★★★★☆ in the accent colour."""
    full = round(score)
    return f":orange[{'★' * full}{'☆' * (5 - full)}]"
