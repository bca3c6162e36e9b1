"""A stage of the demonstration: liveness, real screen process, signature by its robot's hand."""

from __future__ import annotations

import json

from kiosk.demo.director import Director, stages


def test_the_lane_by_face_alone(tmp_path, photos):
    stage = next(s for s in stages() if s.claim == "face")
    director = Director(tmp_path, photos, language="zh", windowed=False, pace=0.4)
    assert director.run([stage]) == 0, [(r.part.key, r.reason, r.problem) for r in stage.results]
    shots = sorted(p.name for p in (tmp_path / "face" / "screens").iterdir())
    for step in ("face", "claim-typed", "finger", "sign", "gate", "welcome", "refused"):
        assert any(step in name for name in shots), f"no screenshot of {step}: {shots}"
    assert stage.journal is not None and stage.report is not None
    kinds = [json.loads(line)["kind"] for line in stage.journal.read_text().splitlines()]
    assert kinds.count("admitted") == 2
    assert kinds.count("claim_typed") == 1
    assert kinds.count("refused") == 2
    assert "王小明" not in stage.report.read_text()
    admitted = stage.results[0]
    assert admitted.timing_ms["total"] > 0
    assert admitted.timing_ms.keys() == {
        "finger", "signature_stored", "seat_committed", "unlock", "total"
    }  # fmt: skip
