from __future__ import annotations

import pytest

from sirencodec.serve.turns import Turns, client_of


def test_clients_take_turns() -> None:
    turns: Turns[str] = Turns()
    for piece in ("a1", "a2", "a3", "b1", "c1", "c2"):
        turns.add(piece[0], piece)
    assert [turns.take() for _ in range(len(turns))] == ["a1", "b1", "c1", "a2", "c2", "a3"]
    assert not turns


def test_who_has_most_is_sent_away() -> None:
    turns: Turns[str] = Turns()
    for piece in ("a1", "b1", "b2", "b3", "a2"):
        turns.add(piece[0], piece)
    assert [turns.send_away() for _ in range(2)] == ["b3", "a2"]
    assert [turns.take() for _ in range(len(turns))] == ["a1", "b1", "b2"]


@pytest.mark.parametrize(
    ("hosts", "are_one"),
    [
        (("127.0.0.1", "127.0.0.1"), True),
        (("127.0.0.1", "127.0.0.2"), False),
        (("2001:db8::1", "2001:db8::ffff:1"), True),
        (("2001:db8::1", "2001:db8:0:1::1"), False),
        ((None, "testclient"), True),
    ],
)
def test_clients_are_told_apart(hosts: tuple[str | None, str | None], are_one: bool) -> None:
    assert (client_of(hosts[0]) == client_of(hosts[1])) is are_one
