"""Where a caregiver's pay goes: her bank account, and what was told to the bank for her."""

import streamlit as st

from components import formats, icons, layout, session
from components.i18n import t
from services import payout_accounts, payouts
from services.payout_accounts import AccountForm
from services.payouts import PayoutView

_SHOWN_AT_ONCE = 6
_KEY = "payout_account"


def account_card() -> None:
    """The account that pay goes to, and a form for another."""
    now = session.fetch(payout_accounts.mine)
    with st.container(border=True, key="payout_account_card"):
        st.markdown(f"**{t('payout_account.title')}**")
        if now is None:
            st.warning(t("payout_account.none"), icon=":material/credit_card_off:")
        else:
            said = t("payouts.account_said", bank=formats.plain(now.bank), tail=now.tail)
            st.markdown(f":material/account_balance: {said}")
        with st.expander(
            t("payout_account.change" if now else "payout_account.enter"),
            key=f"{_KEY}_form", on_change="rerun", icon=":material/edit:",
        ) as opened:  # fmt: skip
            if opened.open:
                _form()


def _form() -> None:
    st.caption(t("payout_account.about"))
    form = AccountForm(
        bank=st.text_input(t("field.bank"), key=f"{_KEY}_bank", max_chars=60),
        holder=st.text_input(t("field.account_holder"), key=f"{_KEY}_holder", max_chars=40),
        number=st.text_input(
            t("field.account_number"), key=f"{_KEY}_number", max_chars=30, autocomplete="off"
        ),
    )
    if st.button(t("payout_account.keep"), type="primary", key=f"{_KEY}_keep"):
        session.perform("payout_account.kept", payout_accounts.keep, form, forget=(_KEY,))


def my_payouts() -> None:
    """What was told to the bank for her, the last first."""
    found = session.fetch(payouts.mine)
    if not found:
        return
    st.subheader(t("payouts.mine"), anchor=False)
    for one in layout.first_of(found, "my_payouts", _SHOWN_AT_ONCE):
        _payout(one)
    layout.more_button(found, "my_payouts", _SHOWN_AT_ONCE)


def _payout(one: PayoutView) -> None:
    with st.container(border=True, gap="small", key=f"payout_{one.id}"):
        with layout.row():
            st.markdown(f"**{formats.money(one.amount_fen)}**", width="content")
            layout.badge(icons.PAYOUT[one.status], t(f"payout_status.{one.status}"))
        account = t("payouts.account_said", bank=one.bank, tail=one.tail)
        st.caption(f"{formats.moment(one.settled_at or one.locked_at)} · {formats.plain(account)}")
        if one.failure_words:
            st.text(one.failure_words)
