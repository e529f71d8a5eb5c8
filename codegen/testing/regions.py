"""The generated tables of docs/engine.md, between `<!-- begin name -->` and `<!-- end name -->`."""

from einthoven.paths import ROOT

PAGE = ROOT / "docs" / "engine.md"


def region(name: str) -> str:
    """What stands between the marks of `name` now."""
    return _split(name)[1]


def write_region(name: str, text: str) -> None:
    """Put `text` there."""
    before, _, after = _split(name)
    PAGE.write_text(f"{before}{text}{after}", encoding="utf-8")


def _split(name: str) -> tuple[str, str, str]:
    before, begin, rest = PAGE.read_text(encoding="utf-8").partition(f"<!-- begin {name} -->\n")
    inside, end, after = rest.partition(f"\n<!-- end {name} -->")
    assert begin and end, f"{PAGE.name} has no region {name}"
    return before + begin, inside, end + after
