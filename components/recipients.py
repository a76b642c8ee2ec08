"""Care recipients: entered, chosen and described."""

from datetime import date

import streamlit as st

from components import consents, formats, session
from components.i18n import t
from services import clock, recipients
from services.consents import Policy
from services.recipients import Mobility, RecipientForm, RecipientView, Relation, Sex


def recipient_choice(
    known: list[RecipientView], key: str, *, customer_id: int | None = None
) -> RecipientView | None:
    """Choose one of the family's recipients, or add one first; the desk does it for a caller."""
    if not known:
        st.info(t("recipient.first"), icon=":material/elderly:")
        recipient_form(key, customer_id=customer_id)
        return None
    by_id = {one.id: one for one in known}
    chosen = st.selectbox(
        t("field.recipient"),
        list(by_id),
        format_func=lambda one: described(by_id[one]),
        key=f"{key}_recipient",
    )
    with st.popover(
        t("recipient.add"), icon=":material/person_add:", key=f"{key}_add", on_change="rerun"
    ) as opened:
        if opened.open:
            recipient_form(key, customer_id=customer_id)
    return by_id[chosen]


def described(recipient: RecipientView) -> str:
    """王秀英 · 母亲 · 78 岁."""
    years = t("recipient.years", years=recipients.age(recipient.birth_date))
    return f"{recipient.name} · {t(f'relation.{recipient.relation}')} · {years}"


def recipient_form(
    key: str, recipient_id: int | None = None, *, customer_id: int | None = None
) -> None:
    """Everything a caregiver must know of a person to be safe; saved when complete."""
    now = _details(recipient_id, customer_id) if recipient_id else None
    if recipient_id and now is None:
        return
    prefix = f"{key}_new" if recipient_id is None else f"{key}_{recipient_id}"
    asks = session.fetch(recipients.asks_consent, customer_id=customer_id)
    if asks:
        consents.document(Policy.SENSITIVE_DATA, prefix)
    with st.form(prefix, border=False):
        name = st.text_input(
            t("field.recipient_name"), now.name if now else "", key=f"{prefix}_name", max_chars=40
        )
        left, right = st.columns(2)
        sex = left.selectbox(
            t("field.sex"),
            list(Sex),
            index=list(Sex).index(now.sex) if now else 0,
            format_func=lambda one: t(f"sex.{one}"),
            key=f"{prefix}_sex",
        )
        relation = right.selectbox(
            t("field.relation"),
            list(Relation),
            index=list(Relation).index(now.relation if now else Relation.PARENT),
            format_func=lambda one: t(f"relation.{one}"),
            key=f"{prefix}_relation",
        )
        born = left.date_input(
            t("field.birth_date"),
            now.birth_date if now else date(1950, 1, 1),
            min_value=date(clock.today().year - recipients.OLDEST_YEARS, 1, 1),
            max_value=clock.today(),
            key=f"{prefix}_birth_date",
        )
        mobility = right.selectbox(
            t("field.mobility"),
            list(Mobility),
            index=list(Mobility).index(now.mobility) if now else 0,
            format_func=lambda one: t(f"mobility.{one}"),
            key=f"{prefix}_mobility",
        )
        language = st.text_input(
            t("field.recipient_language"),
            now.language if now else "",
            key=f"{prefix}_language",
            max_chars=40,
            placeholder=t("recipient.language_hint"),
        )
        conditions = st.text_area(
            t("field.conditions"),
            now.conditions if now else "",
            key=f"{prefix}_conditions",
            max_chars=500,
            placeholder=t("recipient.conditions_hint"),
        )
        ward = st.text_input(
            t("field.ward"), now.ward if now else "", key=f"{prefix}_ward", max_chars=100
        )
        contact = st.text_input(
            t("field.emergency_contact"),
            now.emergency_contact if now else "",
            key=f"{prefix}_contact",
            max_chars=100,
        )
        st.caption(t("recipient.sealed"))
        agreed = asks and st.checkbox(
            t("recipient.agree" if customer_id is None else "recipient.caller_agrees"),
            key=f"{prefix}_agreed",
        )
        if st.form_submit_button(t("recipient.save"), type="primary", key=f"{prefix}_save"):
            form = RecipientForm(
                name=name,
                sex=Sex(sex),
                birth_date=born,
                relation=Relation(relation),
                mobility=Mobility(mobility),
                language=language,
                conditions=conditions,
                ward=ward,
                emergency_contact=contact,
                agreed=agreed,
            )
            session.perform(
                "recipient.saved",
                recipients.save,
                form,
                recipient_id,
                customer_id=customer_id,
                forget=(prefix,),
            )


def _details(recipient_id: int, customer_id: int | None) -> RecipientForm | None:
    """All that is known of a recipient; the desk's look at it is noted."""
    if customer_id is None:
        return session.fetch(recipients.details, recipient_id)
    return session.disclose(recipients.details, recipient_id, customer_id=customer_id)


def recipient_cards(
    known: list[RecipientView], key: str = "profile", *, customer_id: int | None = None
) -> None:
    """The family's recipients, each with its form behind a click."""
    for one in known:
        with st.expander(
            formats.plain(described(one)),
            icon=":material/elderly:",
            key=f"recipient_{one.id}",
            on_change="rerun",
        ) as opened:
            if opened.open:
                recipient_form(key, one.id, customer_id=customer_id)
    with st.popover(t("recipient.add"), icon=":material/person_add:", key=f"{key}_add"):
        recipient_form(key, customer_id=customer_id)
