"""Tree hashes against the RFC's own definition, written here a second time, recursively."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.core.merkle import EMPTY_ROOT, Frontier, leaf_hash, root_of


def rfc6962(entries):
    """MTH as the RFC writes it."""
    if not entries:
        return hashlib.sha256(b"").digest()
    if len(entries) == 1:
        return hashlib.sha256(b"\x00" + entries[0]).digest()
    k = 1
    while k * 2 < len(entries):
        k *= 2
    return hashlib.sha256(b"\x01" + rfc6962(entries[:k]) + rfc6962(entries[k:])).digest()


@given(st.lists(st.binary(max_size=8), max_size=70))
def test_root_is_the_rfcs(entries):
    assert root_of(leaf_hash(e) for e in entries) == rfc6962(entries)


@given(st.lists(st.binary(max_size=8), max_size=40), st.integers(0, 40))
def test_frontier_goes_on_from_what_was_kept(entries, cut):
    cut = min(cut, len(entries))
    first = Frontier()
    for entry in entries[:cut]:
        first.append(leaf_hash(entry))
    second = Frontier.from_list(first.size, first.to_list())
    for entry in entries[cut:]:
        second.append(leaf_hash(entry))
    assert second.root() == rfc6962(entries)


def test_known_values():
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert leaf_hash(b"").hex() == (
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    )


def test_wrong_peaks_are_refused():
    with pytest.raises(ValueError, match="peaks"):
        Frontier(3, [b"x" * 32])
