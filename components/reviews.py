"""Reviews: written after redemption, read on profiles."""

from collections.abc import Sequence

import streamlit as st

from components import catalogue, formats, layout, session
from components.i18n import t
from services import clock, erasure, reviews
from services.reviews import PlanMonth, ReviewForm, ReviewView

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


def visit_review(visit_id: int) -> None:
    """The way to review a visit, behind a click."""
    with st.expander(
        t("order.review_now"),
        icon=":material/star:",
        key=f"review_{visit_id}",
        on_change="rerun",
    ) as opened:
        if opened.open and (form := review_form(str(visit_id))) is not None:
            session.perform("review.written", reviews.write, visit_id, form)


def review_form(key: str) -> ReviewForm | None:
    """Four scores and words; None until they are sent."""
    with st.form(f"review_{key}_form", border=False):
        given: dict[str, int | None] = {}
        with st.grid("auto", min_column_width=200):
            for score in _SCORES:
                with st.container(gap=None):
                    st.caption(t(f"score.{score}"))
                    given[score] = st.feedback("stars", key=f"review_{key}_{score}")
        words = st.text_area(t("field.review_words"), key=f"review_{key}_words", max_chars=500)
        st.caption(t("review.public"))
        sent = st.form_submit_button(t("review.submit"), type="primary", key=f"review_{key}_submit")
    if not sent:
        return None
    # A star not given counts as none, and the service refuses it in words.
    marks = {score: (stars + 1 if stars is not None else 0) for score, stars in given.items()}
    return ReviewForm(**marks, words=words)


def month_reviews(months: Sequence[PlanMonth]) -> None:
    """The months of a plan that can be reviewed, each behind a click."""
    for one in months:
        key = f"{one.order_id}_{one.caregiver_id}_{one.month:%Y%m}"
        with st.expander(
            t(
                "review.of_month",
                month=t("time.month", on=one.month),
                name=formats.plain(one.caregiver_name),
                count=one.visits,
            ),
            icon=":material/star:",
            key=f"review_{key}",
            on_change="rerun",
        ) as opened:
            if not opened.open:
                continue
            st.caption(t("review.until", until=formats.date_alone(clock.in_city(one.until))))
            if (form := review_form(key)) is not None:
                session.perform(
                    "review.written",
                    reviews.write_month,
                    one.order_id,
                    one.caregiver_id,
                    one.month,
                    form,
                )


def review_list(written: list[ReviewView], key: str = "reviews") -> None:
    """What families said, newest first."""
    items = catalogue.items()
    if not written:
        st.caption(t("review.none"))
    for number, review in enumerate(layout.first_of(written, key, _SHOWN_AT_ONCE)):
        with st.container(border=True, key=f"{key}_shown_{number}", gap="small"):
            st.markdown(_title(review, catalogue.item_name(items, review.item_id)))
            if review.words:
                st.text(review.words)
            _answers(review)
            st.caption(
                f"{_by(review)} · {formats.ago(review.written_at)} · "
                + " · ".join(f"{t(f'score.{s}')} {getattr(review, s)}" for s in _SCORES[:3])
            )
            _deeds(review)
    layout.more_button(written, key, _SHOWN_AT_ONCE)


def _title(review: ReviewView, item: str) -> str:
    """★★★★★ 陪伴聊天, and of a month of a plan which and how many visits."""
    title = f"{stars(review.overall)}  {item}"
    if review.month is None:
        return title
    month = t("review.month", month=t("time.month", on=review.month), count=review.visits)
    return f"{title} :gray[:small[{month}]]"


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
