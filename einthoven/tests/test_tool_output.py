import pytest

from einthoven.tool_output import first_error

COMPILER = """\
Processing host (platform: symlink://platforms/bare; board: bare_host)
Compiling .pio/build/host/src/app/main.o
In file included from app/main.c:3:
app/ein_app.h:7:10: fatal error: ein_nothing.h: No such file or directory
    7 | #include "ein_nothing.h"
compilation terminated.
*** [.pio/build/host/src/app/main.o] Error 1
"""
LINKER = """\
/usr/bin/ld: .pio/build/host/src/app/main.o: in function `main':
app/main.c:9: undefined reference to `ein_app_run'
collect2: error: ld returned 1 exit status
*** [.pio/build/host/program] Error 1
"""
PATH = """\
/usr/bin/ld: cannot find b/program.map: No such file or directory
collect2: error: ld returned 1 exit status
"""


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        (COMPILER, "app/ein_app.h:7:10: fatal error: ein_nothing.h: No such file or directory"),
        (LINKER, "app/main.c:9: undefined reference to `ein_app_run'"),
        (PATH, "/usr/bin/ld: cannot find b/program.map: No such file or directory"),
        ("first\n  last\n\n", "last"),
        ("collect2: error: ld returned\nlast", "collect2: error: ld returned"),
        ("", "no message"),
    ],
)
def test_the_line_that_names_the_cause(text: str, cause: str) -> None:
    assert first_error(text) == cause
    assert first_error("", text) == cause
