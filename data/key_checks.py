"""What tells at start whether the key in the environment fits this database."""

from sqlalchemy.orm import Mapped

from data.base import Base, Numbered
from data.sealing import Sealed, SealedRow, sealed_bytes


class KeyCheck(Numbered, SealedRow, Base):
    """A known word, sealed when the database was made and again by every rotation."""

    __tablename__ = "key_checks"

    word_sealed: Mapped[bytes] = sealed_bytes()

    word = Sealed()
