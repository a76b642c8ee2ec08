"""Network addresses: never stored whole, compared by keyed hash, shown as a neighbourhood."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from data.sealing import keyed_hash

# A household gets a whole /64 of IPv6 addresses: whoever guesses could use each of them once.
_ONE_HOUSEHOLD = 64
_PREFIXES = {4: 24, 6: 48}


def prefix(address: str) -> str:
    """The address without its last part (/24, IPv6 /48); nothing when it is unknown."""
    found = _parsed(address)
    return str(ip_network((found, _PREFIXES[found.version]), strict=False)) if found else ""


def keyed(address: str, purpose: str = "address") -> str:
    """What tries from one address, or one household of IPv6, are counted under."""
    found = _parsed(address)
    if found is None:
        return ""
    if found.version == 6:
        return keyed_hash(purpose, str(ip_network((found, _ONE_HOUSEHOLD), strict=False)))
    return keyed_hash(purpose, str(found))


def _parsed(address: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(address)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found
