import pytest

from services import catalogue
from services.errors import NotFound
from tests.factories import COMPANIONSHIP, NOBODY_ID


def test_it_has_the_three_groups_and_at_least_ten_items(session):
    items = catalogue.items(session)

    assert {item.group for item in items} == set(catalogue.ItemGroup)
    assert len(items) >= 10
    assert len({item.code for item in items}) == len(items)


def test_every_item_is_told_in_both_languages(session):
    for item in catalogue.items(session):
        assert item.name_zh
        assert item.name_en
        assert item.about_zh
        assert item.about_en
        assert len(item.tasks_zh) == len(item.tasks_en) > 0
        assert item.required_certificates


def test_an_item_no_longer_offered_is_not_listed(session):
    catalogue.named(session, COMPANIONSHIP).active = False
    session.flush()

    assert COMPANIONSHIP not in [item.id for item in catalogue.items(session)]
    for item_id in (COMPANIONSHIP, NOBODY_ID):
        with pytest.raises(NotFound, match="item_not_found"):
            catalogue.named(session, item_id)
