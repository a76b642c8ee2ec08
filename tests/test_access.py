"""The access matrix, written by hand: services and pages against every role and nobody."""

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import cache

import pytest
import streamlit as st
from streamlit.navigation.page import StreamlitPage

import services
from components import navigation, session
from data.accounts import Role
from data.database import writing
from data.verifications import CaseStatus
from services.access import SYSTEM, Actor
from services.errors import NotAllowed
from tests.conftest import ROOT
from tests.factories import (
    ANALYST,
    DESK,
    LI,
    MONDAY,
    OPERATOR,
    STRANGER,
    ZHOU,
    make_booking,
    make_case,
    make_demand,
    make_newcomer,
    make_order,
)

CUSTOMER, CAREGIVER, DESK_, OPERATOR_, ANALYST_ = Role
# Whole phones, id numbers and health notes: nobody sees one before a click that is recorded.
# A message to the browser written out has Chinese in octal.
MASKED = (
    "138000000",
    "135000000",
    "13900001111",
    "990000",
    "".join(rf"\{byte:o}" for byte in "高血压".encode()),
)
WORKER = None  # What the worker does by itself.
EVERYBODY = set(Role)
FOLLOWERS = {CUSTOMER, CAREGIVER, DESK_, OPERATOR_}
HAND_IN = {CUSTOMER, CAREGIVER}
READERS = {OPERATOR_, ANALYST_}

# Who may call each service; a word after the name gives an argument the answer depends on.
SERVICES: dict[str, set[Role | None]] = {
    "accounts.change_password": EVERYBODY,
    "accounts.choose_region": EVERYBODY,
    "accounts.rename": EVERYBODY,
    "accounts.take_up_role": EVERYBODY,
    "accounts.view": EVERYBODY,
    "analytics.figures.read": READERS,
    "analytics.figures.standing": READERS,
    "analytics.leagues.names": {OPERATOR_},
    "applications.apply": {CAREGIVER},
    "applications.approve": {OPERATOR_},
    "applications.decline": {OPERATOR_},
    "applications.unanswered": {OPERATOR_},
    "applications.are_waiting": {OPERATOR_},
    "applications.waiting": {OPERATOR_},
    "applications.withdraw": {CAREGIVER},
    "audit.looks": EVERYBODY,
    "audit.tail": {OPERATOR_},
    "price_bounds.own": {CAREGIVER},
    "pushes.begin": {OPERATOR_},
    "pushes.listing": {OPERATOR_},
    "pushes.pushable": {OPERATOR_},
    "pushes.say_no": {CAREGIVER},
    "pushes.stop": {OPERATOR_},
    "pushes.take": {CAREGIVER},
    "pushes.under_way": {OPERATOR_},
    "bookings.accept": {CAREGIVER},
    "bookings.block": {OPERATOR_},
    "bookings.call_off": {CUSTOMER, DESK_, OPERATOR_},
    "bookings.confirm": {OPERATOR_},
    "bookings.expire_due": {WORKER},
    "bookings.refuse": {CAREGIVER},
    "bookings.request": {CUSTOMER},
    "bookings.request customer_id=1": {DESK_},
    "callers.find": {DESK_},
    "callers.one": {DESK_},
    "callers.numbers": {DESK_},
    "callers.reach": {DESK_},
    "callers.register": {DESK_},
    "calls.begin": {DESK_},
    "calls.current": {DESK_},
    "calls.due": {DESK_},
    "calls.end": {DESK_},
    "calls.of_customer": {DESK_},
    "calls.others_on": {DESK_},
    "calls.redeem": {DESK_},
    "calls.tick_next": {DESK_},
    "contact_phones.add": {DESK_},
    "contact_phones.drop": {DESK_},
    "contact_phones.of": {DESK_},
    "duplicates.merge": {DESK_},
    "duplicates.of": {DESK_},
    "notes.add": {DESK_},
    "notes.listing": {DESK_},
    "notes.tick": {DESK_},
    "repeat_bookings.propose": {DESK_},
    "repeat_bookings.repeat": {DESK_},
    "caregivers.move name=approve": {OPERATOR_},
    "caregivers.move name=reject": {OPERATOR_},
    "caregivers.move name=restore": {OPERATOR_},
    "caregivers.move name=submit": {CAREGIVER},
    "caregivers.move name=suspend": {OPERATOR_},
    "caregivers.own_form": {CAREGIVER},
    "caregivers.own_profile": {CAREGIVER},
    "caregivers.profile": FOLLOWERS,
    "caregivers.save_and_submit": {CAREGIVER},
    "caregivers.save_profile": {CAREGIVER},
    "caregivers.standing": {CAREGIVER},
    "complaint_cases.colleagues": {OPERATOR_},
    "complaint_cases.counts": {OPERATOR_},
    "complaint_cases.hand_over": {OPERATOR_},
    "complaint_cases.listing": {OPERATOR_},
    "complaint_cases.one": {OPERATOR_},
    "complaint_cases.take": {OPERATOR_},
    "complaint_deadlines.chase_due": {WORKER},
    "complaint_evidence.add": {CUSTOMER, CAREGIVER, DESK_},
    "complaint_evidence.of": FOLLOWERS,
    "complaint_evidence.share": {OPERATOR_},
    "complaint_evidence.shred_due": {WORKER},
    "complaint_messages.of": FOLLOWERS,
    "complaint_messages.write": FOLLOWERS,
    "complaints.close": {OPERATOR_},
    "complaints.lodge": {CUSTOMER, CAREGIVER, DESK_},
    "complaint_views.current": {CUSTOMER, CAREGIVER, DESK_},
    "complaint_views.of_orders": FOLLOWERS,
    "complaint_views.open_of": FOLLOWERS,
    "complaints.take_back": {CUSTOMER, CAREGIVER, DESK_},
    "confirmation.confirm_due": {WORKER},
    "consents.due": EVERYBODY,
    "consents.give": EVERYBODY,
    "consents.mine": EVERYBODY,
    "consents.withdraw": EVERYBODY,
    "customers.count": {OPERATOR_},
    "customers.listing": {OPERATOR_},
    "customers.merge": {OPERATOR_},
    "customers.move": {OPERATOR_},
    "customers.one": {OPERATOR_},
    "customers.other": {OPERATOR_},
    "customers.phone": {OPERATOR_},
    "catalogue.add": {OPERATOR_},
    "catalogue.change": {OPERATOR_},
    "catalogue.restore": {OPERATOR_},
    "catalogue.uses": {OPERATOR_},
    "catalogue.withdraw": {OPERATOR_},
    "calendars.clear_days": {CAREGIVER, OPERATOR_},
    "calendars.set_days": {CAREGIVER, OPERATOR_},
    "calendars.view": {CAREGIVER, OPERATOR_},
    "cities.add": {OPERATOR_},
    "cities.consequences": {OPERATOR_},
    "cities.keep_settings": {OPERATOR_},
    "cities.mine": {OPERATOR_},
    "cities.move": {OPERATOR_},
    "closures.ahead": {OPERATOR_},
    "closures.close": {OPERATOR_},
    "closures.drop_special_day": {OPERATOR_},
    "closures.hits": {OPERATOR_},
    "closures.reopen": {OPERATOR_},
    "closures.set_special_day": {OPERATOR_},
    "closures.special_days": {OPERATOR_},
    "leaves.ahead": {CAREGIVER, OPERATOR_},
    "leaves.hits": {CAREGIVER, OPERATOR_},
    "leaves.take": {CAREGIVER, OPERATOR_},
    "leaves.withdraw": {CAREGIVER, OPERATOR_},
    "certificates.tell_expiring": {WORKER},
    "demands.expire_due": {WORKER},
    "drafts.discard": {CUSTOMER},
    "drafts.discard customer_id=1": {DESK_},
    "drafts.find": {CUSTOMER},
    "drafts.find customer_id=1": {DESK_},
    "drafts.prune_due": {WORKER},
    "drafts.save": {CUSTOMER},
    "drafts.save customer_id=1": {DESK_},
    "idle_demands.improve": {CUSTOMER, DESK_},
    "idle_demands.reoffer_due": {WORKER},
    "invitations.invite": {CUSTOMER, DESK_, OPERATOR_},
    "invitations.suiting": {CUSTOMER, DESK_, OPERATOR_},
    "repeats.repeat": {CUSTOMER},
    "repeats.repeat customer_id=1": {DESK_},
    "demands.mine": {CUSTOMER, DESK_},
    "demands.post": {CUSTOMER},
    "demands.post customer_id=1": {DESK_},
    "demands.withdraw": {CUSTOMER, DESK_, WORKER},
    "erasure.ask": EVERYBODY,
    "erasure.erase_due": {WORKER},
    "erasure.forget_sensitive": EVERYBODY,
    "erasure.standing": EVERYBODY,
    "erasure.withdraw": EVERYBODY,
    "documents.attach": HAND_IN,
    "documents.openings": HAND_IN,
    "documents.remove": HAND_IN,
    "documents.shred_due": {WORKER},
    "extracts.prepare": READERS,
    "extracts.take": READERS,
    "extra_times.agree": {CUSTOMER, DESK_},
    "extra_times.ask": {CAREGIVER},
    "extra_times.of_orders": FOLLOWERS,
    "extra_times.quote": {CAREGIVER},
    "extra_times.refuse": {CUSTOMER, DESK_},
    "hall.tasks": {CAREGIVER},
    "plan_approvals.approve": {OPERATOR_},
    "waiting_lists.close_due": {WORKER},
    "waiting_lists.mine": {CAREGIVER},
    "pictures.shred_due": {WORKER},
    "pictures.take": FOLLOWERS,
    "pictures.ticket": FOLLOWERS,
    "pictures.tickets": FOLLOWERS,
    "pictures.use": FOLLOWERS,
    "attachments.shred_due": {WORKER},
    "canned_replies.retire": {OPERATOR_},
    "canned_replies.save": {OPERATOR_},
    "canned_replies.usable": {DESK_, OPERATOR_},
    "chat_desk.counts": {DESK_, OPERATOR_},
    "chat_desk.figures": {OPERATOR_},
    "chat_desk.inbox": {DESK_, OPERATOR_},
    "chat_desk.one": {DESK_, OPERATOR_},
    "chat_desk.phone": {DESK_, OPERATOR_},
    "guests.forget_due": {WORKER},
    "messages.answer": {DESK_, OPERATOR_},
    "messages.ask": HAND_IN,
    "messages.cards": HAND_IN,
    "messages.jot": {DESK_, OPERATOR_},
    "messages.mark_read": FOLLOWERS,
    "messages.mark_read_about": HAND_IN,
    "messages.say_about": HAND_IN,
    "messages.thread": FOLLOWERS,
    "messages.thread_about": HAND_IN,
    "messages.thread_in_dispute": {OPERATOR_},
    "messages.unread": HAND_IN,
    "messages.waits": HAND_IN | {WORKER},
    "order_talks.close_due": {WORKER},
    "order_talks.disputed": {OPERATOR_},
    "order_talks.opens": HAND_IN,
    "talks.assign": {DESK_, OPERATOR_},
    "talks.begin": HAND_IN | {WORKER},
    "talks.colleagues": {DESK_, OPERATOR_},
    "talks.hand_over": {DESK_, OPERATOR_},
    "talks.own": HAND_IN,
    "talks.put_back": {DESK_, OPERATOR_},
    "talks.rate": HAND_IN,
    "talks.reach": FOLLOWERS,
    "talks.reopen": HAND_IN | {WORKER},
    "talks.requeue_due": {WORKER},
    "talks.settle": {DESK_, OPERATOR_},
    "talks.standing": HAND_IN,
    "talks.take": {DESK_, OPERATOR_},
    "report_photos.add": {CAREGIVER},
    "report_photos.of_visits": FOLLOWERS,
    "report_photos.remove": {CAREGIVER},
    "report_photos.shred_due": {WORKER},
    "incidents.close": {OPERATOR_},
    "incidents.of_orders": FOLLOWERS,
    "incidents.report": {CAREGIVER},
    "income_statements.mine": {CAREGIVER},
    "income_statements.months": {CAREGIVER},
    "income_statements.of_caregiver": {OPERATOR_},
    "prepared_files.claim": FOLLOWERS,
    "prepared_files.prepare": FOLLOWERS,
    "prepared_files.take": FOLLOWERS,
    "prepared_files.waits": FOLLOWERS,
    "income.by_month": {CAREGIVER},
    "income.mine": {CAREGIVER},
    "income.release_due": {WORKER},
    "invoices.ask": {CUSTOMER, DESK_, OPERATOR_},
    "invoices.buyer": {CUSTOMER, DESK_, OPERATOR_},
    "invoices.cancel": {OPERATOR_},
    "invoices.issue": {OPERATOR_},
    "invoices.of_customer": {CUSTOMER, DESK_, OPERATOR_},
    "invoices.most": {CUSTOMER, DESK_, OPERATOR_},
    "invoices.open_receipts": {CUSTOMER, DESK_, OPERATOR_},
    "invoices.queue": {OPERATOR_},
    "invoices.refuse": {OPERATOR_},
    "invoices.withdraw": {CUSTOMER, DESK_, OPERATOR_},
    "jobs.board": {OPERATOR_},
    "jobs.run_now": {OPERATOR_},
    "joining.link": EVERYBODY,
    "joining.linked": EVERYBODY,
    "joining.merge_by_phone": EVERYBODY,
    "joining.merge_mine": EVERYBODY,
    "joining.mergeable": EVERYBODY,
    "joining.onward": EVERYBODY,
    "joining.send_merge_code": EVERYBODY,
    "joining.unlink": EVERYBODY,
    "month_end.months": {OPERATOR_},
    "month_end.of": {OPERATOR_},
    "month_packs.prepare": {OPERATOR_},
    "month_packs.stage": {OPERATOR_},
    "notices.inbox": EVERYBODY,
    "notices.mark_read": EVERYBODY,
    "plans.candidates": {OPERATOR_},
    "plans.change": {CUSTOMER, DESK_, OPERATOR_},
    "plans.end": {CUSTOMER, DESK_, OPERATOR_},
    "plans.extend_due": {WORKER},
    "plans.pause": {CUSTOMER, DESK_, OPERATOR_},
    "plan_requests.preview": {CUSTOMER, DESK_},
    "plans.preview_change": {CUSTOMER, DESK_, OPERATOR_},
    "plan_requests.request": {CUSTOMER},
    "plan_requests.request customer_id=1": {DESK_},
    "plans.segments": FOLLOWERS,
    "plans.swap": {OPERATOR_},
    "orders.alerts": {DESK_, OPERATOR_},
    "changes.cancel_visit": FOLLOWERS,
    "let_downs.seek": {OPERATOR_},
    "let_downs.today": {OPERATOR_},
    "no_shows.evidence": {OPERATOR_},
    "no_shows.take_back": {OPERATOR_},
    "changes.miss": {OPERATOR_},
    "changes.moved_price": {CUSTOMER, DESK_, OPERATOR_},
    "changes.openings": {CUSTOMER, DESK_, OPERATOR_},
    "changes.quote": FOLLOWERS,
    "changes.reschedule": {CUSTOMER, DESK_, OPERATOR_},
    "stand_ins.ask_all": {DESK_, OPERATOR_},
    "stand_ins.away": {DESK_, OPERATOR_},
    "stand_ins.propose": {DESK_, OPERATOR_},
    "substitutes.accept": {CAREGIVER},
    "substitutes.ask": {DESK_, OPERATOR_},
    "substitutes.candidates": {DESK_, OPERATOR_},
    "substitutes.expire_due": {WORKER},
    "substitutes.forgo": {CUSTOMER, DESK_, OPERATOR_},
    "substitutes.give_up_due": {WORKER},
    "substitutes.refuse": {CAREGIVER},
    "ledger.keep_balances": {WORKER},
    "ledger_checks.check": {WORKER},
    "levels.give": {OPERATOR_},
    "statements.mine": {CUSTOMER},
    "statements.of_customer": {DESK_, OPERATOR_},
    "assignments.assign": {OPERATOR_},
    "board.acceptance.accept": {OPERATOR_},
    "board.at_risk.in_force": {OPERATOR_},
    "board.at_risk.listing": {OPERATOR_},
    "board.faces.seen": {OPERATOR_},
    "board.fairness_figures.evenness": {OPERATOR_},
    "board.automation.go_on": {OPERATOR_},
    "board.automation.set_mode": {OPERATOR_},
    "board.automation.state": {OPERATOR_},
    "board.automation.stop": {OPERATOR_},
    "board.overrides.lay_down": {OPERATOR_},
    "board.overrides.lift": {OPERATOR_},
    "board.overrides.standing": {OPERATOR_},
    "board.proposals.changes": {OPERATOR_},
    "board.proposals.compared": {OPERATOR_},
    "board.proposals.explanation": {OPERATOR_},
    "board.proposals.lines": {OPERATOR_},
    "board.proposals.names": {OPERATOR_},
    "board.proposals.pin_cost": {OPERATOR_},
    "board.proposals.plan": {OPERATOR_},
    "board.proposals.recommended": {OPERATOR_},
    "board.proposals.timetable": {OPERATOR_},
    "board.recommendations.for_demand": {OPERATOR_},
    "board.recommendations.for_wish": {DESK_},
    "board.runs.ask": {OPERATOR_},
    "board.runs.cancel": {OPERATOR_},
    "board.runs.latest": {OPERATOR_},
    "board.runs.listing": {OPERATOR_},
    "board.runs.replay": {OPERATOR_},
    "board.runs.view": {OPERATOR_},
    "board.runs.waiting": {OPERATOR_},
    "board.runs.drop_old": {WORKER},
    "compliance.findings.counts": {OPERATOR_},
    "compliance.findings.detect": {WORKER},
    "compliance.findings.dismiss": {OPERATOR_},
    "compliance.findings.listing": {OPERATOR_},
    "compliance.findings.take": {OPERATOR_},
    "compliance.findings.uphold": {OPERATOR_},
    "compliance.findings.written": {OPERATOR_},
    "replays.names": {OPERATOR_},
    "replays.replay": {OPERATOR_},
    "rule_changes.announce": {OPERATOR_},
    "rule_changes.approve": {OPERATOR_},
    "rule_changes.draft": {OPERATOR_},
    "rules.mine": {OPERATOR_},
    "rule_changes.propose": {OPERATOR_},
    "rule_changes.publish_due": {WORKER},
    "rule_changes.revise": {OPERATOR_},
    "rule_changes.turn_down": {OPERATOR_},
    "rules.version": {OPERATOR_},
    "rule_changes.withdraw": {OPERATOR_},
    "orders.counts": FOLLOWERS,
    "orders.decline": {CUSTOMER, DESK_, OPERATOR_},
    "histories.of_order": FOLLOWERS,
    "news.concerning": EVERYBODY,
    "orders.listing": FOLLOWERS,
    "orders.one": FOLLOWERS,
    "orders.visits_of": FOLLOWERS,
    "photos.of": FOLLOWERS,
    "photos.remove": {CAREGIVER},
    "photos.save": {CAREGIVER},
    "call_list.drop_moot": {WORKER},
    "call_list.phone": {DESK_},
    "call_list.tick_off": {DESK_},
    "call_list.waiting": {DESK_},
    "delivery_reports.report": {OPERATOR_},
    "delivery_reports.resend": {OPERATOR_},
    "delivery_reports.resend_all": {OPERATOR_},
    "preferences.keep": EVERYBODY,
    "preferences.keep customer_id=1": {DESK_},
    "preferences.mine": EVERYBODY,
    "preferences.of_caller": {DESK_},
    "reminders.remind": {WORKER},
    "waves.send_due": {WORKER},
    "payout_accounts.keep": {CAREGIVER},
    "payout_accounts.mine": {CAREGIVER},
    "payout_files.prepare": {OPERATOR_},
    "payout_files.take": {OPERATOR_},
    "policy_drafts.begin": {OPERATOR_},
    "policy_drafts.discard": {OPERATOR_},
    "policy_drafts.publish": {OPERATOR_},
    "policy_drafts.save": {OPERATOR_},
    "policy_drafts.shelf": {OPERATOR_},
    "policy_drafts.shelves": {OPERATOR_},
    "policy_drafts.withdraw": {OPERATOR_},
    "renewals.of_caller": {DESK_},
    "renewals.take_down": {DESK_},
    "exclusions.apart": {CUSTOMER, CAREGIVER, DESK_},
    "exclusions.decide": {OPERATOR_},
    "exclusions.keep_apart": {CUSTOMER, CAREGIVER, DESK_},
    "exclusions.lift": {OPERATOR_},
    "exclusions.listing": {OPERATOR_},
    "exclusions.meet_again": {CUSTOMER, CAREGIVER, DESK_},
    "exclusions.mine": {CUSTOMER, CAREGIVER, DESK_},
    "points.contest": {CAREGIVER},
    "points.contested": {OPERATOR_},
    "points.decide": {OPERATOR_},
    "points.give": {OPERATOR_},
    "points.mine": {CAREGIVER},
    "points.of_caregiver": {OPERATOR_},
    "rulings.amend": {OPERATOR_},
    "rulings.appeal": {CUSTOMER, CAREGIVER, DESK_},
    "rulings.decide": {OPERATOR_},
    "rulings.outlook": {OPERATOR_},
    "rulings.uphold": {OPERATOR_},
    "payouts.arrived": {OPERATOR_},
    "payouts.batches": {OPERATOR_},
    "payouts.came_back": {OPERATOR_},
    "payouts.lines": {OPERATOR_},
    "payouts.lock": {OPERATOR_},
    "payouts.mine": {CAREGIVER},
    "payouts.preview": {OPERATOR_},
    "payouts.withdraw": {OPERATOR_},
    "places.kept": {OPERATOR_},
    "places.restore": {OPERATOR_},
    "places.retire": {OPERATOR_},
    "places.save": {OPERATOR_},
    "proofs.of_invoices": {CUSTOMER, DESK_, OPERATOR_},
    "proofs.of_receipts": {CUSTOMER, DESK_, OPERATOR_},
    "proofs.shred_due": {WORKER},
    "receipts.listing": {DESK_, OPERATOR_},
    "receipts.payer": {DESK_, OPERATOR_},
    "receipts.payers": {DESK_, OPERATOR_},
    "receipts.record": {DESK_, OPERATOR_},
    "receipts.reverse": {OPERATOR_},
    "refunds.grant": {OPERATOR_},
    "refunds.left": {OPERATOR_},
    "refunds.of_orders": FOLLOWERS,
    "refunds.take_back": {OPERATOR_},
    "repayments.in_credit": {DESK_, OPERATOR_},
    "repayments.of_customer": {DESK_, OPERATOR_},
    "repayments.record": {DESK_, OPERATOR_},
    "repayments.take_back": {OPERATOR_},
    "recipients.details": {CUSTOMER},
    "recipients.details customer_id=1": {DESK_},
    "recipients.listing": {CUSTOMER},
    "recipients.listing customer_id=1": {DESK_},
    "recipients.asks_consent": {CUSTOMER},
    "recipients.asks_consent customer_id=1": {DESK_},
    "recipients.save": {CUSTOMER},
    "recipients.save customer_id=1": {DESK_},
    "redemption.codes": {CAREGIVER},
    "redemption.redeem": {CUSTOMER, DESK_},
    "redemption.reissue": {OPERATOR_},
    "redemption.waiting": {CUSTOMER, DESK_},
    "reviews.answer": {CAREGIVER, OPERATOR_},
    "reviews.hide": {OPERATOR_},
    "reviews.of_caregiver": FOLLOWERS,
    "reviews.report": {CAREGIVER},
    "reviews.reported": {OPERATOR_},
    "reviews.show": {OPERATOR_},
    "reviews.months": {CUSTOMER},
    "reviews.write": {CUSTOMER},
    "reviews.write_month": {CUSTOMER},
    "rosters.commitments": {OPERATOR_},
    "rosters.counts": {OPERATOR_},
    "rosters.expiring": {OPERATOR_},
    "rosters.listing": {OPERATOR_},
    "rosters.phone": {OPERATOR_},
    "saved_views.mine": READERS,
    "saved_views.remove": READERS,
    "saved_views.save": READERS,
    "search.find": {CUSTOMER, DESK_},
    "bookable.free_starts": {CUSTOMER, DESK_},
    "bookable.next_starts": {CUSTOMER, DESK_},
    "unmet_needs.note_left": {WORKER},
    "unmet_needs.note_search": {CUSTOMER},
    "unmet_needs.note_search customer_id=1": {DESK_},
    "unmet_needs.of_month": {OPERATOR_},
    "unmet_changes.best": {OPERATOR_},
    "bookable.offers": {CUSTOMER, DESK_},
    "attempts.begin_own": EVERYBODY,
    "second_factors.begin": EVERYBODY,
    "second_factors.confirm": EVERYBODY,
    "second_factors.disable": EVERYBODY,
    "second_factors.standing": EVERYBODY,
    "sessions.end_all": EVERYBODY,
    "sessions.end_one": EVERYBODY,
    "sessions.end_others": EVERYBODY,
    "sessions.mine": EVERYBODY,
    "sessions.renew": EVERYBODY,
    "sessions.switch_role": EVERYBODY,
    "staff.give": {OPERATOR_},
    "staff.invite": {OPERATOR_},
    "staff.listing": {OPERATOR_},
    "staff.reset_factor": {OPERATOR_},
    "staff.take_away": {OPERATOR_},
    "tasks.queue": {OPERATOR_},
    "day_figures.figures": {OPERATOR_},
    "to_do.remind_family": {OPERATOR_},
    "to_do.see_to": {OPERATOR_},
    "to_do.things": {OPERATOR_},
    "to_do.today": {OPERATOR_},
    "verifications.before_booking": {CUSTOMER},
    "reviewing.decide": {OPERATOR_},
    "reviewing.decide_and_take": {OPERATOR_},
    "reviewing.expire": {OPERATOR_},
    "verifications.history": HAND_IN,
    "reviewing.hold": {OPERATOR_},
    "reviewing.id_number": {OPERATOR_},
    "reviewing.let_go": {OPERATOR_},
    "verifications.mine": HAND_IN,
    "reviewing.queue": {OPERATOR_},
    "verifications.renew": HAND_IN,
    "reviewing.review": {OPERATOR_},
    "verifications.save": HAND_IN,
    "verifications.submit": HAND_IN,
    "verifications.submit_own": {CAREGIVER},
    "reviewing.take": {OPERATOR_},
    "reviewing.waiting_of": {OPERATOR_},
    "visits.check_in": {CAREGIVER},
    "visits.check_out": {CAREGIVER},
    "visits.contact": {CAREGIVER, OPERATOR_},
}
# Parts of other services' deeds: who calls them has asked.
INNER = {
    "board.runs.begin",
    "board.runs.reach",
    "forgetting.caregiver",
    "waiting_lists.close",
    "waiting_lists.put",
    "waiting_lists.reopen",
    "agreements.drop_offers",
    "agreements.forgo",
    "agreements.reach",
    "audit.record",
    "bookings.tell_requested",
    "calendars.reach",
    "payouts.reach",
    "receipts.city_of",
    "receipts.reach",
    "complaint_evidence.reach",
    "complaint_evidence.shred_of",
    "complaint_views.views",
    "complaints.end",
    "complaints.reach",
    "exclusions.lift_of",
    "points.lift_of",
    "second_eyes.check",
    "callers.acted_for",
    "calls.mark",
    "consents.take_down",
    "customers.merge_proven",
    "demands.announce",
    "demands.close_applications",
    "demands.expire",
    "demands.locked",
    "demands.reach",
    "demands.store",
    "drafts.drop",
    "drafts.store",
    "drafts.written",
    "leases.prolong",
    "levels.take_down",
    "lifecycles.begin",
    "lifecycles.take",
    "documents.keep_open",
    "documents.reach",
    "merges.join",
    "documents.shred_of",
    "report_photos.reach",
    "report_photos.shred_of",
    "attachments.reach",
    "attachments.shred_of",
    "proofs.reach",
    "proofs.shred_of",
    "plans.complete_if_over",
    "redemption.settle",
    "standings.step",
    "rules.is_alone",
    "rules.reach",
    "tasks.ask",
    "visits.reach",
}
# Without an actor: for everybody, signed in or not ...
PUBLIC = {
    "accounts.console_inbox",
    "accounts.request_code",
    "accounts.reset_password",
    "accounts.sign_in_by_code",
    "accounts.sign_up",
    "catalogue.every_item",
    "catalogue.items",
    "cities.furthest_horizon",
    "cities.opened",
    "footfalls.note",
    "guests.arrive",
    "guests.listens_as",
    "guests.mark_read",
    "guests.rate",
    "guests.say",
    "guests.standing",
    "guests.take_ticket",
    "guests.thread",
    "joining.claim",
    "joining.come_in",
    "joining.join",
    "joining.pending",
    "joining.send_code",
    "joining.set_out",
    "news.look",
    "places.listing",
    "policies.history",
    "policies.in_force",
    "policies.of_number",
    "attempts.begin",
    "attempts.finish",
    "second_factors.begin_at_door",
    "second_factors.confirm_at_door",
    "second_factors.pass_door",
    "sessions.end",
    "sessions.keep_alive",
    "sessions.open_demo",
    "sessions.open_session",
    "sessions.resume",
    "sessions.take_ticket",
    "tariffs.quote",
    "tariffs.quotes",
    "open_plans.estimate",
}
# ... for the worker ...
WORK = {
    "analytics.checks.differences",
    "analytics.checks.note",
    "analytics.exports.refresh",
    "analytics.publishing.due",
    "analytics.upkeep.rebuild",
    "analytics.upkeep.refresh",
    "announcements.announce_demand",
    "policy_news.announce_policy",
    "audit.report",
    "audit.seal",
    "audit.verify",
    "jobs.due",
    "joining.prune",
    "name_keys.fill",
    "jobs.lease",
    "jobs.renew",
    "jobs.note_failure",
    "jobs.run",
    "deliveries.any_due",
    "deliveries.deliver",
    "deliveries.hand_back",
    "deliveries.lease",
    "deliveries.settle",
    "notices.any_due",
    "waves.any_due",
    "notices.deliver",
    "sessions.prune",
    "board.solving.fail",
    "board.solving.read",
    "board.solving.write",
    "tasks.apart",
    "tasks.do",
    "tasks.do_at_once",
    "tasks.give_up",
    "tasks.go_on",
    "tasks.lease_next",
}
# ... and for other services only.
HELP = {
    "assignments.obstacle",
    "board.automation.assigned_today",
    "board.automation.hold",
    "board.automation.is_stopped",
    "waves.call_back",
    "waves.ranked",
    "waves.send",
    "board.open_work.counts",
    "board.open_work.find",
    "board.open_work.of_caregiver",
    "board.open_work.of_demand",
    "board.open_work.plans_waiting",
    "board.seeking.seek",
    "board.situations.alone",
    "board.situations.kept_apart_from",
    "board.situations.of",
    "board.situations.read",
    "board.solving.replayed",
    "board.workforce.approved_since",
    "board.workforce.find",
    "board.workforce.past_work",
    "board.workforce.working",
    "agreements.seek_stand_ins",
    "agreements.unfilled",
    "analytics.facts.tables",
    "analytics.marks.advance",
    "analytics.marks.are_lost",
    "analytics.marks.parts",
    "analytics.people.approvals",
    "analytics.people.caregivers",
    "analytics.people.families",
    "analytics.people.verified",
    "analytics.sheets.newest",
    "analytics.sheets.read",
    "analytics.supply.tables",
    "analytics.supply.told",
    "gate.leave_unfilled",
    "hindrances.by_hours_alone",
    "hindrances.closely",
    "hindrances.of",
    "attachments.store",
    "proofs.store",
    "forgetting.calls",
    "forgetting.family",
    "forgetting.follow_ups",
    "forgetting.papers",
    "forgetting.receipts",
    "forgetting.recipients_of",
    "forgetting.troubles",
    "forgetting.ways_in",
    "deliveries.pass_on",
    "occasions.audience",
    "occasions.blanks",
    "occasions.is_moot",
    "occasions.spoken",
    "occasions.starts_at",
    "preferences.of",
    "complaints.contests",
    "complaints.keep_pages",
    "complaints.set_deadline",
    "complaint_rules.of",
    "exclusions.agreed_visits",
    "kept_apart.are",
    "kept_apart.check",
    "kept_apart.check_customer",
    "exclusions.forget_of",
    "exclusions.merge",
    "kept_apart.pairs",
    "points.forget_of",
    "points.total",
    "working_hours.of_city",
    "courses.days_before",
    "pay.book_fee_reversed",
    "drafts.forget_of",
    "saved_views.forget_of",
    "drafts.merge",
    "accounts.new",
    "callers.contact_phones",
    "callers.keep_contact_phone",
    "callers.reachable_at",
    "contact_phones.shared_with",
    "name_keys.forget",
    "name_keys.keep",
    "agreements.begin",
    "agreements.locked_visits",
    "agreements.place_visit",
    "agreements.tell_confirmed",
    "announcements.certificates_held",
    "announcements.certificates_of",
    "track_records.city_means",
    "track_records.recount",
    "search.first_obstacle",
    "search.of_one",
    "search.least_price_without",
    "unmet_needs.answer",
    "unmet_needs.note_expired",
    "unmet_needs.record",
    "catalogue.named",
    "certificates.check",
    "cases.caregiver_of",
    "cases.claims_of",
    "cases.is_anothers",
    "cases.level_of",
    "cases.others_with",
    "certificates.held",
    "certificates.holds_all",
    "documents.carry_over",
    "documents.drop_of",
    "documents.of_case",
    "documents.store",
    "prepared_files.drop_old",
    "prepared_files.keep",
    "withholding.of",
    "month_end.reckoned",
    "month_deeds.extra",
    "month_deeds.paid_out",
    "month_deeds.received",
    "month_deeds.redeemed",
    "month_deeds.refunded",
    "month_deeds.repaid",
    "month_files.make",
    "month_files.written",
    "month_files.made",
    "forgetting.invoices",
    "invoiced_money.check_free",
    "invoiced_money.check_left",
    "invoiced_money.left",
    "invoiced_money.let_go",
    "invoices.waiting",
    "verifications.check_agrees",
    "verifications.erase_of",
    "verifications.is_verified",
    "verifications.is_waiting",
    "cities.open_city",
    "bookings.asked_before",
    "bookings.bookable",
    "bookings.check_rate",
    "bookings.check_suits",
    "calendars.appointments",
    "calendars.around",
    "calendars.obstacle",
    "calendars.of",
    "calendars.rules",
    "courses.city_of",
    "courses.lay",
    "courses.make",
    "courses.place",
    "courses.site",
    "open_plans.laid",
    "gate.hold",
    "gate.is_free",
    "gate.place",
    "gate.taken",
    "gate.taken_by",
    "held_pay.resting",
    "consents.given",
    "consents.record",
    "consents.record_needed",
    "consents.standing",
    "policies.numbers",
    "special_days.kinds",
    "price_bounds.asked",
    "price_bounds.in_catalogue",
    "price_bounds.in_force",
    "price_bounds.put",
    "price_bounds.take_back",
    "certificates.hold_until",
    "compliance.detectors.contacts_exchanged",
    "compliance.detectors.expired_papers",
    "compliance.detectors.far_check_ins",
    "compliance.detectors.idle_complaints",
    "compliance.detectors.late_cancellations",
    "compliance.detectors.price_outside",
    "compliance.detectors.traded_reviews",
    "replay_cases.counts",
    "rule_changes.any_due",
    "rules.commission_bp",
    "rules.now",
    "rules.on",
    "rules.newest_of",
    "rules.until",
    "rules.values",
    "tariffs.around",
    "tariffs.sheet",
    "keys.know",
    "keys.left",
    "keys.reseal",
    "ledger_checks.faults",
    "ledger.balance",
    "ledger.balances",
    "pay.book_cancelled",
    "ledger.book_confirmed",
    "ledger.book_extra_time",
    "ledger.book_extended",
    "ledger.book_merged",
    "ledger.book_receipt_reversed",
    "statements.coming",
    "ledger.book_received",
    "ledger.book_redeemed",
    "complaints.let_go_if_settled",
    "held_pay.hold_back",
    "held_pay.let_go",
    "pay.book_held_back",
    "pay.book_let_go",
    "pay.book_paid_out",
    "pay.book_payout_failed",
    "pay.book_payout_sent",
    "ledger.owed",
    "ledger.book",
    "ledger.book_repaid",
    "ledger.book_repayment_reversed",
    "receipts.with_balances",
    "pay.book_refund_reversed",
    "pay.book_refunded",
    "pay.frozen",
    "pay.hold",
    "pay.is_released",
    "pay.payable",
    "refunds.stand_of",
    "pay.book_released",
    "notices.send_text",
    "notices.tell",
    "notices.tell_all",
    "notices.tell_operators",
    "notices.tell_owner",
    "openings.of_first",
    "openings.soonest",
    "openings.times",
    "photos.store",
    "accounts.use_code",
    "attempts.count",
    "attempts.count_guest",
    "attempts.count_trip",
    "messages.check_pace",
    "messages.forget_of",
    "messages.known_as",
    "messages.mark",
    "messages.put",
    "messages.views",
    "news.concerning_guest",
    "talks.follow_merged",
    "talks.home_of",
    "talks.hours_of",
    "talks.latest",
    "talks.note",
    "talks.rate_settled",
    "talks.standing_of",
    "attempts.forget",
    "second_factors.forget",
    "sessions.end_of",
    "sessions.fail_factor",
    "sessions.pass_factor",
}

PAGES: dict[str, set[Role]] = {
    "applications": {OPERATOR_},
    "book": {CUSTOMER},
    "calendars": {OPERATOR_},
    "caregivers": {OPERATOR_},
    "customers": {OPERATOR_},
    "catalogue": {OPERATOR_},
    "chats": {DESK_, OPERATOR_},
    "cities": {OPERATOR_},
    "deliveries": {OPERATOR_},
    "demand_map": READERS,
    "find_caregivers": {CUSTOMER},
    "findings": READERS,
    "inbox": EVERYBODY,
    "income": {CAREGIVER},
    "jobs": {OPERATOR_},
    "my_bill": {CUSTOMER},
    "my_calendar": {CAREGIVER},
    "my_data": EVERYBODY,
    "my_orders": {CUSTOMER},
    "my_profile": {CAREGIVER},
    "my_visits": {CAREGIVER},
    "complaints": {OPERATOR_},
    "orders": {DESK_, OPERATOR_},
    "caregiver_figures": READERS,
    "demand": READERS,
    "family_figures": READERS,
    "funnel": READERS,
    "payouts": {OPERATOR_},
    "invoices": {OPERATOR_},
    "month_end": {OPERATOR_},
    "places": {OPERATOR_},
    "policies": {OPERATOR_},
    "post_demand": {CUSTOMER},
    "profile": EVERYBODY,
    "security": EVERYBODY,
    "receipts": {DESK_, OPERATOR_},
    "redeem": {CUSTOMER},
    "staff": {OPERATOR_},
    "take_call": {DESK_},
    "compliance": {OPERATOR_},
    "dispatch": {OPERATOR_},
    "fairness": {OPERATOR_},
    "rules": {OPERATOR_},
    "task_hall": {CAREGIVER},
    "to_call": {DESK_},
    "today": {OPERATOR_},
    "unmet": {OPERATOR_},
    "verification": {CUSTOMER, CAREGIVER},
    "verifications": {OPERATOR_},
}
OPEN_PAGES = {"join", "policy", "sign_in", "welcome"}
ACTORS = {CUSTOMER: ZHOU, CAREGIVER: LI, DESK_: DESK, OPERATOR_: OPERATOR, ANALYST_: ANALYST}


PREFIX = "services."


class Reached(Exception):
    """The service went on to do something."""


class Tripwire:
    """Stands for anything a service is given: whoever touches it has gone on."""

    def __getattr__(self, name):
        raise Reached(name)

    def __eq__(self, other):
        raise Reached

    def __add__(self, other):
        raise Reached

    def __hash__(self):
        raise Reached

    def __iter__(self):
        raise Reached

    def __len__(self):
        raise Reached


@cache
def functions() -> dict[str, Callable[..., object]]:
    """The public functions of the services that are given a session, the demo's aside."""
    return {
        f"{module.removeprefix(PREFIX)}.{name}": function
        for _, module, package in pkgutil.walk_packages(services.__path__, PREFIX)
        if not package and not module.startswith(f"{PREFIX}demo.")
        for name, function in vars(importlib.import_module(module)).items()
        if inspect.isfunction(function)
        and function.__module__ == module
        and not name.startswith("_")
        and next(iter(inspect.signature(function).parameters), "") == "session"
    }


def takes_actor(name: str) -> bool:
    return "actor" in inspect.signature(functions()[name]).parameters


def call(row: str, actor: Actor) -> None:
    """Call a service with tripwires for whatever it needs, and what the row fixes."""
    name, *given = row.split()
    fixed = dict(word.split("=") for word in given)
    needed = {
        parameter.name: Tripwire()
        for parameter in inspect.signature(functions()[name]).parameters.values()
        if parameter.default is parameter.empty and parameter.kind is not parameter.VAR_KEYWORD
    }
    functions()[name](**(needed | fixed | {"actor": actor}))


class TestServices:
    def test_every_one_with_an_actor_is_in_the_table(self):
        asking = {name for name in functions() if takes_actor(name)}

        assert {row.split()[0] for row in SERVICES} == asking - INNER
        assert asking >= INNER

    def test_every_one_without_an_actor_is_accounted_for(self):
        assert {name for name in functions() if not takes_actor(name)} == PUBLIC | WORK | HELP

    @pytest.mark.parametrize("role", [*Role, WORKER])
    @pytest.mark.parametrize("row", SERVICES)
    def test_each_goes_on_for_its_roles_and_refuses_all_others_first(self, row, role):
        actor = ACTORS[role] if role else SYSTEM

        # One that needs nothing of what it is given goes on without a trip.
        with suppress(Reached) if role in SERVICES[row] else pytest.raises(NotAllowed):
            call(row, actor)


@pytest.fixture
def runs(monkeypatch):
    """The pages registered last, and the pages whose code ran, by address."""

    class Runs(list):
        registered = frozenset()

    runs = Runs()
    run, register = StreamlitPage.run, st.navigation

    def noted_run(page):
        if page._page != ROOT / "Home.py":  # To Streamlit the router itself is a page too.
            runs.append(page.url_path)
        run(page)

    def noted_register(pages, **options):
        runs.registered = frozenset(page.url_path for page in pages)
        return register(pages, **options)

    monkeypatch.setattr(StreamlitPage, "run", noted_run)
    monkeypatch.setattr(st, "navigation", noted_register)
    return runs


@pytest.fixture
def something_everywhere(database):
    """An order, a request, a need and a case under review: something on every page."""
    with writing() as session:
        make_order(session)
        make_booking(session, customer=STRANGER, starts_at=MONDAY + timedelta(days=3))
        make_demand(session, starts_at=MONDAY + timedelta(days=5))
        make_case(session, make_newcomer(session), CaseStatus.SUBMITTED, with_documents=True)


def file_of(name: str) -> str:
    """Where a page lives, from the repository's root."""
    [entry] = [entry for entry in navigation.PAGES if entry.name == name]
    return f"pages/{entry.folder}/{name}.py"


class TestPages:
    def test_every_one_is_in_the_table(self):
        files = {path.stem for path in (ROOT / "pages").rglob("*.py")}

        assert files == {entry.name for entry in navigation.PAGES} == set(PAGES) | OPEN_PAGES

    def test_the_menu_and_the_pages_read_the_same_table(self):
        for entry in navigation.PAGES:
            roles = {role for role in Role if entry.opens_for(role)}
            assert roles == PAGES.get(entry.name, EVERYBODY), entry.name
            assert entry.opens_for(None) == (entry.name in OPEN_PAGES)

    @pytest.mark.parametrize("role", Role)
    def test_a_role_has_its_own_and_each_of_them_runs_and_masks(
        self, open_app, runs, role, something_everywhere
    ):
        own = {page for page, roles in PAGES.items() if role in roles} | {"policy", "welcome"}
        app = open_app(file_of(navigation.LANDING[role]), ACTORS[role])
        for page in sorted(own):
            app.switch_page(file_of(page)).run()

            assert not app.exception, page
            assert runs[-1] == page
            drawn = "".join(str(getattr(element, "proto", "")) for element in app._tree)
            assert not [secret for secret in MASKED if secret in drawn], page
        assert runs.registered - {"", "start", "sign_in", "join"} == own

    @pytest.mark.parametrize("role", Role)
    def test_a_role_cannot_reach_the_others(self, open_app, runs, role):
        app = open_app(file_of("profile"), ACTORS[role])
        for page in (page for page, roles in PAGES.items() if role not in roles):
            with pytest.raises(ValueError, match="page"):
                app.switch_page(file_of(page)).run()
            assert page not in runs

    def test_nobody_gets_the_sign_in_screen_and_none_of_a_page_runs(
        self, open_app, runs, monkeypatch
    ):
        def reach(*_given):
            raise Reached

        for door in ("fetch", "perform", "disclose", "public", "reading", "transact"):
            monkeypatch.setattr(session, door, reach)
        app = open_app(file_of("sign_in"), None)
        runs.clear()
        for page in PAGES:
            app.switch_page(file_of(page)).run()

            assert not app.exception, page
            assert app.button(key="demo_sign_in_customer"), page
            assert runs == [], page
            assert runs.registered >= set(PAGES), page

    @pytest.mark.parametrize("page", sorted(OPEN_PAGES))
    def test_nobody_opens_the_public_ones(self, open_app, runs, page):
        app = open_app(file_of(page), None)

        assert not app.exception
        assert runs[-1] == page
