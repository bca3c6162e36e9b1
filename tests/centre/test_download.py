"""Downloads from a real web server over a cable that is cut: the same bytes in the end."""

from __future__ import annotations

import json
import os
import random
import secrets
import time
from dataclasses import replace

import pytest

from kiosk.centre.download import Access, DownloadError, Failed, Fetcher, https_pool
from tests.centre.web import NGINX, Authority, Cutter, free_port, nginx

pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is not installed")


@pytest.fixture(scope="module")
def centre(tmp_path_factory):
    folder = tmp_path_factory.mktemp("centre")
    Authority(folder)
    with nginx(folder) as port:
        yield folder, port


@pytest.fixture
def access(centre):
    folder, _ = centre
    return Access(folder / "ca.pem", folder / "lane.pem", folder / "lane.tls.key")


@pytest.fixture
def fetcher(access, tmp_path):
    def make(**more):
        options = {"sleep": lambda s: None} | more
        return Fetcher(tmp_path / "d" / "b.tar.age", options.pop("access", access), **options)

    return make


def put(centre, size=300_000, name="b.tar.age"):
    folder, port = centre
    data = secrets.token_bytes(size)
    file = folder / "www" / name
    file.write_bytes(data)
    os.utime(file, (time.time(), random.randrange(10**9)))  # another ETag
    return data, f"https://127.0.0.1:{port}/{name}"


def test_fetched_once_and_not_again(centre, fetcher):
    data, url = put(centre)
    seen = []
    found = fetcher().fetch([url], lambda done, of: seen.append((done, of)))
    assert found.new and found.path.read_bytes() == data
    assert seen[-1] == (len(data), len(data)) and seen == sorted(seen)
    assert found.path.stat().st_mode & 0o777 == 0o600
    assert not fetcher().fetch([url]).new
    newer, _ = put(centre)
    assert fetcher().fetch([url]).new and found.path.read_bytes() == newer


def test_what_was_used_is_gone_and_fetched_only_when_it_changes(centre, fetcher):
    _, url = put(centre)
    found = fetcher().fetch([url])
    fetcher().taken()
    assert not found.path.exists()
    again = fetcher().fetch([url])
    assert not again.new and not again.path.exists()
    newer, _ = put(centre)
    assert fetcher().fetch([url]).new and found.path.read_bytes() == newer


def test_a_hundred_cuts_and_the_same_bytes(centre, fetcher):
    data, url = put(centre, 3_000_000)
    chance = random.Random(1)
    cutter = Cutter(centre[1], [chance.randrange(3_000, 60_000) for _ in range(100)])
    url = f"https://127.0.0.1:{cutter.port}/b.tar.age"
    try:
        found = fetcher(rounds=102).fetch([url])
    finally:
        cutter.stop()
    assert cutter.cuts == [] and found.path.read_bytes() == data


def test_a_cut_lasts_over_the_end_of_the_program(centre, fetcher):
    data, _ = put(centre)
    cutter = Cutter(centre[1], [150_000])
    url = f"https://127.0.0.1:{cutter.port}/b.tar.age"
    with pytest.raises(DownloadError):
        fetcher(rounds=1).fetch([url])
    found = fetcher(rounds=1).fetch([url])
    cutter.stop()
    assert found.resumed > 50_000 and found.path.read_bytes() == data


def test_what_changed_meanwhile_is_not_patched_together(centre, fetcher):
    put(centre)
    cutter = Cutter(centre[1], [150_000])
    url = f"https://127.0.0.1:{cutter.port}/b.tar.age"
    with pytest.raises(DownloadError):
        fetcher(rounds=1).fetch([url])
    newer, _ = put(centre)
    assert fetcher(rounds=2).fetch([url]).path.read_bytes() == newer
    cutter.stop()


def test_mirrors_are_tried_in_turn_and_each_is_named(centre, fetcher):
    data, url = put(centre)
    dead = f"https://127.0.0.1:{free_port()}/b.tar.age"
    missing = url.replace("b.tar.age", "none")
    found = fetcher().fetch([dead, missing, url])
    assert found.path.read_bytes() == data and [f.number for f in found.failed] == [1, 2]
    with pytest.raises(DownloadError) as error:
        fetcher(rounds=2).fetch([dead, missing, missing + "2"])
    first, *others = error.value.failed
    assert "refused" in first.why.lower()
    host = f"127.0.0.1:{centre[1]}"
    assert others == [Failed(n, host, "HTTP 404 Not Found") for n in (2, 3)], "one host, two"


def test_an_address_that_is_none_keeps_nobody_from_the_others_and_no_login_is_told(centre, fetcher):
    data, url = put(centre)
    odd = ["https://lane:geheim@[x/b", "https://lane:geheim@/b"]
    dead = f"https://lane:geheim@127.0.0.1:{free_port()}/geheim?token=geheim"
    found = fetcher().fetch([*odd, dead, url])
    assert found.path.read_bytes() == data
    assert [f.host for f in found.failed[:2]] == ["?", "?"]
    with pytest.raises(DownloadError) as error:
        fetcher(rounds=1).fetch([*odd, dead])
    assert "geheim" not in str(error.value) and len(error.value.failed) == 3


def test_a_proxy_that_fails_is_said_to_be_the_proxy(centre, fetcher, access):
    _, url = put(centre)
    through = replace(access, proxy=f"http://lane:geheim@127.0.0.1:{free_port()}")
    with pytest.raises(DownloadError, match=r"proxy: .*refused") as error:
        fetcher(access=through, rounds=1).fetch([url])
    assert "geheim" not in str(error.value)
    for odd in ("http://lane:geheim@[x", "socks9://lane:geheim@host", "lane:geheim@host:1"):
        with pytest.raises(OSError, match="must be an address") as refused:
            https_pool(replace(access, proxy=odd))
        assert "geheim" not in str(refused.value)


def test_who_has_no_certificate_gets_nothing(centre, fetcher, access):
    _, url = put(centre)
    stranger = Access(access.ca_file)
    with pytest.raises(DownloadError) as error:
        fetcher(access=stranger, rounds=1).fetch([url])
    assert "HTTP 400" in str(error.value) or "certificate" in str(error.value)


def test_a_server_that_nobody_vouches_for_gets_nothing(centre, fetcher, access):
    _, url = put(centre)
    trusting = Access(None, access.client_certificate, access.client_key)
    with pytest.raises(DownloadError, match="certificate"):
        fetcher(access=trusting, rounds=1).fetch([url])


def test_it_keeps_to_the_limit(centre, fetcher, access):
    """Counted on a clock of its own: what it waits for is what the limit asks for."""
    data, url = put(centre, 400_000)
    waited = []
    limited = Access(access.ca_file, access.client_certificate, access.client_key, "", 1000)
    fetcher(access=limited, sleep=waited.append, monotonic=lambda: sum(waited)).fetch([url])
    assert sum(waited) == pytest.approx(len(data) * 8 / 1_000_000, rel=0.01)


def test_damaged_notes_are_no_trap(centre, fetcher):
    data, url = put(centre)
    found = fetcher().fetch([url])
    for text in ("{", "[]", json.dumps({"etag": 1, "more": 2}), ""):
        found.path.with_name("b.tar.age.json").write_text(text)
        assert fetcher().fetch([url]).path.read_bytes() == data


def test_forgotten_it_is_fetched_whole(centre, fetcher):
    _, url = put(centre)
    fetcher().fetch([url])
    fetcher().forget()
    assert list((fetcher()._path.parent).iterdir()) == []
    assert fetcher().fetch([url]).new
