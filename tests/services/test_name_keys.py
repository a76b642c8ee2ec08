import pytest
from sqlalchemy import delete, func, select

from data.accounts import Account, NameKey
from services import accounts, callers, customers, erasure, jobs, name_keys, recipients
from services.access import SYSTEM
from services.recipients import Mobility, RecipientForm, Relation, Sex
from tests.factories import BORN, DESK, NAMES, NANTONG, STRANGER, ZHOU, one_person


def keys_of(session, customer):
    session.flush()
    theirs = select(NameKey.key).where(NameKey.account_id == customer.id)
    return set(session.scalars(theirs))


def enter(session, name, number=1):
    return callers.register(session, DESK, name, f"1391234{number:04d}", NANTONG)


def found(session, typed):
    return [one.id for one in callers.find(session, DESK, typed)]


class TestKeys:
    def test_a_name_has_characters_pinyin_and_initials_from_both_its_beginnings(self):
        assert name_keys.of("周晓燕") >= {"周晓燕", "晓燕", "zhouxiaoyan", "xiaoyan", "zxy", "xy"}

    @pytest.mark.parametrize(
        ("name", "key"),
        [
            ("单雄信", "shanxiongxin"),
            ("解晓东", "xiexiaodong"),
            ("仇英", "qiuying"),
            ("曾国", "zengguo"),
            ("吕布", "lvbu"),
            ("吕布", "lubu"),
            ("欧阳娜", "oyn"),
            ("欧阳娜", "na"),
            ("尉迟恭", "yuchigong"),
            ("万俟雪", "moqixue"),
            ("张长乐", "zhangchangle"),
            ("张长乐", "zhangchangyue"),
        ],
    )
    def test_every_reading_counts_and_surnames_have_their_own(self, name, key):
        assert key in name_keys.of(name)

    @pytest.mark.parametrize(
        ("name", "key"),
        [
            ("Anna Müller", "annamuller"),
            ("Anna Müller", "müller"),
            ("JOHN 周", "john周"),
            ("燕", "y"),
            ("𪚥", "𪚥"),
            ("王\U00030000", "wang"),
            ("王\U00030000", "王\U00030000"),
            ("👵🏽", "👵🏽"),
        ],
    )
    def test_rare_signs_single_ones_and_letters_are_keys_too(self, name, key):
        assert key in name_keys.of(name)

    def test_a_long_name_of_many_readings_makes_few_rows_that_fit(self):
        keys = name_keys.of("乐" * 40)
        assert len(keys) < 3 * 40  # Fewer than three a sign.
        assert max(map(len, keys)) <= name_keys.LONGEST

    @pytest.mark.parametrize("typed", ["", "  ", "\t"])
    def test_nothing_typed_begins_nothing(self, typed):
        assert name_keys.beginnings(typed) == []


class TestFinding:
    @pytest.mark.parametrize(
        "typed",
        ["周晓", "晓燕", "zhou", "ZHOU XIAO", "zxy", "zhouxy", "Xiaoy", "周xiao", "周xy", "zhou晓"],
    )
    def test_whatever_begins_the_name_finds_it(self, session, typed):
        assert found(session, typed)[0] == ZHOU.id

    @pytest.mark.parametrize("typed", ["周奶奶", "奶奶", "zhounn", "znn"])
    def test_so_does_the_name_of_whom_they_care_for(self, session, typed):
        ids = found(session, typed)
        assert ZHOU.id in ids
        [one] = [one for one in callers.find(session, DESK, typed) if one.id == ZHOU.id]
        assert one.through == "周奶奶"

    @pytest.mark.parametrize("typed", ["%", "_", "hou", "晓周", "'; --", "\U0010ffff"])
    def test_nothing_else_does(self, session, typed):
        assert found(session, typed) == []

    def test_the_exact_name_comes_before_longer_ones(self, session):
        longer, exact = enter(session, "林晓燕"), enter(session, "林晓", 2)
        assert found(session, "林晓") == [exact, longer]

    def test_a_rare_character_outside_the_bmp_is_found_by_itself_and_by_the_rest(self, session):
        number = enter(session, "王\U00030000")
        assert found(session, "王\U00030000") == found(session, "wang") == [number]


class TestKept:
    def test_with_a_new_name_the_old_keys_go(self, session):
        accounts.rename(session, ZHOU, "林晓梅")
        assert "linxiaomei" in keys_of(session, ZHOU)
        assert "zhouxiaoyan" not in keys_of(session, ZHOU)

    def test_a_recipients_name_is_kept_with_it(self, session):
        form = RecipientForm("解奶奶", Sex.FEMALE, BORN, Relation.PARENT, Mobility.WALKS)
        recipients.save(session, ZHOU, form)
        assert "xienainai" in keys_of(session, ZHOU)

    def test_a_merge_leaves_all_names_with_the_kept_one(self, session):
        one_person(session)
        customers.merge_proven(session, ZHOU, ZHOU.id, STRANGER.id)
        assert keys_of(session, STRANGER) == set()
        assert found(session, NAMES[STRANGER]) == []
        assert keys_of(session, ZHOU) >= name_keys.of(NAMES[ZHOU]) | name_keys.of("周奶奶")

    def test_an_erasure_leaves_none(self, session, clock):
        erasure.ask(session, ZHOU)
        clock.move(days=8)
        assert erasure.erase_due(session, SYSTEM) == 1
        assert keys_of(session, ZHOU) == set()

    def test_the_job_writes_what_an_old_database_lacks_and_then_rests(self, session):
        session.execute(delete(NameKey))
        people = session.scalar(select(func.count(Account.id)))
        assert jobs.JOBS["fill_name_keys"].run(session) == people
        assert "zxy" in keys_of(session, ZHOU)
        assert jobs.JOBS["fill_name_keys"].run(session) == 0
