"""The words outside the app: alike in all languages, short, and never of a person."""

from datetime import datetime
from string import Formatter

import pytest

from data.notices import NoticeKind, OutboxChannel
from services import clock, phrases
from services.phrases import Audience

# No name, address, phone or code can stand in any of these.
BLANKS = {"item", "when", "days", "hotline"}
LONGEST_TEXT, LONGEST_CALL = 140, 140
# Operators find it in their to-do.
OPERATORS_KNOW = {
    "application_received", "breaches_found", "caregiver_submitted", "chat_asked", "complaint_due",
    "dispatch_assigned", "dispatch_suggested", "push_exhausted",
    "complaint_handed_over", "complaint_overdue", "invoice_asked", "leave_taken",
    "points_contested", "redemption_locked", "request_placed", "request_to_approve",
    "rules_proposed", "rules_published", "rules_turned_down", "rules_withdrawn",
    "substitute_refused", "substitute_unwanted", "substitute_wanted", "verification_submitted",
}  # fmt: skip
# Good to know, but nobody has to do anything about it at once.
CAN_WAIT = {
    "accounts_merged", "application_closed", "application_declined", "application_waitlisted",
    "caregiver_restored", "demand_posted", "erasure_closed", "extra_time_agreed",
    "extra_time_refused", "incident_closed", "leave_withdrawn", "pay_released", "plan_changed",
    "plan_ended", "plan_paused", "plan_resumed", "push_gone", "review_received", "role_granted",
    "second_factor_added", "verification_expired", "visit_confirmed", "visit_redeemed",
}  # fmt: skip
A_MOMENT = datetime(2030, 12, 28, 20, 30, tzinfo=clock.CITY_TIME)


def spoken(language):
    """Everything that is said: audience, channel, kind and words."""
    for audience, channels in phrases.catalogue(language).items():
        if audience in set(Audience):
            for channel, kinds in channels.items():
                for kind, words in kinds.items():
                    yield (audience, channel, kind), words


def blanks(words):
    return {name for _, name, _, _ in Formatter().parse(words) if name}


def filled(language, words):
    longest = {"zh_CN": "术后康复居家护理", "en": "Post-operative home care"}[language]
    return words.format(
        item=longest,
        when=phrases.moment(language, A_MOMENT),
        days=30,
        hotline="0513-8500-1234",
    )


def test_all_languages_say_the_same_with_the_same_blanks():
    one, other = (dict(spoken(language)) for language in ("zh_CN", "en"))
    assert one.keys() == other.keys()
    assert {key: blanks(words) for key, words in one.items()} == {
        key: blanks(words) for key, words in other.items()
    }
    for part in ("words", "hints"):
        assert phrases.catalogue("zh_CN")[part].keys() == phrases.catalogue("en")[part].keys()


@pytest.mark.parametrize("language", phrases.LANGUAGES)
class TestWords:
    def test_are_said_of_events_there_are_on_channels_there_are(self, language):
        for (_, channel, kind), _ in spoken(language):
            assert kind in set(NoticeKind)
            assert channel in set(OutboxChannel) - {OutboxChannel.INBOX}

    def test_have_no_blank_for_a_person(self, language):
        for _, words in spoken(language):
            assert blanks(words) <= BLANKS

    def test_fit_the_channel_when_they_are_filled(self, language):
        fit = {
            OutboxChannel.TEXT: LONGEST_TEXT,
            OutboxChannel.CALL: LONGEST_CALL,
            OutboxChannel.WECHAT: 60,  # Cut to twenty; so that the beginning tells what it is.
        }
        for key, words in spoken(language):
            assert len(filled(language, words)) <= fit[OutboxChannel(key[1])], key

    def test_wechats_say_what_it_is_before_they_are_cut(self, language):
        for key, words in spoken(language):
            if key[1] == OutboxChannel.WECHAT:
                assert len(words.partition("{")[0]) <= phrases.WECHAT_FIELD, key
        for hint in phrases.catalogue(language)["hints"]["wechat"].values():
            assert len(hint) <= phrases.WECHAT_FIELD

    def test_texts_begin_with_who_sends_them(self, language):
        sign = {"zh_CN": "【CarePilot陪护】", "en": "[CarePilot] "}[language]
        for (_, channel, _), words in spoken(language):
            assert words.startswith(sign) == (channel == OutboxChannel.TEXT)

    def test_who_is_told_by_wechat_or_telephone_can_be_told_by_text(self, language):
        said = {key for key, _ in spoken(language)}
        for audience, channel, kind in said:
            assert (audience, OutboxChannel.TEXT, kind) in said, (audience, channel, kind)


def test_every_event_is_told_outside_unless_it_is_known_to_stay_in_the_inbox():
    assert {kind for kind in NoticeKind if not phrases.audiences(kind)} == (
        OPERATORS_KNOW | CAN_WAIT
    )


@pytest.mark.parametrize("kind", ["complaint_opened", "complaint_closed", "refund_granted"])
def test_both_sides_are_told_of_what_costs_them(kind):
    for audience in (Audience.CUSTOMER, Audience.CAREGIVER):
        assert kind in phrases.kinds(audience, OutboxChannel.TEXT)


def test_moments_are_said_as_people_say_them():
    assert phrases.moment("zh_CN", A_MOMENT) == "12月28日周六20:30"
    assert phrases.moment("en", A_MOMENT) == "Sat 28 Dec 20:30"
    assert phrases.day("zh_CN", A_MOMENT) == "12月28日周六"
    assert {phrases.stamp(one, A_MOMENT) for one in phrases.LANGUAGES} == {"2030年12月28日 20:30"}


def test_a_language_no_longer_known_is_answered_in_chinese():
    assert phrases.catalogue("tlh") == phrases.catalogue("zh_CN")
