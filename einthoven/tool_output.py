"""What a tool that failed has to say: of all its lines the one that names the cause."""

import re

_CAUSE = re.compile(
    r"\berror: |\bError: |undefined reference to|multiple definition of|cannot find |"
    r"No such file or directory|not found|overflowed by|Permission denied|No space left"
)
_AFTERMATH = re.compile(
    # Said of a failure that an earlier line has explained.
    r"collect2: error: ld returned|\*\*\* |linker command failed|"
    r"compilation terminated|^scons: |^make(\[\d+\])?: |^=+ \["
)


def first_error(*texts: str) -> str:
    """The first line of `texts` that gives a cause; else the first that is about an error, else
    the last one. Never empty.
    """
    lines = [line.strip() for text in texts for line in text.splitlines() if line.strip()]
    causes = [s for s in lines if _CAUSE.search(s) and not _AFTERMATH.search(s)]
    about = [s for s in lines if "error" in s.lower()]
    return (causes or about or lines[-1:] or ["no message"])[0]
