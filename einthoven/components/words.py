"""How figures are put into words, the same in the terminal and on every page."""


def percent(value: float | None, digits: int = 2) -> str:
    """A fraction as percent without the sign, `-` where it is not defined."""
    return "-" if value is None else f"{100 * value:.{digits}f}"


def count(value: float | None) -> str:
    """A whole number with thousands separated, `-` where there is none."""
    return "-" if value is None else f"{value:,.0f}"


def number(n: int, what: str) -> str:
    """`1 record`, `2,000 records`."""
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def clock(seconds: float) -> str:
    """A time in a record as m:ss.mmm."""
    ms = round(seconds * 1000)
    return f"{ms // 60000}:{ms // 1000 % 60:02d}.{ms % 1000:03d}"
