"""The check of the C side finds what it is there to find, and nothing in the repository."""

from pathlib import Path

import pytest

from einthoven.house.floors import Floor, check

FLOORS = (
    Floor("firmware/core"),
    Floor("firmware/app", below=("firmware/core",)),
    Floor("boards/one", below=("firmware/app/ein_port.h",), freestanding=False),
)
GOOD = {
    "firmware/core/ein_core.h": "int ein_core(void);",
    "firmware/core/ein_core.c": '#include "ein_core.h"\n#include <string.h>\n'
    'int ein_core(void) { return (int)strlen("a"); }',
    "firmware/app/ein_port.h": "int ein_port_read(void);",
    "firmware/app/ein_app.c": '#include "ein_core.h"\n#include "ein_port.h"\n'
    "int ein_app_step(void);\n"
    "int ein_app_step(void) { return ein_core() + ein_port_read(); }",
    "boards/one/port.c": '#include "ein_port.h"\n#include <stdio.h>\n'
    "int ein_port_read(void) { return getchar(); }",
    "boards/one/main.c": "int ein_app_step(void);\nint main(void) { return ein_app_step(); }",
}
"""A house in order."""


def tree(root: Path, **changed: str) -> Path:
    """The house with files changed, named with `__` for `/` and `_c` for `.c`."""
    files = dict(GOOD)
    for name, text in changed.items():
        path = name.replace("__", "/")
        files[f"{path[:-2]}.{path[-1]}"] = text
    for name, text in files.items():
        path_of = root / name
        path_of.parent.mkdir(parents=True, exist_ok=True)
        path_of.write_text(text + "\n")
    (root / "firmware" / "generated").mkdir(exist_ok=True)
    return root


def test_the_repository_is_in_order() -> None:
    assert check() == []


def test_a_house_in_order_has_no_faults(tmp_path: Path) -> None:
    assert check(tree(tmp_path), FLOORS) == []


@pytest.mark.parametrize(
    ("file", "text", "words"),
    [
        (
            "firmware__core__ein_core_c",
            '#include "ein_port.h"\nint ein_core(void) { return 1; }',
            "firmware/core/ein_core.c includes ein_port.h, which firmware/core may not know",
        ),
        (
            "firmware__core__ein_core_c",
            "int ein_port_read(void);\nint ein_core(void) { return ein_port_read(); }",
            "firmware/core/ein_core.c needs ein_port_read of boards/one",
        ),
        (
            "firmware__core__ein_core_c",
            "#include <stdlib.h>\nint ein_core(void) { return 1; }",
            "includes <stdlib.h>",
        ),
        (
            "firmware__core__ein_core_c",
            "void *malloc(unsigned long);\nint ein_core(void) { return malloc(9) != 0; }",
            "needs malloc, which nothing below it defines",
        ),
        (
            "firmware__core__ein_more_c",
            "int ein_core(void);\nint ein_more(void) { return ein_core(); }",
            "",
        ),
    ],
)
def test_an_arrow_that_runs_up_is_found(tmp_path: Path, file: str, text: str, words: str) -> None:
    # A declaration by hand needs its header on the include path to compile: it has none here.
    root = tree(tmp_path, **{file: text})
    if "ein_port.h" in text:
        (root / "firmware" / "generated" / "ein_port.h").write_text(GOOD["firmware/app/ein_port.h"])
    found = check(root, FLOORS)
    assert any(words in line for line in found) if words else found == []


def test_two_files_that_need_each_other_are_found(tmp_path: Path) -> None:
    root = tree(
        tmp_path,
        firmware__core__ein_core_c="int ein_more(void);\nint ein_core(void) { return ein_more(); }",
        firmware__core__ein_more_c="int ein_core(void);\nint ein_more(void) { return ein_core(); }",
    )
    [line] = check(root, FLOORS)
    assert line.startswith("firmware/core: ")
    assert "ein_core.c" in line and "ein_more.c" in line
