"""Profile that was asked for and size of the file -> the profile to fit."""

from sirencodec.fitting.pyramid.plan_settings import PlanSettings


def choose_profile(profile: str, foreseen_bytes: int, settings: PlanSettings) -> str:
    """Profile that was asked for and size of the file -> "pure" or "pyramid".

    Args:
        profile: "pure", "pyramid", or "auto", for which the size of the file decides.
        foreseen_bytes: that the file will have, about.
        settings: say from where a pyramid pays.
    """
    if profile != "auto":
        return profile
    return "pyramid" if foreseen_bytes >= settings.smallest_bytes else "pure"
