"""Timings: ours and Pillow's in turn, after a warm-up, each once."""

import PIL.Image

from benchmarks.measuring import speed
from benchmarks.measuring.codecs import CODECS
from benchmarks.measuring.pixels import tiny_picture
from benchmarks.measuring.results import RunStore


def test_ours_and_pillow_are_timed_in_turn_after_a_warm_up_and_never_twice(tmp_path, monkeypatch):
    PIL.Image.fromarray(tiny_picture()).save(tmp_path / "waves.png")
    asked = []

    def time_here(tasks, threads, repeats, warm_up=()):
        asked.append((tasks, repeats, warm_up))
        return {"seconds": [[0.5, 0.1, 0.3]] * len(tasks), "peak_bytes": 1}

    monkeypatch.setattr("benchmarks.measuring.speed.time_tasks", time_here)
    monkeypatch.setattr("benchmarks.measuring.timing.time_tasks", time_here)
    monkeypatch.setattr("benchmarks.measuring.speed._starts", lambda *arguments: iter(()))
    monkeypatch.setattr(
        "benchmarks.measuring.speed._siren_file", lambda *arguments: tmp_path / "none.siren"
    )
    plan = speed.Plan(tmp_path / "waves.png", (16, 32), (64, 128), (1, 0), 2, (1,), ("cpu",), 5, 3)
    with RunStore(tmp_path / "speed.json", "speed") as store:
        store.start_session({}, {})
        speed.measure_speed(plan, store, lambda point: None)
        floor = 1 + len([name for name in speed.FLOOR if CODECS[name].is_available])
        # Both tunes of ours are encoded, at the other effort and both sizes, too.
        assert len(store.points) == 4 * floor + 2 + 4
        rounds = [request for request in asked if request[1] > 1]
        assert [len(tasks) for tasks, _, _ in rounds] == [floor] * 2 + [floor + 1] * 4
        assert all(len(warm_up) == floor for _, _, warm_up in rounds)
        for point in store.points.values():
            assert (point["median_s"], point["fastest_s"], point["slowest_s"]) == (0.3, 0.1, 0.5)
        asked.clear()
        speed.measure_speed(plan, store, lambda point: None)
        assert not asked
        lost = ("decode", "webp", None, 128, 1, "cpu")  # a run that was cut off before this one
        del store.points[lost]
        speed.measure_speed(plan, store, lambda point: None)
        assert lost in store.points
