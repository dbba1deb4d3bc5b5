"""Every command from beginning to end, on pictures too small to show much."""

from importlib.util import find_spec

import PIL.Image
import pytest
from click.testing import CliRunner

import sirencodec
from benchmarks.cli import main
from benchmarks.measuring.pixels import tiny_picture
from benchmarks.reporting.sheet import ENLARGED, TILE, make_sheet
from benchmarks.smoke import run_smoke
from sirencodec.entropy.matrices import read_matrices
from sirencodec.entropy.prior import prior_shapes
from sirencodec.fitting.pyramid.settings import PyramidSettings
from sirencodec.fitting.pyramid.start import TRAINED_ARCHITECTURE
from tests.benchmarks.runs import needs_bjontegaard

pytestmark = pytest.mark.slow


@needs_bjontegaard
@pytest.mark.skipif(find_spec("imagecodecs") is None, reason="needs the extra 'bench'")
@pytest.mark.timeout(900)  # 70 processes; four minutes on a busy machine
def test_every_command_runs_and_verifies():
    run_smoke()


def test_on_the_sheet_no_rival_has_more_bytes_than_ours(tmp_path):
    pixels = tiny_picture(192, 128)
    original, file, output = (tmp_path / name for name in ("a.png", "a.siren", "sheet.png"))
    PIL.Image.fromarray(pixels).save(original)
    file.write_bytes(sirencodec.encode(pixels, bpp=1.0, effort=0, profile="pure"))
    rivals = ("jpeg-420", "webp")
    lines = make_sheet(original, file, output, rivals)
    sizes = [int(line.split(": ")[1].split(" bytes")[0].replace(",", "")) for line in lines]
    assert sizes[0] == file.stat().st_size
    assert all(0.8 * sizes[0] < size <= sizes[0] for size in sizes[1:])
    with PIL.Image.open(output) as sheet:
        assert sheet.width > (2 + len(rivals)) * TILE * ENLARGED


@pytest.mark.parametrize("options", [(), ("--continue",)], ids=["from-nothing", "continued"])
def test_training_writes_what_the_package_could_ship(tmp_path, options):
    photographs = tmp_path / "photographs"
    photographs.mkdir()
    for seed in range(2):
        PIL.Image.fromarray(tiny_picture(80, 72, seed)).save(photographs / f"{seed}.png")
    prior, network = tmp_path / "prior.bin", tmp_path / "network.bin"
    files = ["--dataset", photographs, "--prior", prior, "--network", network]
    amount = ["--crops", "2", "--side", "64", "--steps", "2,2,3", *options]
    result = CliRunner().invoke(main, ["train-prior", *map(str, files), *amount])
    assert result.exit_code == 0, result.output
    shapes = TRAINED_ARCHITECTURE.layer_shapes + TRAINED_ARCHITECTURE.kernel_shapes
    for path, expected in ((prior, prior_shapes(PyramidSettings().plan.prior)), (network, shapes)):
        levels = read_matrices(path.read_bytes(), expected).levels
        assert all(matrix.any() for matrix in levels)
