"""The decision of a complaint or an appeal: composed with its effect in sight, then confirmed."""

from datetime import date, timedelta

import streamlit as st

from components import formats, layout, session
from components.i18n import t
from services import clock, no_shows, rulings
from services.complaint_cases import Case
from services.complaint_views import ComplaintStatus
from services.complaints import ComplaintCategory
from services.exclusions import Excluding, Scope
from services.rulings import Outlook, Ruling

_NOBODY = "nobody"
_TERMS = ("quarter", "year", "for_good", "day")
_DAYS = {"quarter": 90, "year": 365}


def ruling_form(case: Case) -> None:
    """What an operator decides about an open complaint, or about an appeal."""
    one = case.complaint
    st.divider()
    if one.category is ComplaintCategory.NO_SHOW and one.status is ComplaintStatus.OPEN:
        _take_back_no_show(one.visit_id, one.id)
    if one.status is ComplaintStatus.APPEALED:
        _appeal_form(case)
        return
    st.markdown(f"**{t('ruling.title')}**")
    outlook = session.fetch(rulings.outlook, one.id)
    ruling = _ruling(case, outlook)
    _effect(case, ruling, outlook, lifted=0)
    if layout.confirmed(
        t("ruling.decide"),
        t("ruling.decide_warning"),
        f"decide_{one.id}",
        icon=":material/task_alt:",
        main=True,
    ):
        session.perform(
            "complaint.closed", rulings.decide, one.id, ruling, forget=(f"ruling_{one.id}",)
        )


def _appeal_form(case: Case) -> None:
    one = case.complaint
    st.markdown(f"**{t('ruling.appeal_title')}**")
    st.caption(t("ruling.second_eyes"))
    kinds = ("uphold", "amend")
    move = st.segmented_control(
        t("ruling.appeal_title"),
        kinds,
        default=kinds[0],
        required=True,
        format_func=lambda each: t(f"ruling.{each}"),
        key=f"ruling_{one.id}_move",
        label_visibility="collapsed",
    )
    if move == "uphold":
        said = _words(one.id)
        if layout.confirmed(
            t("ruling.uphold"), t("ruling.uphold_warning"), f"decide_{one.id}", main=True
        ):
            session.perform("complaint.closed", rulings.uphold, one.id, said)
        return
    lift = st.checkbox(t("ruling.lift"), value=True, key=f"ruling_{one.id}_lift")
    outlook = session.fetch(rulings.outlook, one.id)
    ruling = _ruling(case, outlook)
    _effect(case, ruling, outlook, lifted=one.measures.points if lift else 0)
    if layout.confirmed(
        t("ruling.amend"), t("ruling.decide_warning"), f"decide_{one.id}", main=True
    ):
        session.perform("complaint.closed", rulings.amend, one.id, ruling, lift=lift)


def _ruling(case: Case, outlook: Outlook) -> Ruling:
    """What is decided so far, as it stands on the screen."""
    number = case.complaint.id
    key = f"ruling_{number}"
    said = _words(number)
    refund_fen, caregiver_fen = _refund(key, outlook)
    with st.grid(3, min_column_width=200):
        apology = st.checkbox(
            t("ruling.apology"), key=f"{key}_apology", help=t("ruling.apology_help")
        )
        points = st.number_input(
            t("ruling.points", name=formats.plain(case.caregiver_name)),
            min_value=0,
            max_value=outlook.most_points,
            step=1,
            key=f"{key}_points",
            help=t("ruling.points_help"),
        )
        scope = st.selectbox(
            t("ruling.exclude"),
            [_NOBODY, *Scope],
            format_func=lambda one: t(
                "ruling.nobody" if one == _NOBODY else f"exclusion_scope.{one}"
            ),
            key=f"{key}_scope",
        )
    excluding = _excluding(key, Scope(scope)) if scope != _NOBODY else None
    return Ruling(said, refund_fen, caregiver_fen, apology, int(points), excluding)


def _words(number: int) -> str:
    return st.text_area(
        t("field.outcome_words"),
        key=f"ruling_{number}_words",
        max_chars=500,
        placeholder=t("complaint.outcome_hint"),
        help=t("complaint.outcome_help"),
    )


def _refund(key: str, outlook: Outlook) -> tuple[int, int]:
    """What is given back in fen, and how much of it the caregiver pays."""
    left = outlook.refundable
    if not left.left_fen:
        return 0, 0
    with st.grid(2, min_column_width=200):
        amount = _yuan(t("ruling.refund"), left.left_fen, f"{key}_refund")
        most_fen = min(amount, left.pay_left_fen)
        hers = _yuan(t("ruling.by_caregiver"), most_fen, f"{key}_hers") if most_fen else 0
    return amount, hers


def _yuan(label: str, most_fen: int, key: str) -> int:
    """An amount typed in yuan, in fen; none at first."""
    typed = st.number_input(
        label,
        min_value=0.0,
        max_value=most_fen / 100,
        value=0.0,
        step=10.0,
        format="%.2f",
        key=key,
        help=t("ruling.at_most", amount=formats.money(most_fen)),
    )
    return round(typed * 100)


def _excluding(key: str, scope: Scope) -> Excluding:
    term = st.segmented_control(
        t("ruling.term"),
        _TERMS,
        default=_TERMS[0],
        required=True,
        format_func=lambda one: t(f"ruling.term_{one}"),
        key=f"{key}_term",
        wrap=True,
    )
    last_day: date | None = None
    if term in _DAYS:
        last_day = clock.today() + timedelta(days=_DAYS[term])
    elif term == "day":
        last_day = st.date_input(
            t("ruling.last_day"), clock.today(), min_value=clock.today(), key=f"{key}_day"
        )
    said = st.text_area(
        t("field.evidence_words"),
        key=f"{key}_evidence",
        max_chars=500,
        placeholder=t("ruling.evidence_hint"),
    )
    return Excluding(scope, said, last_day)


def _effect(case: Case, ruling: Ruling, outlook: Outlook, *, lifted: int) -> None:
    """What the click will do, as long as it can still be changed."""
    name = formats.plain(case.caregiver_name)
    lines = [t("ruling.pay_goes_on", pay=formats.money(case.pay_fen))]
    if ruling.refund_fen:
        lines.append(
            t(
                "ruling.refund_is",
                amount=formats.money(ruling.refund_fen),
                hers=formats.money(ruling.caregiver_fen),
                ours=formats.money(ruling.refund_fen - ruling.caregiver_fen),
            )
        )
    after = outlook.points + ruling.points - lifted
    if after != outlook.points:
        lines.append(
            t(
                "ruling.points_become",
                name=name,
                before=outlook.points,
                after=after,
                limit=outlook.limit_points,
            )
        )
    if after >= outlook.limit_points:
        lines.append(f":red[{t('ruling.limit_reached', name=name)}]")
    if ruling.excluding is not None:
        scope = t(f"exclusion_scope.{ruling.excluding.scope}")
        lines.append(t("ruling.exclusion", scope=scope))
        if outlook.agreed_visits:
            lines.append(t("ruling.agreed_stay", count=outlook.agreed_visits))
    if not (ruling.refund_fen or ruling.apology or ruling.points or ruling.excluding):
        lines.append(t("ruling.words_only"))
    with st.container(border=True, gap=None, key=f"effect_{case.complaint.id}"):
        st.markdown(f":material/preview: **{t('ruling.effect')}**")
        st.markdown("\n".join(f"- {line}" for line in lines))


def _take_back_no_show(visit_id: int, number: int) -> None:
    """Hold the no-show against nobody any more; both sides read why."""
    key = f"take_back_no_show_{number}"
    with st.popover(
        t("evidence.take_back"), icon=":material/undo:", key=f"{key}_ask", on_change="rerun"
    ) as asked:
        if not asked.open:
            return
        st.markdown(t("evidence.take_back_warning"))
        said = layout.reason_form(key, t("evidence.take_back"), t("complaint.outcome_hint"))
        if said is not None:
            session.perform(
                "evidence.taken_back",
                no_shows.take_back,
                visit_id,
                said,
                forget=(f"reason_{key}",),
            )
