"""Profile that was asked for, target and image size -> the profile to fit."""

from sirencodec.fitting.pyramid.settings import PlanSettings
from sirencodec.fitting.target import Target


def choose_profile(profile: str, target: Target, num_pixels: int, settings: PlanSettings) -> str:
    """Profile that was asked for, target and image size -> "pure" or "pyramid".

    Args:
        profile: "pure", "pyramid", or "auto", for which the size of image and file decide.
        target: said of the file.
        num_pixels: of the image.
        settings: say from where a pyramid pays.
    """
    if profile != "auto":
        return profile
    budget_bytes = target.budget_bytes
    suits = num_pixels >= settings.smallest_pixels and (
        budget_bytes is None or budget_bytes >= settings.smallest_bytes
    )
    return "pyramid" if suits else "pure"
