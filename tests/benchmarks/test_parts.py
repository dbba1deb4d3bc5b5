from click.testing import CliRunner

from benchmarks.cli import main
from benchmarks.measuring.parts import measure_cuts
from tests.paths import VALID

FILE = VALID / "1-tiles-shared.siren"


def test_a_cut_is_worth_what_is_left() -> None:
    none, some, more, all_ = measure_cuts(FILE.read_bytes(), (0.001, 0.5, 0.9, 1.0))
    assert none.psnr_db is None
    assert some.psnr_db is not None
    assert more.psnr_db is not None
    assert all_.psnr_db is not None
    assert some.psnr_db < more.psnr_db < all_.psnr_db
    assert 0 == none.segments < some.segments < more.segments < all_.segments


def test_the_command_makes_two_tables() -> None:
    done = CliRunner().invoke(main, ["parts", "--file", str(FILE), "--repeats", "1"])
    assert done.exit_code == 0, done.output
    assert done.output.count("| 100% |") == 1
    assert done.output.count("160 wide") == 2
