import pytest
from sqlalchemy import select, text

from data import database as engines
from data import models, sealing
from data.accounts import Account
from data.key_checks import KeyCheck
from data.recipients import Recipient
from data.sealing import CannotOpen, SealedRow
from data.verifications import Document, DocumentKind, VerificationCase
from services import (
    chat_desk,
    clock,
    complaint_evidence,
    complaints,
    guests,
    keys,
    messages,
    pictures,
    rulings,
    settings,
    startup,
)
from services.access import SYSTEM
from services.chat_desk import Box
from services.complaints import ComplaintCategory
from services.messages import Said
from services.pictures import PictureKind
from services.rulings import Ruling
from services.settings import ConfigurationError
from tests.factories import (
    BROWSER,
    DESK,
    LI,
    MOTHER_ID,
    NANTONG,
    OPERATOR,
    ZHOU,
    empty_page,
    make_redeemed_visit,
    phone_of,
)
from tools import rotate_keys

OWN = "an own sealing key of this test!!"
NEWER = "a newer sealing key of this test!"


@pytest.fixture
def seal_with(monkeypatch):
    """Set the sealing keys of the environment, as a restart would read them."""

    def seal_with(key: str, *former: str) -> None:
        monkeypatch.setenv("CAREPILOT_SEALING_KEY", key)
        monkeypatch.setenv("CAREPILOT_OLD_SEALING_KEYS", ",".join(former))
        sealing.ring.cache_clear()

    yield seal_with
    sealing.ring.cache_clear()


def a_document(session, account_id=ZHOU.id):
    case = VerificationCase(
        created_at=clock.now(), account_id=account_id, kind="customer", city_code=NANTONG
    )
    session.add(case)
    session.flush()
    page = Document(
        created_at=clock.now(), account_id=account_id, case_id=case.id,
        kind=DocumentKind.ID_FRONT, width=1, height=1, content=b"a picture",
    )  # fmt: skip
    session.add(page)
    session.flush()
    return page


class TestColumns:
    def test_every_sealed_column_belongs_to_a_sealed_row(self):
        tables = {mapper.class_.__tablename__: mapper.class_ for mapper in mappers()}
        for name, table in models.Base.metadata.tables.items():
            if any(column.endswith("_sealed") for column in names(table)):
                assert issubclass(tables[name], SealedRow), name
                assert len(table.primary_key.columns) == 1, name

    def test_the_personal_details_are_sealed(self):
        sealed = {
            column.removesuffix("_sealed")
            for table in models.Base.metadata.tables.values()
            for column in names(table)
            if column.endswith("_sealed")
        }

        assert sealed >= {
            "address", "ward", "conditions", "emergency_contact", "phone", "id_number",
            "legal_name", "number", "content", "body", "secret",
        }  # fmt: skip
        plain = {
            (name, column)
            for name, table in models.Base.metadata.tables.items()
            for column in names(table)
            if column in sealed
        }
        # The first, the second: nobody's number.
        counted = (
            "report_photos", "ledger_postings", "complaint_evidence", "rule_versions",
            "policy_versions", "dispatch_lines",
        )  # fmt: skip
        assert plain == {(table, "number") for table in counted}

    def test_a_picture_moved_to_another_row_does_not_open(self, session):
        mine, other = a_document(session), a_document(session, 2)
        other.content_sealed = mine.content_sealed

        assert mine.content == b"a picture"
        with pytest.raises(CannotOpen):
            _ = other.content

    def test_a_number_moved_to_the_names_column_does_not_open(self, session):
        case = session.get_one(VerificationCase, a_document(session).case_id)
        case.id_number = "11010519491231002X"
        case.legal_name_sealed = case.id_number_sealed

        with pytest.raises(CannotOpen):
            _ = case.legal_name


def names(table):
    return [column.name for column in table.c]


def mappers():
    return models.Base.registry.mappers


class TestStart:
    def test_a_word_is_sealed_once_and_opens_at_the_next_start(self, database):
        startup.know_the_key()
        startup.know_the_key()

        with engines.reading() as session:
            assert [row.word for row in session.scalars(select(KeyCheck))] == [keys.known_word()]

    def test_another_key_is_refused_and_touches_nothing(self, database, seal_with):
        startup.know_the_key()
        before = everything_sealed()
        seal_with(OWN)
        with pytest.raises(ConfigurationError, match="do not fit") as refusal:
            startup.know_the_key()

        assert OWN not in str(refusal.value)
        assert everything_sealed() == before

    def test_another_secret_is_refused_too(self, database, seal_with, monkeypatch):
        seal_with(OWN, sealing.DERIVED)
        startup.know_the_key()
        rotate_keys.main()
        hashed = sealing.keyed_hash
        monkeypatch.setattr(sealing, "keyed_hash", lambda *words: hashed("other", words[1]))

        with pytest.raises(ConfigurationError, match="do not fit"):
            startup.know_the_key()

    def test_a_database_without_the_word_is_tried_by_what_it_holds(self, database, seal_with):
        seal_with(OWN)

        with pytest.raises(ConfigurationError, match="do not fit"):
            startup.know_the_key()
        with engines.reading() as session:
            assert session.scalar(select(KeyCheck)) is None

    @pytest.mark.parametrize(
        ("key", "former"), [("short", ""), (OWN, "short"), (OWN, f"{NEWER},short")]
    )
    def test_a_weak_key_is_refused_by_its_name_only(self, seal_with, key, former):
        seal_with(key, former)

        with pytest.raises(ConfigurationError, match="SEALING_KEY") as refusal:
            settings.check()
        assert "short" not in str(refusal.value)


def everything_sealed():
    with engines.reading() as session:
        return [
            session.execute(select(table).order_by(*table.primary_key)).all()
            for table in keys.tables()
        ]


class TestRotation:
    def test_everything_moves_to_the_new_key_and_still_opens(
        self, database, seal_with, monkeypatch, capsys
    ):
        monkeypatch.setattr(keys, "BATCH", 4)
        with engines.writing() as session:
            page_id = a_document(session).id
        startup.know_the_key()
        seal_with(OWN, sealing.DERIVED)
        rotate_keys.main()
        told = capsys.readouterr().out
        assert "under the current key" in told
        assert not told.startswith("0 ")

        seal_with(OWN)  # The former key may go.
        startup.know_the_key()
        with engines.writing() as session:
            assert session.get_one(Account, ZHOU.id).phone == phone_of(ZHOU)
            assert session.get_one(Recipient, MOTHER_ID).conditions == "高血压,按时服药"
            assert session.get_one(Document, page_id).content == b"a picture"
            assert [keys.left(session, table) for table in keys.tables()] == [0] * len(
                keys.tables()
            )

    def test_chats_go_on_with_their_pictures_and_guests_phones(self, database, seal_with):
        with engines.writing() as session:
            messages.ask(session, ZHOU, Said("看这张", "a", (empty_page(),)), NANTONG)
            token = guests.arrive(session, "王", "13711112222", NANTONG, BROWSER).token
            guests.say(session, token, "多少钱", "b")
        startup.know_the_key()
        seal_with(OWN, sealing.DERIVED)
        rotate_keys.main()
        seal_with(OWN)
        startup.know_the_key()

        with engines.writing() as session:
            talks = chat_desk.inbox(session, DESK, Box.QUEUE)
            family, guest = sorted(talks, key=lambda one: one.account_id is None)
            assert chat_desk.phone(session, DESK, guest.id) == "+8613711112222"
            assert [one.words for one in guests.thread(session, token)] == ["多少钱"]
            [said] = messages.thread(session, DESK, family.id)
            [picture] = said.pictures
            kind = PictureKind.ATTACHMENT
            ticket = pictures.ticket(session, ZHOU, kind, picture.id, "own")
            assert (said.words, pictures.take(session, ZHOU, ticket)) == (
                "看这张", empty_page().image,
            )  # fmt: skip

    def test_evidence_of_complaints_still_opens_and_is_shredded(self, database, clock, seal_with):
        with engines.writing() as session:
            visit_id = make_redeemed_visit(session)
            category, pages = ComplaintCategory.SAFETY, [empty_page()]
            number = complaints.lodge(session, ZHOU, visit_id, category, "摔倒了", pages)
            [evidence] = complaint_evidence.of(session, ZHOU, number)
            complaint_evidence.share(session, OPERATOR, evidence.id)
        startup.know_the_key()
        seal_with(OWN, sealing.DERIVED)
        rotate_keys.main()
        seal_with(OWN)
        startup.know_the_key()

        with engines.writing() as session:
            for actor, purpose in ((ZHOU, "own"), (LI, "own"), (OPERATOR, "complaint")):
                ticket = pictures.ticket(session, actor, PictureKind.EVIDENCE, evidence.id, purpose)
                session.flush()
                assert pictures.take(session, actor, ticket)[:4] == b"RIFF"
            rulings.decide(session, OPERATOR, number, Ruling("已致歉"))
            clock.move(days=91)
            assert complaint_evidence.shred_due(session, SYSTEM) == 1
        seal_with(NEWER, OWN)
        rotate_keys.main()  # What is shredded is in nobody's way.

    def test_it_shows_how_far_each_table_is(self, database, seal_with, monkeypatch):
        monkeypatch.setattr(keys, "BATCH", 4)
        seen = []

        def drawn_on(_stream, title):
            return lambda done, of: seen.append((title.partition(":")[0], done, of))

        monkeypatch.setattr(rotate_keys, "drawn_on", drawn_on)
        startup.know_the_key()
        seal_with(OWN, sealing.DERIVED)
        rotate_keys.main()

        shown = [(done, of) for table, done, of in seen if table == "accounts"]
        assert shown == [(4, 9), (8, 9), (9, 9)]
        assert {table for table, *_ in seen} >= {"accounts", "recipients", "key_checks"}

    def test_it_goes_on_where_it_was_broken_off(self, database, seal_with, capsys):
        startup.know_the_key()
        seal_with(OWN, sealing.DERIVED)
        accounts = next(table for table in keys.tables() if table.name == "accounts")
        with engines.writing() as session:
            assert keys.left(session, accounts) == 9
            account = session.get_one(Account, ZHOU.id)
            account.phone = account.phone
        with engines.reading() as session:
            assert keys.left(session, accounts) == 8
        rotate_keys.main()
        assert "0 values" not in capsys.readouterr().out
        rotate_keys.main()
        assert "0 values sealed anew" in capsys.readouterr().out

    def test_the_word_that_vouches_for_all_comes_last(self):
        assert [table.name for table in keys.tables()][-1] == "key_checks"

    def test_without_the_former_key_nothing_is_lost(self, database, seal_with):
        startup.know_the_key()
        seal_with(OWN)
        before = everything_sealed()

        with pytest.raises(SystemExit, match="do not fit"):
            rotate_keys.main()
        assert everything_sealed() == before

    def test_a_value_that_does_not_open_stops_it_with_its_name(self, database, seal_with):
        startup.know_the_key()
        with engines.writing() as session:
            session.execute(
                text("UPDATE recipients SET ward_sealed = conditions_sealed WHERE id = :id"),
                {"id": MOTHER_ID},
            )
        seal_with(OWN, sealing.DERIVED)

        with pytest.raises(SystemExit, match="recipients"):
            rotate_keys.main()
        with engines.reading() as session:
            assert session.get_one(Recipient, MOTHER_ID).conditions == "高血压,按时服药"
