"""Tree hashes against the RFC's own definition, written here a second time, recursively."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.core.merkle import (
    EMPTY_ROOT,
    Frontier,
    consistency_holds,
    consistency_proof,
    inclusion_holds,
    inclusion_proof,
    inclusion_proofs,
    leaf_hash,
    root_of,
)


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


#: The eight leaves and the roots over the first one, two, … of them that implementations of
#: Certificate Transparency test against.
LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657",
          "606162636465666768696a6b6c6d6e6f"]  # fmt: skip
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def test_known_trees():
    hashes = [leaf_hash(bytes.fromhex(leaf)) for leaf in LEAVES]
    assert [root_of(hashes[:n]).hex() for n in range(1, 9)] == ROOTS


def path(m, entries):
    """PATH(m, D[n]) as the RFC writes it."""
    if len(entries) <= 1:
        return []
    k = 1
    while k * 2 < len(entries):
        k *= 2
    if m < k:
        return [*path(m, entries[:k]), rfc6962(entries[k:])]
    return [*path(m - k, entries[k:]), rfc6962(entries[:k])]


def subproof(m, entries, b):
    """SUBPROOF(m, D[n], b) as the RFC writes it."""
    if m == len(entries):
        return [] if b else [rfc6962(entries)]
    k = 1
    while k * 2 < len(entries):
        k *= 2
    if m <= k:
        return [*subproof(m, entries[:k], b), rfc6962(entries[k:])]
    return [*subproof(m - k, entries[k:], False), rfc6962(entries[:k])]


sized = st.integers(1, 70).flatmap(lambda n: st.tuples(st.integers(0, n - 1), st.just(n)))


@given(sized)
def test_inclusion_is_the_rfcs_and_holds_for_this_leaf_alone(where):
    index, size = where
    entries = [bytes([n]) for n in range(size)]
    hashes = [leaf_hash(e) for e in entries]
    proof = inclusion_proof(hashes, index)
    assert proof == path(index, entries)
    root = rfc6962(entries)
    assert inclusion_holds(hashes[index], index, size, proof, root)
    for other in range(size):
        if other != index:
            assert not inclusion_holds(hashes[index], other, size, proof, root)
            assert not inclusion_holds(hashes[other], index, size, proof, root)
    assert not inclusion_holds(hashes[index], index, size, [*proof, root], root)
    if proof:
        assert not inclusion_holds(hashes[index], index, size, proof[:-1], root)


@given(sized, st.integers(0, 69))
def test_consistency_is_the_rfcs_and_fails_for_any_other_history(where, bent):
    old, size = where[0] + 1, where[1]
    entries = [bytes([n]) for n in range(size)]
    hashes = [leaf_hash(e) for e in entries]
    proof = consistency_proof(hashes, old)
    assert proof == subproof(old, entries, True)
    roots = rfc6962(entries[:old]), rfc6962(entries)
    assert consistency_holds(old, size, *roots, proof)
    other = list(entries)
    other[bent % old] = b"bent"
    assert not consistency_holds(old, size, rfc6962(other[:old]), roots[1], proof)
    assert not consistency_holds(
        old, size, roots[0], rfc6962(other), consistency_proof([leaf_hash(e) for e in other], old)
    )
    if proof:
        assert not consistency_holds(old, size, *roots, proof[:-1])
    assert not consistency_holds(old, size, *roots, [*proof, roots[0]])


@given(st.integers(0, 40).flatmap(lambda n: st.tuples(st.just(n), st.sets(st.integers(0, 45)))))
def test_several_proofs_at_once_are_those_of_each(case):
    size, wanted = case
    leaves = [leaf_hash(bytes([n])) for n in range(size)]
    if any(n >= size for n in wanted):
        with pytest.raises(ValueError, match="no leaf"):
            inclusion_proofs(leaves, wanted)
    else:
        assert inclusion_proofs(leaves, wanted) == {n: inclusion_proof(leaves, n) for n in wanted}


def test_proofs_of_what_is_not_there():
    hashes = [leaf_hash(b"a"), leaf_hash(b"b")]
    with pytest.raises(ValueError, match="no leaf 2"):
        inclusion_proof(hashes, 2)
    with pytest.raises(ValueError, match="beginning of 3"):
        consistency_proof(hashes, 3)
    assert consistency_proof(hashes, 0) == []
    assert consistency_holds(0, 2, EMPTY_ROOT, root_of(hashes), [])
    assert not consistency_holds(3, 2, EMPTY_ROOT, root_of(hashes), [])
    assert not inclusion_holds(hashes[0], 2, 2, [], hashes[0])
