"""`einthoven new`: a project of the user's own, that takes firmware and engine as a library.

- `boards/<name>/`: the board's port, a copy of one of Einthoven's, to be changed;
- `platformio.ini` builds it, with `firmware/` as a library;
- `einthoven.ini` says where Einthoven is installed on this machine; not for version control;
- `recipes/quick.toml`: a training to start from.
"""

import configparser
import re
import shutil
from pathlib import Path

from einthoven.errors import BoardError, UsageError
from einthoven.paths import BOARDS, FIRMWARE, TRAINING

WHERE = "einthoven.ini"
_OPTIONS = ("board", "board_build.ldscript", "framework", "build_unflags", "build_src_flags")
"""Options of an environment, besides platform, flags and sources, that a copy keeps."""


def lay_out(folder: Path, name: str, like: str) -> list[Path]:
    """Write a project with the board `name`, a copy of Einthoven's board `like`; returns the files.

    Raises UsageError if `folder` is not empty or `name` is not a name that a new board can have,
    BoardError if there is no board `like`.
    """
    ours = sorted(path.parent.name for path in BOARDS.glob("*/board.toml"))
    if like not in ours:
        raise BoardError(f"no board '{like}' of Einthoven's: choose one of {', '.join(ours)}")
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,30}", name) or (BOARDS / name).exists():
        raise UsageError(
            f"'{name}' cannot be the new board's name: take small letters, digits and _, and none "
            "that Einthoven's boards have"
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is not empty: name a new folder")
    environment = _Environment(like, name)
    (folder / "recipes").mkdir(parents=True)
    _copy_board(folder / "boards" / name, name, like, environment.shared)
    shutil.copyfile(TRAINING / "recipes" / "quick.toml", folder / "recipes" / "quick.toml")
    (folder / "platformio.ini").write_text(environment.text())
    (folder / ".gitignore").write_text(f"{WHERE}\n.pio/\nruns/\n")
    say_where(folder, FIRMWARE)
    return sorted(path for path in folder.rglob("*") if path.is_file())


def say_where(project: Path, firmware: Path) -> None:
    """Write `einthoven.ini` for this machine, if the project includes one that says otherwise.

    `firmware`: the folder, where the tools of a build can read it.
    """
    text = (
        "; Where Einthoven is installed on this machine, written by `einthoven new` and `build`.\n"
        f"[einthoven]\nfirmware = {firmware}\n"
    )
    path = project / WHERE
    if WHERE in (project / "platformio.ini").read_text() and (
        not path.is_file() or path.read_text() != text
    ):
        path.write_text(text)


def _copy_board(target: Path, name: str, like: str, shared: list[str]) -> None:
    shutil.copytree(BOARDS / like, target)
    for folder in shared:
        shutil.copytree(BOARDS / folder, target / folder)
    own_name = re.compile(rf'^(?!mcu = )(.*)"{like}"', re.MULTILINE)
    for path in (p for p in target.iterdir() if p.is_file()):
        path.write_text(own_name.sub(rf'\1"{name}"', path.read_text()))
    about = target / "board.toml"
    for key, value in (
        ("title", f"{name}, laid out as a copy of {like}"),
        ("tested", f"no: a copy of {like}"),
        ("environment", name),
    ):
        text, n = re.subn(rf'^{key} = ".*"$', f'{key} = "{value}"', about.read_text(), flags=re.M)
        assert n == 1, key
        about.write_text(text)
    # What plays a file is an image of its own, which the project does not build.
    text = re.sub(r"\n\[play\].*\nimage = .*\n(?:.+\n)*", "", about.read_text())
    about.write_text(text)


class _Environment:
    """The environment `like` of firmware/platformio.ini, turned into one of a project."""

    def __init__(self, like: str, name: str) -> None:
        self._ini = configparser.ConfigParser(interpolation=None)
        self._ini.read_string((FIRMWARE / "platformio.ini").read_text())
        self._like, self._name = like, name
        sources = self._option("build_src_filter")
        self._flags = self._option("build_flags").split()
        named = re.findall(r"\.\./boards/(\w+)", " ".join([sources, *self._flags]))
        self.shared = sorted(set(named) - {like})
        """Folders of `boards/` that the board stands on."""
        self._shared_sources = re.findall(r"[+-]<\.\./boards/[^>]+>", sources)
        """What is compiled of these, which may be some files of a folder."""

    def text(self) -> str:
        platform = self._option("platform").replace(
            "//platforms/", "//${einthoven.firmware}/platforms/"
        )
        options = {key: self._moved(self._option(key)) for key in _OPTIONS}
        kept = "\n".join(f"{key} = {value}" for key, value in options.items() if value)
        flags = "\n    ".join(self._own_flags())
        own = f"boards/{self._name}/"
        without = (f"-<{own}{folder}/>" for folder in self.shared)
        sources = " ".join((f"+<{own}>", *without, *map(self._moved, self._shared_sources)))
        return f"""\
; {self._name}: its port is boards/{self._name}; Einthoven's firmware and engine are a library.
; {WHERE} says where it is installed: `einthoven build {self._name}` writes it anew.

[platformio]
src_dir = .
extra_configs = {WHERE}

[env:{self._name}]
platform = {platform}
{kept}
build_flags =
    {flags}
build_src_filter = -<*> {sources}
lib_deps = symlink://${{einthoven.firmware}}
lib_compat_mode = off
"""

    def _option(self, key: str) -> str:
        sections = [f"env:{self._like}"]
        for section in sections:
            if self._ini.has_option(section, key):
                return self._filled(self._ini.get(section, key)).strip()
            sections += self._ini.get(section, "extends", fallback="").split()
            if section == sections[-1] != "env":
                sections.append("env")
        return ""

    def _filled(self, value: str) -> str:
        def of(match: re.Match[str]) -> str:
            return self._filled(self._ini.get(match[1], match[2]))

        return re.sub(r"\$\{([\w:]+)\.(\w+)\}", of, value)

    def _moved(self, path: str) -> str:
        path = path.replace(f"../boards/{self._like}", f"boards/{self._name}")
        return path.replace("../boards/", f"boards/{self._name}/")

    def _own_flags(self) -> list[str]:
        """The flags, with folders as the project sees them, without those of the firmware's tests.

        A line each: PlatformIO parses each for itself.
        """
        kept: list[str] = []
        words = iter(self._flags)
        for word in words:
            if word == "-D":
                value = next(words)
                kept += [] if value.startswith("EIN_TEST_") else [f"-D {value}"]
            elif word == "-I":
                folder = next(words)
                if folder.startswith("../boards/"):
                    kept.append(f"-I {self._moved(folder)}")
                elif folder != "test":
                    kept.append(f'-I "${{einthoven.firmware}}/{folder}"')
            else:
                kept.append(word)
        return kept
