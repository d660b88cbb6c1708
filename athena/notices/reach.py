"""Which addresses a notice may be sent to: public ones, and those networks that the operator names. Pure.

A name is resolved once and the connection goes to the address that was judged, so that a name which answers
differently the second time (DNS rebinding) gains nothing.
"""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

Address = IPv4Address | IPv6Address

# What carries an IPv4 address inside: it leads where that one leads. RFC 6052, RFC 8215.
_CARRIERS = (ip_network("64:ff9b::/96"), ip_network("64:ff9b:1::/48"))


def reachable(address: str, networks: Iterable[str] = ()) -> bool:
    """Whether a notice may go there.

    >>> reachable("93.184.216.34"), reachable("2606:2800:220:1::1")
    (True, True)
    >>> [reachable(one) for one in ("127.0.0.1", "10.1.2.3", "169.254.169.254", "::1", "::ffff:10.0.0.1", "0.0.0.0")]
    [False, False, False, False, False, False]
    >>> [reachable(one) for one in ("64:ff9b::a9fe:a9fe", "2002:7f00:1::", "224.0.0.1", "100.64.0.1", "fe80::1%eth0")]
    [False, False, False, False, False]
    >>> reachable("10.1.2.3", ["10.0.0.0/8"])
    True
    """
    found = _plain(ip_address(address.partition("%")[0]))
    return allowed(address, networks) or (found.is_global and not found.is_multicast and not found.is_reserved)


def allowed(address: str, networks: Iterable[str]) -> bool:
    """Whether the operator names a network of this address.

    >>> allowed("::ffff:10.1.2.3", ["10.0.0.0/8"]), allowed("192.168.0.1", ["10.0.0.0/8"])
    (True, False)
    """
    found = _plain(ip_address(address.partition("%")[0]))
    return any(found in network for network in map(ip_network, networks) if network.version == found.version)


def _plain(address: Address) -> Address:
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if any(address in carrier for carrier in _CARRIERS):
        return IPv4Address(address.packed[-4:])
    return address
