"""What libosdp does when it is left to itself, which is why panel.py does not leave it so."""

from __future__ import annotations

import time

import osdp_sys
import pytest
from osdp import Command, LibFlag, PDInfo

from drivers import link
from drivers.turnstile.board import ROLE
from drivers.turnstile.osdp import panel
from drivers.turnstile.osdp.line import Line

KEY = bytes(range(16))
OUTPUT = {"command": Command.Output, "output_no": 0, "control_code": panel.TEMPORARY_ON,
          "timer_count": 1}  # fmt: skip


def turn(library, line, until, bound_s):
    end_s = time.monotonic() + bound_s
    while not until() and time.monotonic() < end_s:
        library.refresh()
        line.wait(0.005)
    return until()


@pytest.fixture
def library(make_twin):
    """libosdp's panel on the twin's line, with leave to send as often as it likes."""
    lines = []

    def make(key):
        twin = make_twin(key=key)
        line = Line(link.open_serial(ROLE, twin.port, 115200))
        lines.append(line)
        line.tickets = 100
        flags = [LibFlag.EnforceSecure] if key else []
        osdp_sys.set_loglevel(osdp_sys.LOG_EMERG)
        made = osdp_sys.ControlPanel([PDInfo(0, line, key, name="board", flags=flags).get()])
        assert turn(made, line, lambda: made.status() & 1, 2.0)
        return twin, line, made

    yield make
    for line in lines:
        line.close()


def test_in_the_clear_a_lost_answer_pulls_the_relay_twice(library):
    twin, line, panel_ = library(None)
    twin.lose_out = True
    assert panel_.submit_command(0, OUTPUT)
    assert turn(panel_, line, lambda: twin.unlock_writes == 2, 2.5)
    assert line.outputs_sent == 2


def test_in_the_secure_channel_it_is_sent_twice_and_pulls_once(library):
    twin, line, panel_ = library(KEY)
    twin.lose_out = True
    assert panel_.submit_command(0, OUTPUT)
    assert turn(panel_, line, lambda: line.outputs_sent == 2, 2.5)
    turn(panel_, line, lambda: not panel_.status() & 1, 0.5)
    assert twin.unlock_writes == 1


def test_the_line_lets_each_output_command_out_once(library):
    twin, line, panel_ = library(KEY)
    twin.lose_out = True
    line.tickets = 1
    assert panel_.submit_command(0, OUTPUT)
    assert turn(panel_, line, lambda: not panel_.status() & 1, 2.5)  # it goes off line instead
    assert (line.outputs_sent, twin.unlock_writes) == (1, 1)
