"""Writes docs/states.md from the transition table: `python -m kiosk.core.states_doc`.

Only text; the table itself is in flow.py.
"""

from __future__ import annotations

from itertools import groupby

from kiosk.core.codes import State
from kiosk.core.flow import TABLE

HEADER = """# A candidate's way: states and events

Generated from the table in `kiosk/core/flow.py` by `python -m kiosk.core.states_doc`; a test
fails when it is stale. An event that is not listed for a state is an error and changes nothing.
"""


def render() -> str:
    """The whole page, with a Mermaid diagram and one table a state."""
    rows = [
        (state, event.__name__, rule.targets, rule.says) for (state, event), rule in TABLE.items()
    ]
    order = list(State)
    rows.sort(key=lambda row: (order.index(row[0]), row[1]))
    lines = [HEADER, "```mermaid", "stateDiagram-v2", "    [*] --> closed"]
    for state, event, targets, _ in rows:
        lines += [f"    {state} --> {t}: {event}" for t in targets if t is not state]
    lines.append("```")
    for state, group in groupby(rows, key=lambda row: row[0]):
        lines += ["", f"## {state}", "", "| event | leads to | |", "|---|---|---|"]
        for _, event, targets, says in group:
            lines.append(f"| {event} | {', '.join(dict.fromkeys(targets))} | {says} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(render(), end="")
