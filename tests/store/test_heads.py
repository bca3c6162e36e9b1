"""Signed heads and the anchor: what was bent, cut off or put back after signing is named."""

import shutil
import sqlite3

import pytest

from kiosk.audit.record import parse_record
from kiosk.audit.run import audit
from kiosk.audit.tree import Kept, Key
from kiosk.clock import SystemClock
from kiosk.core.codes import JournalKind
from kiosk.core.merkle import Frontier, consistency_holds, inclusion_holds, leaf_hash
from kiosk.store import Store
from kiosk.store.errors import KeyFileProblem, StoreError, StoreRefused
from tests.store.conftest import admit


@pytest.fixture
def signed(store):
    """S1 is open, one has been admitted, and that is signed."""
    admit(store, 0)
    store.sign_head()
    return store


def kinds(store):
    return [e.kind for e in store.entries(0, 1000)]


def bend(folder, *statements):
    with sqlite3.connect(folder / "data" / "lane.db") as database:
        for name in ("journal_keeps_what_it_has", "journal_loses_nothing",
                     "checkpoints_keep_what_they_have", "checkpoints_lose_nothing"):  # fmt: skip
            database.execute(f"drop trigger {name}")
        for statement in statements:
            database.execute(*statement) if isinstance(statement, tuple) else database.execute(
                statement
            )
    database.close()


def rewrite(folder, change, keep=10_000):
    """What somebody with the database and time could do: everything fits itself again."""
    with sqlite3.connect(folder / "data" / "lane.db") as database:
        rows = database.execute("select seq, entry from journal order by seq").fetchall()
    database.close()
    tree, statements = Frontier(), [("delete from journal where seq > ?", (keep,))]
    for seq, text in rows[:keep]:
        text = change(seq, text)
        leaf = leaf_hash(text.encode())
        tree.append(leaf)
        values = (text, leaf.hex(), tree.root().hex(), seq)
        statements.append(
            ("update journal set entry = ?, leaf_hash = ?, root = ? where seq = ?", values)
        )
    peaks = str(tree.to_list()).replace("'", '"')
    statements.append(("update tree set size = ?, peaks = ?", (tree.size, peaks)))
    statements.append(("delete from outbox where kind = 'journal' and ref > ?", (keep,)))
    bend(folder, *statements)


# --- signing ------------------------------------------------------------------------------------


def test_a_session_is_signed_when_it_opens_and_closes(store):
    opened = store.newest_checkpoint()
    assert opened.size == store.tree_head()[0]
    assert kinds(store)[opened.size - 1] == "session_opened"
    admit(store, 0)
    store.close_session("S1", "t")
    closed = store.newest_checkpoint()
    assert kinds(store)[closed.size - 1] == "session_closed"
    assert Key(store.vkey).head(closed.note).root.hex() == store.tree_head()[1]


def test_what_has_not_grown_is_not_signed_again(signed):
    first = signed.newest_checkpoint()
    assert signed.sign_head() == first
    assert len(signed.checkpoints(0, 1000)) == 2
    signed.journal(JournalKind.HELP)
    assert signed.sign_head().size == first.size + 1


def test_heads_can_be_neither_changed_nor_deleted(signed):
    for statement in ("update checkpoints set size = 1", "delete from checkpoints"):
        with pytest.raises(StoreError, match="kept"), signed._transaction():
            signed._db.execute(statement)


def test_each_entry_can_be_proven_and_each_past(signed):
    for n in range(9):
        signed.journal(JournalKind.HELP, payload={"n": n})
        signed.sign_head()
    size, root = signed.tree_head()
    leaves = [bytes.fromhex(e.leaf_hash) for e in signed.entries(0, 1000)]
    for entry in signed.entries(0, 1000):
        proof = signed.inclusion_proof(entry.seq)
        assert proof.head.size == size
        leaf = bytes.fromhex(entry.leaf_hash)
        assert inclusion_holds(leaf, entry.seq - 1, size, proof.path, bytes.fromhex(root))
    for head in signed.checkpoints(0, size):
        old = Frontier()
        for leaf in leaves[: head.size]:
            old.append(leaf)
        proof = signed.consistency_proof(head.size)
        assert consistency_holds(head.size, size, old.root(), bytes.fromhex(root), proof.path)


@pytest.mark.parametrize(("seq", "size"), [(0, None), (99, None), (1, 1), (1, 99)])
def test_there_is_no_proof_of_what_is_not_there(signed, seq, size):
    with pytest.raises(StoreRefused):
        signed.inclusion_proof(seq, size)


def test_a_lane_that_is_renamed_goes_on_with_its_journal(folder, store):
    admit(store, 0)
    store.close()
    again = Store.open(folder / "data", folder / "lane.key", SystemClock(), "examgate/new/name")
    try:
        again.journal(JournalKind.HELP)
        again.sign_head()
        assert again.origin == "examgate"
        assert again.verify() == []
    finally:
        again.close()


def test_without_its_signing_key_a_journal_is_not_continued(folder, store, open_store):
    store.close()
    (folder / "lane-sign.key").unlink()
    with pytest.raises(KeyFileProblem, match=r"lane-sign\.key"):
        open_store()


# --- bent after signing -------------------------------------------------------------------------


def test_an_entry_that_was_changed_and_everything_recomputed(folder, signed, open_store):
    first = signed.checkpoints(0, 100)[0].size
    last = signed.newest_checkpoint().size
    signed.close()
    rewrite(folder, lambda seq, text: text.replace('"terminal":"00', '"terminal":"90'))
    problems = open_store().verify()
    assert any(f"from entry {first + 1} to {last} was changed after" in p for p in problems)


def test_a_tail_that_was_cut_off_and_everything_recomputed(folder, signed, open_store):
    signed.close()
    rewrite(folder, lambda seq, text: text, keep=4)
    problems = open_store().verify()
    assert any("the journal was cut off" in p for p in problems), problems


def test_a_head_by_another_key_is_told(folder, signed, open_store):
    note = signed.newest_checkpoint().note
    signed.close()
    bent = note.replace("— examgate ", "— examgate A")
    bend(folder, ("update checkpoints set note = ? where note = ?", (bent, note)))
    assert any("signed head of size" in p for p in open_store().verify())


# --- put back -----------------------------------------------------------------------------------


def test_an_older_database_that_was_put_back_is_said_and_gone_on_with(folder, store, open_store):
    admit(store, 0)
    store.sign_head()
    store.close()
    shutil.copy2(folder / "data" / "lane.db", folder / "backup.db")
    store = open_store()
    admit(store, 1)
    lost = store.sign_head()
    store.close()
    shutil.copy2(folder / "backup.db", folder / "data" / "lane.db")

    store = open_store()
    assert store.restored
    entry = store.entries(0, 1000)[-1]
    assert entry.kind == "journal_restored"
    assert entry.payload["anchor"] == lost.note
    assert entry.payload["lost"] == lost.size - (entry.seq - 1)
    assert store.verify() == [], "it goes on honestly: what is there is whole"
    admit(store, 1)  # the seat that was lost is drawn again, by the record that is left
    store.close_session("S1", "t")
    store.close()

    again = open_store()
    assert not again.restored, "said once"
    assert kinds(again).count("journal_restored") == 1
    record = parse_record("".join(f"{line}\n" for line in again.record("S1")))
    found = {f.code.value: f for f in audit(record, kept=[Kept("kept", lost.note)]).findings}
    assert found["RESTORED"].seq == entry.seq
    assert "FORK" in found, "who kept the lost head can show that"


def test_a_whole_disk_that_was_put_back_is_found_by_who_kept_a_head(folder, store, open_store):
    admit(store, 0)
    store.close()
    shutil.copytree(folder / "data", folder / "image")
    store = open_store()
    admit(store, 1)
    kept = store.sign_head()
    store.close()
    shutil.rmtree(folder / "data")
    shutil.copytree(folder / "image", folder / "data")
    store = open_store()
    assert not store.restored, "nothing on this disk tells"
    admit(store, 2)
    store.close_session("S1", "t")
    record = parse_record("".join(f"{line}\n" for line in store.record("S1")))
    assert not {f.code.value for f in audit(record).findings} & {"FORK", "HEAD", "RESTORED"}
    codes = {f.code.value for f in audit(record, kept=[Kept("receipt", kept.note)]).findings}
    assert "FORK" in codes


@pytest.mark.parametrize("content", [None, "", "x\n1\ny\n"])
def test_a_lost_anchor_is_journalled(folder, store, open_store, content):
    store.close()
    anchor = folder / "data" / "anchor"
    anchor.unlink() if content is None else anchor.write_text(content)
    store = open_store()
    assert kinds(store)[-1] == "anchor_lost"
    assert store.verify() == []


def test_an_anchor_that_cannot_be_written_is_an_error(folder, store):
    anchor = folder / "data" / "anchor.new"
    anchor.mkdir()
    store.journal(JournalKind.HELP)
    with pytest.raises(StoreError, match="anchor: cannot be written"):
        store.sign_head()


def test_there_is_no_record_of_what_was_never_opened(store):
    with pytest.raises(StoreRefused, match="no session"):
        list(store.record("S9"))
