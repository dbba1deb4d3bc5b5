"""What pyproject.toml names for the build is what the package has."""

import tomllib

from tests.paths import PACKAGE, ROOT

SETUPTOOLS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"][
    "setuptools"
]


def test_every_c_file_is_named() -> None:
    """Or source archives lack it, and installing from them leaves the compiled loops out."""
    (module,) = SETUPTOOLS["ext-modules"]
    files = {path.relative_to(ROOT).as_posix() for path in (PACKAGE / "native").rglob("*.[ch]")}
    assert {*module["sources"], *module["depends"]} == files


def test_every_data_file_is_named() -> None:
    """Or wheels lack it; `web/` comes with all that it is built from."""
    named = {
        path for name in SETUPTOOLS["package-data"]["sirencodec"] for path in PACKAGE.glob(name)
    }
    code = {".py", ".pyc", ".c", ".h", ".so", ".pyd"}
    files = {
        path
        for path in PACKAGE.rglob("*")
        if path.is_file() and (path.suffix not in code or path.is_relative_to(PACKAGE / "web"))
    }
    assert named == {path for path in files if path.name != ".clang-format"}
