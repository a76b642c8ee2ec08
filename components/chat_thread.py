"""A talk on screen: bubbles by day, pictures by ticket, and the field one writes in."""

import secrets
from collections.abc import Callable, Sequence
from datetime import date

import streamlit as st
from streamlit.components.v2 import component

from components import catalogue, formats, session, words
from components.i18n import t
from components.report_photos import gallery
from services import attachments, clock, orders, scans
from services.messages import MessageView, Said, Side
from services.pictures import PictureKind
from services.talks import Standing, TalkStatus

_TYPES = ("jpg", "jpeg", "png", "webp", "heic", "heif")
HEIGHT = 300
Say = Callable[[Said], object | None]
# Streamlit names the buttons of its field in English only, and anew whenever it draws them.
_NAMES = component(
    "chat_names",
    js="""
export default function ({ data }) {
  const field = document.querySelector(`.st-key-${data.field}`)
  if (!field) return
  const name = () => {
    for (const [part, words] of Object.entries(data.words))
      for (const button of field.querySelectorAll(`[data-testid=${part}]`)) {
        const named = button.querySelector("button") ?? button
        if (named.ariaLabel !== words) named.ariaLabel = words
      }
  }
  name()
  const drawn = new MutationObserver(name)
  drawn.observe(field, { childList: true, subtree: true, attributeFilter: ["aria-label"] })
  return () => drawn.disconnect()
}
""",
)


def head(standing: Standing) -> None:
    """Who answers, or honestly when somebody will."""
    hours = standing.hours
    if standing.status is TalkStatus.ASSIGNED and standing.answered_by:
        name = formats.plain(standing.answered_by)
        st.markdown(f":material/support_agent: {t('chat.answered_by', name=name)}")
    if hours is None or standing.status is TalkStatus.ASSIGNED:
        return
    if not hours.open_now:
        opens = formats.moment(hours.opens_at)
        st.info(t("chat.closed_now", opens=opens), icon=":material/bedtime:")
    else:
        st.caption(t("chat.open_now", minutes=hours.answer_minutes))


def thread(
    found: Sequence[MessageView], key: str, purpose: str | None, *, height: int = HEIGHT
) -> None:
    """Messages, one's own at the right; pictures for a purpose, or (None) none at all."""
    with st.container(height=height, key=f"{key}_thread", gap="small", autoscroll=True):
        if not found:
            st.caption(t("chat.nothing_yet"))
        day: date | None = None
        for message in found:
            at = clock.in_city(message.at)
            if at.date() != day:
                day = at.date()
                # With Tab one comes to the days, and so scrolls the talk without a mouse.
                st.html(f'<div class="chat-day" tabindex="0">{formats.day(message.at)}</div>')
            _message(message, key, purpose)


def _message(message: MessageView, key: str, purpose: str | None) -> None:
    if message.side is Side.PLATFORM:
        event = t(f"chat_event.{message.words}", name=formats.plain(message.author_name))
        st.caption(f"{formats.time_of_day(message.at)} · {event}", text_alignment="center")
        return
    whose = "note" if message.private else "own" if message.mine else "theirs"
    with st.container(key=f"said_{whose}_{key}_{message.id}", gap=None, width="content"):
        who = "" if message.mine else message.author_name or t(f"chat_side.{message.side}")
        marks = [formats.plain(who) if who else "", formats.time_of_day(message.at)]
        if message.private:
            marks.insert(0, f":material/visibility_off: {t('chat.note')}")
        st.caption(" · ".join(filter(None, marks)))
        if message.words:
            st.text(message.words)
        if message.order_id is not None:
            _order(message.order_id)
        kept = [one.id for one in message.pictures if not one.shredded]
        if kept and purpose is not None:
            gallery(PictureKind.ATTACHMENT, kept, purpose, f"{key}_pictures_{message.id}")
        if len(kept) < len(message.pictures):
            st.caption(f":material/hide_image: {t('chat.shredded')}")
        if not (message.words or message.order_id or message.pictures):
            st.caption(t("chat.blanked"))


def _order(order_id: int) -> None:
    """An order both sides may see, in two lines."""
    order = session.fetch(orders.one, order_id)
    item = catalogue.item_name(catalogue.items(), order.item_id)
    when = formats.span(order.starts_at, order.ends_at)
    st.markdown(
        f":material/receipt_long: **{item}** :small[{t('order.number', number=order.id)}]  \n"
        f":small[{when} · {formats.plain(order.caregiver_name)}]"
    )


def writing(say: Say, key: str, hint: str, *, pictures: bool) -> None:
    """The field one writes in; what is refused stays, to be shortened or sent again."""
    nonce = st.session_state.setdefault(f"{key}_nonce", secrets.token_hex(16))
    above = st.container()
    given = st.chat_input(
        hint,
        key=f"{key}_words",
        accept_file="multiple" if pictures else False,
        file_type=list(_TYPES) if pictures else None,
        max_upload_size=scans.MOST_BYTES // 1024 // 1024 if pictures else None,
    )
    _NAMES(
        key=f"{key}_field_names",
        data={
            "field": f"{key}_words",
            "words": {
                "stChatInputSubmitButton": t("chats.send"),
                "stChatInputFileUploadButton": t("chat.add_picture"),
            },
        },
        height="content",
    )
    with above:
        if given:
            text = given if isinstance(given, str) else given.text
            files = [] if isinstance(given, str) else given.files
            pages = _pages([one.getvalue() for one in files])
            if len(pages) == len(files):
                _send(say, key, Said(text, nonce, pages))
            _keep(key, text, pages)
        if f"{key}_refused" in st.session_state:
            _refused(say, key, nonce)


def _keep(key: str, text: str, pages: Sequence[scans.Page]) -> None:
    """What was refused, under what was before; an empty text with no picture is not kept."""
    if text.strip() or pages:
        said, beside = st.session_state.get(f"{key}_refused", ("", []))
        text = "\n".join(filter(None, (said, text)))
        st.session_state[f"{key}_refused"] = text, [*beside, *pages]
        st.session_state[f"{key}_unsent"] = text


def _refused(say: Say, key: str, nonce: str) -> None:
    """What is kept beside the field: Streamlit forgets a field that is out of sight."""
    text, pages = st.session_state[f"{key}_refused"]
    st.session_state.setdefault(f"{key}_unsent", text)
    st.warning(t("chat.unsent"), icon=":material/unpublished:")
    again = st.text_area(t("field.message"), key=f"{key}_unsent", height=120) or ""
    st.session_state[f"{key}_refused"] = again, pages
    if pages:
        st.caption(f":material/image: {t('chat.unsent_pictures', count=len(pages))}")
    with st.container(horizontal=True, gap="small"):
        if st.button(t("chat.send_again"), key=f"{key}_again", icon=":material/send:"):
            _send(say, key, Said(again, nonce, pages), "refused")
        st.button(
            t("chat.discard"),
            key=f"{key}_discard",
            type="tertiary",
            on_click=_forget,
            args=(key, "refused"),
        )


def _send(say: Say, key: str, said: Said, *sent: str) -> None:
    """Say it and draw the talk anew; returns only if that is refused."""
    if say(said) is not None:
        _forget(key, "nonce", *sent)
        st.rerun(scope="fragment")


def _forget(key: str, *names: str) -> None:
    for name in names:
        st.session_state.pop(f"{key}_{name}", None)


def _pages(files: Sequence[bytes]) -> list[scans.Page]:
    """The pictures made anew, outside any transaction; words for each that is none."""
    if len(files) > attachments.MOST:
        st.error(t("error.attachments_too_many", most=attachments.MOST))
        return []
    pages = [words.unless_refused(scans.photo_of, one) for one in files]
    return [page for page in pages if page is not None]


def stars(rate: Callable[[int, str], object | None], key: str) -> None:
    """How well it helped, once it is settled."""
    with st.form(f"{key}_rating", border=False):
        st.markdown(f"**{t('chat.how_was_it')}**")
        score = st.feedback("stars", key=f"{key}_stars")
        said = st.text_input(t("field.score_words"), key=f"{key}_score_words", max_chars=300)
        if st.form_submit_button(t("chat.rate"), key=f"{key}_rate") and (
            rate((score if score is not None else -1) + 1, said or "") is not None
        ):
            st.rerun(scope="fragment")


def newest(found: Sequence[MessageView]) -> int:
    """The number of the newest message."""
    return max((one.id for one in found), default=0)
