"""Phone numbers: read, compared and shown without ever standing in the open."""

import phonenumbers

from data.sealing import keyed_hash
from services.errors import Invalid


def normalised(text: str) -> str:
    """The number in E.164 form; numbers without a country are Chinese."""
    try:
        number = phonenumbers.parse(text.strip(), "CN")
    except phonenumbers.NumberParseException:
        raise Invalid("error.phone_invalid") from None
    if not phonenumbers.is_valid_number(number):
        raise Invalid("error.phone_invalid")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def whole(text: str) -> str | None:
    """The number in E.164 form if the text is a whole one."""
    try:
        return normalised(text)
    except Invalid:
        return None


def whole_hash(phone: str) -> str:
    """The search key of a whole normalised number."""
    return keyed_hash("phone", phone)


def tail_hash(phone: str) -> str:
    """The search key of the last four digits."""
    return keyed_hash("phone tail", phone[-4:])


def masked(phone: str) -> str:
    """As shown to those who need not call: 138****0001."""
    national = phone.removeprefix("+86")
    return f"{national[:3]}****{national[-4:]}"
