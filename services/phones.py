"""Phone numbers: read, compared and shown without ever standing in the open."""

import secrets

import phonenumbers

from data.sealing import keyed_hash
from services.errors import Invalid

# In place of a number of somebody who has none of their own: nobody signs in with it.
NOBODYS = "0" * 11


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


def national(phone: str) -> str:
    """As one dials it within the country: a landline's area code begins with 0."""
    if not phone.startswith("+86"):
        return phone
    digits = phone.removeprefix("+86")
    return digits if digits.startswith("1") else f"0{digits}"


def nobodys_hashes() -> tuple[str, str]:
    """Search keys that no number has, for an account without a number of its own."""
    return whole_hash(secrets.token_hex()), tail_hash(secrets.token_hex())


def masked(phone: str) -> str:
    """As shown to those who need not call: 138****0001; nothing where there is no own number."""
    if phone == NOBODYS:
        return ""
    national = phone.removeprefix("+86")
    return f"{national[:3]}****{national[-4:]}"
