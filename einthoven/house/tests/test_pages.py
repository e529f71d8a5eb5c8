"""Whatever a page names is there: links, paths, tests, modules, commands and their options.

That a command does what its page says is another question: README's are run by
`einthoven/tests/test_readme.py`.
"""

import doctest
import os
import re
import subprocess
import sys
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import typer

from einthoven.cli import app
from einthoven.house import pages
from einthoven.house.drawing import PICTURE
from einthoven.paths import BOARDS, ROOT
from einthoven.records.synth import make_record

PLACEHOLDERS = {"BOARD", "NAME"}
MADE_BY_A_READER = {"name.csv", "x.csv"}
"""Files that a page lets its reader have; all others are ours, or our code names them."""


def _missing(found: list[str]) -> None:
    assert found == [], "\n" + "\n".join(found)


def test_there_are_pages_with_links_paths_and_commands() -> None:
    assert len(pages.pages()) > 30
    assert min(len(pages.links()), len(pages.paths()), len(pages.commands("einthoven"))) > 100


def test_the_examples_of_the_reader_hold() -> None:
    assert doctest.testmod(pages) == doctest.TestResults(failed=0, attempted=1)


@pytest.mark.parametrize("page", pages.pages())
def test_every_link_leads_somewhere(page: str) -> None:
    wrong = []
    for link in pages.named(page):
        if link.kind == "link" and "://" not in link.text:
            name, _, anchor = link.text.partition("#")
            target = (ROOT / page).parent / name if name else ROOT / page
            if not target.exists() or (anchor and anchor not in pages.anchors(target)):
                wrong.append(str(link))
    _missing(wrong)


def test_every_section_that_a_page_sends_to_is_there() -> None:
    wrong = []
    for page in pages.pages():
        text = (ROOT / page).read_text(encoding="utf-8")
        for name, title in re.findall(r"([\w-]+\.md)`?\]?(?:\([^)]*\))?,\s+\"([^\"]+)\"", text):
            heads = {h for p in pages.pages() if Path(p).name == name for h in _heads(p)}
            if not any(head.startswith(" ".join(title.split()).lower()) for head in heads):
                wrong.append(f'{page}: {name}, "{title}"')
    _missing(wrong)


def _heads(page: str) -> set[str]:
    text = (ROOT / page).read_text(encoding="utf-8")
    return {head.strip().lower() for head in re.findall(r"^#+ (.*)", text, flags=re.MULTILINE)}


def test_every_path_exists() -> None:
    _missing([str(p) for p in pages.paths() if not all(map(_there, pages.as_patterns(p.text)))])


def _there(pattern: str) -> bool:
    """Also a module of C by its name, which is two files."""
    return any(ROOT.glob(pattern)) or any(ROOT.glob(f"{pattern}.[ch]"))


def test_every_file_that_is_named_without_its_folder_exists() -> None:
    """A file of ours by its name, or one whose name our code has: what it makes or reads."""
    kinds = "py|c|h|toml|json|ts|j2|sh|ini|csv|html|txt|css|js|ld|S|tflite|sha256"
    ours = {Path(name).name for name in pages.tracked()}
    wrong = []
    for piece in pages.code():
        if piece.kind == "span" and re.fullmatch(rf"[\w.*-]+\.({kinds})", piece.text):
            pattern = re.escape(piece.text).replace(r"\*", r"[\w.-]*")
            known = piece.text in pages.everything() or piece.text in MADE_BY_A_READER
            if not known and not any(re.fullmatch(pattern, name) for name in ours):
                wrong.append(str(piece))
    _missing(wrong)


def test_every_test_exists() -> None:
    """`test_NAME`, with or without a file's end: a file, a folder, or a name in our code."""
    wrong = []
    for piece in pages.code():
        for name in re.findall(r"\btest_\w+", piece.text):
            if name not in _names():
                wrong.append(str(piece))
    _missing(wrong)


def test_every_name_of_our_code_is_in_it() -> None:
    """`ein_…` and `EIN…_…`: modules, functions, constants, variables of the environment."""
    wrong = []
    for piece in pages.code():
        ours = piece.kind == "span" and re.fullmatch(r"((?:ein|EIN)\w*_\w+)(?:\(\))?", piece.text)
        if ours and ours[1] not in _names():
            wrong.append(str(piece))
    _missing(wrong)


@cache
def _names() -> set[str]:
    """Every word of our code, and of its files and folders without their ends."""
    words = set(re.findall(r"\w+", pages.everything()))
    return words | {Path(part).stem for name in pages.tracked() for part in Path(name).parts}


def test_declarations_of_c_are_those_of_the_headers() -> None:
    headers = [ROOT / n for n in pages.tracked() if n.startswith("firmware/") and n.endswith(".h")]
    ours = _plain_c("\n".join(_text(header) for header in headers))
    declared = [
        (page, declaration)
        for page in pages.pages()
        for block in re.findall(r"```c\n(.*?)```", _text(ROOT / page), re.DOTALL)
        for declaration in re.findall(r"\w[\w *]*\bein_\w+\([^()]*\);", _plain_c(block))
    ]
    assert len(declared) > 5
    _missing(
        [f"{page}: {declaration}" for page, declaration in declared if declaration not in ours]
    )


def _plain_c(text: str) -> str:
    """Without comments and macros, one blank between words."""
    bare = re.sub(r"/\*.*?\*/", " ", text, flags=re.DOTALL)
    return " ".join(re.sub(r"^#.*", " ", bare, flags=re.MULTILINE).split())


def test_what_pytest_is_given_exists() -> None:
    wrong = []
    for piece, words in pages.commands("pytest"):
        after = dict(pairwise(words))
        where = [w for w in words if "/" in w and "://" not in w and not w.startswith(("/", "-"))]
        there = all(_there(w.partition("::")[0]) for w in where)
        texts = "".join(f.read_text() for w in where for f in _test_files(w))
        chosen = "-k" not in after or after["-k"] in texts
        if not there or not chosen:
            wrong.append(str(piece))
    _missing(wrong)


def _test_files(where: str) -> list[Path]:
    place = ROOT / where.partition("::")[0]
    return [place] if place.is_file() else sorted(place.rglob("test_*.py"))


def test_every_board_that_a_command_is_given_exists() -> None:
    wrong = []
    for piece in pages.code():
        for name in re.findall(r"--board[ =]([A-Za-z]\w*)", piece.text):
            if name not in PLACEHOLDERS and not (BOARDS / name).is_dir():
                wrong.append(str(piece))
    _missing(wrong)


def test_make_has_every_target_and_variable() -> None:
    text = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):", text, flags=re.MULTILINE))
    variables = set(re.findall(r"\$[({](?:if \$\()?([A-Z]+)\)", text))
    wrong = []
    for piece, words in pages.commands("make"):
        for word in words:
            name, equals, _ = word.partition("=")
            if name not in (variables if equals else targets) and not name.startswith("-"):
                wrong.append(f"{piece}: {name}")
    _missing(wrong)


def test_every_module_can_be_run_and_knows_its_options() -> None:
    wrong = []
    for piece, words in pages.commands("python -m"):
        if not words or not words[0].startswith("einthoven."):
            continue
        file = pages.module_file(words[0])
        if file is None:
            wrong.append(f"{piece}: nothing to run")
            continue
        known = pages.module_words(file)
        for n, word in enumerate(words[1:]):
            option = word.split("=")[0]
            subcommand = n == 0 and re.fullmatch("[a-z]+", word) and "add_subparsers" in _text(file)
            if (option.startswith("--") or subcommand) and option not in known:
                wrong.append(f"{piece}: {word}")
    _missing(wrong)


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8")


def test_every_module_that_code_and_scripts_tell_to_run_can_be_run() -> None:
    """Docstrings, messages and the Makefile say `python -m`, too."""
    told = set(re.findall(r"python -m (einthoven(?:\.\w+)+)(?!\.…|\w)", pages.everything()))
    assert len(told) > 20
    _missing(sorted(name for name in told if pages.module_file(name) is None))


def test_every_module_that_can_be_run_has_a_help() -> None:
    """One that reads no command line would begin its work for `--help`, and write its files."""
    told = {words[0] for _, words in pages.commands("python -m") if words}
    told |= set(re.findall(r"python -m (einthoven(?:\.\w+)+)(?!\.…|\w)", pages.everything()))
    told -= {"einthoven.fleet.testing.stm32loader_on_pty"}  # hands its words to stm32loader
    files = {name: pages.module_file(name) for name in told if name.startswith("einthoven.")}
    reads = ("ArgumentParser(", "no_arguments(__doc__)")
    _missing(sorted(n for n, f in files.items() if f and not any(r in _text(f) for r in reads)))


@pytest.mark.parametrize(("word", "code"), [("--help", 0), ("-h", 0), ("bogus", 2)])
def test_a_module_that_takes_nothing_says_what_it_does(word: str, code: int) -> None:
    before = PICTURE.stat().st_mtime_ns
    done = subprocess.run(
        [sys.executable, "-m", "einthoven.house.drawing", word],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stderr
    assert "usage: python -m einthoven.house.drawing" in (done.stdout or done.stderr)
    assert PICTURE.stat().st_mtime_ns == before


def test_every_name_of_our_python_is_there() -> None:
    """At the top of the module that a page says, not imported there by chance."""
    assert len(pages.python_names()) > 5
    _missing([f"{piece}" for piece, name in pages.python_names() if not pages.is_python_name(name)])


def test_a_name_that_moved_is_found() -> None:
    there = "einthoven.records.database.record_names"
    assert pages.is_python_name(there) and pages.is_python_name("einthoven.wire.codec")
    assert not pages.is_python_name("einthoven.records.record.record_names")
    assert not pages.is_python_name("einthoven.wire.encode")


def test_the_pages_scripts_run(tmp_path: Path) -> None:
    """On two short records in place of MIT-BIH: bytes a sample, on the line."""
    for n in (1, 2):
        make_record(n, 20.0).write(tmp_path / "mitdb", f"10{n}")
    (page, script) = pages.scripts()[0]
    assert page == "docs/wire.md" and len(pages.scripts()) == 1
    done = subprocess.run(
        [sys.executable, "-"],
        input=script,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT), "EINTHOVEN_DATA": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    rows = [line.split() for line in done.stdout.splitlines()]
    assert [name for name, _ in rows] == ["101", "102"]
    assert all(0.5 < float(figure) < 1.0 for _, figure in rows)


ROOT_COMMAND: Any = typer.main.get_command(app)


def _refused(words: list[str]) -> str | None:
    """Why `einthoven` does not know these words, or None. Values are not looked at."""
    command, words = ROOT_COMMAND, list(words)
    while words and hasattr(command, "commands"):
        if words[0] not in command.commands:
            return f"no command {words[0]}"
        command = command.commands[words.pop(0)]
    if hasattr(command, "commands"):
        return None  # a group alone: shows its help
    for option in [w for w in words if w.startswith("--")]:
        known = {o: p for p in command.params for o in (*p.opts, *p.secondary_opts)}
        if option.split("=")[0] not in known and option != "--help":
            return f"no option {option}"
    return None


def _plain(words: list[str]) -> list[str]:
    """Without what is no word of a command: of a group in a sentence, its first word is enough."""
    return [w for w in words if re.match(r"[\w./@<*-]", w)]


def test_every_command_of_einthoven_exists_with_its_options() -> None:
    found = pages.commands("einthoven")
    said = [(piece, _refused(_plain(words))) for piece, words in found]
    _missing([f"{piece}: {why}" for piece, why in said if why])


def test_every_command_that_a_message_tells_exists_with_its_options() -> None:
    told = pages.told_commands()
    assert len(told) > 30
    # A command that is filled in, too, is known when it is told.
    said = [(place, words, _refused(words)) for place, words in told if words[0] != "x"]
    _missing([f"{place}: einthoven {' '.join(w)}: {why}" for place, w, why in said if why])


@pytest.mark.parametrize(
    "words", [["analyse"], ["replay", "--boards-dir", "x"], ["log", "write"], ["keys", "--to", "x"]]
)
def test_a_command_that_does_not_exist_is_found(words: list[str]) -> None:
    assert _refused(words)


def test_an_option_that_stands_alone_is_one_of_ours() -> None:
    known = {f'"{o}"' for c in _all_commands(ROOT_COMMAND) for p in c.params for o in p.opts}
    wrong = []
    for piece in pages.code():
        if piece.kind == "span" and (alone := re.match(r"--[a-z][\w-]*(?= |$)", piece.text)):
            quoted = f'"{alone[0]}"'
            if quoted not in known and quoted not in pages.everything():
                wrong.append(str(piece))
    _missing(wrong)


def _all_commands(command: Any) -> list[Any]:
    below = getattr(command, "commands", {}).values()
    return [command, *(c for sub in below for c in _all_commands(sub))]


def test_every_command_is_on_some_page() -> None:
    said = [words for _, words in pages.commands("einthoven")]
    on_pages = {" ".join(words[:n]) for words in said for n in (1, 2)}
    wanted = []
    for name, command in ROOT_COMMAND.commands.items():
        below = getattr(command, "commands", None)
        wanted += [f"{name} {sub}" for sub in below] if below else [name]
    _missing([name for name in wanted if name not in on_pages])
