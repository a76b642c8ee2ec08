"""Care recipients: the people cared for, apart from the account that pays."""

from datetime import date
from enum import StrEnum

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from data.base import Base, Numbered, text_enum
from data.sealing import Sealed, SealedRow, sealed_bytes


class Sex(StrEnum):
    FEMALE = "female"
    MALE = "male"


class Relation(StrEnum):
    SELF = "self"
    PARENT = "parent"
    GRANDPARENT = "grandparent"
    SPOUSE = "spouse"
    CHILD = "child"
    OTHER = "other"


class Mobility(StrEnum):
    WALKS = "walks"
    WITH_AID = "with_aid"
    WHEELCHAIR = "wheelchair"
    BEDRIDDEN = "bedridden"


class Recipient(Numbered, SealedRow, Base):
    __tablename__ = "recipients"

    customer_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    name: Mapped[str] = mapped_column(String(40))
    sex: Mapped[Sex] = mapped_column(text_enum(Sex))
    birth_date: Mapped[date]
    relation: Mapped[Relation] = mapped_column(text_enum(Relation))
    mobility: Mapped[Mobility] = mapped_column(text_enum(Mobility))
    language: Mapped[str] = mapped_column(String(40), default="")
    conditions_sealed: Mapped[bytes | None] = sealed_bytes()
    ward_sealed: Mapped[bytes | None] = sealed_bytes()
    emergency_contact_sealed: Mapped[bytes | None] = sealed_bytes()
    version: Mapped[int] = mapped_column()

    conditions = Sealed()
    ward = Sealed()
    emergency_contact = Sealed()

    __mapper_args__ = {"version_id_col": version}
