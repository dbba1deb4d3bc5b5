from benchmarks.measuring.serving import TILE, ZOOMS, tile_paths
from sirencodec.serve.iiif import SizeLimits, parse_image_request, plan_image


def test_tiles_cover_every_level_once() -> None:
    limits = SizeLimits(TILE, TILE**2)
    covered = 0
    for path in tile_paths(301, 203):
        request = parse_image_request(*path.split("/")[3:])
        plan = plan_image(request, 301, 203, limits, is_colour=True)
        covered += plan.crop[2] * plan.crop[3]
    assert covered == len(ZOOMS) * 301 * 203
