"""What the pages name: links, code, commands. Read as Markdown, so that a table is a table.

A page is a tracked `.md` file. Its code is either a span in a sentence or a line of a block; its
commands are those of them that a shell would be given, without what a page writes around them:
`[--option VALUE]`, `…`, a comment.
"""

import ast
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from markdown_it import MarkdownIt

from einthoven.paths import ROOT

_HISTORY = "CHANGELOG.md"
"""Tells what was, under the names of its day: only its links must hold."""

_MARKDOWN = MarkdownIt("commonmark").enable("table")
_PLACEHOLDER = r"<\w+>|(?<![\w*])[A-Z]+(?![\w.]*[a-z]|\w)"
_DEFINITE_PATH = re.compile(r"(?:\.\.?/)?[\w.{},*<>-]+(?:/[\w.{},*<>-]*)+")


@dataclass(frozen=True)
class Named:
    """A piece of a page.

    `kind` is "link", "span" (code in a sentence) or "line" (of a block of code); `line` counts
    from 1, where its paragraph or row begins.
    """

    page: str
    line: int
    kind: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}: {self.text}"


@cache
def tracked() -> tuple[str, ...]:
    """Every file under version control, or new and not ignored, relative to the checkout."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    return tuple(sorted(name for name in listed if (ROOT / name).is_file()))


def pages() -> list[str]:
    """The tracked pages, relative to the checkout."""
    return [name for name in tracked() if name.endswith(".md")]


@cache
def named(page: str) -> tuple[Named, ...]:
    """All links and code of a page, in its order."""
    return tuple(_pieces(page, (ROOT / page).read_text(encoding="utf-8")))


def _pieces(page: str, text: str) -> Iterator[Named]:
    for token in _MARKDOWN.parse(text):
        first = token.map[0] + 1 if token.map else 1
        if token.type in ("fence", "code_block"):
            above = token.type == "fence"
            for n, line in enumerate(token.content.splitlines()):
                yield Named(page, first + above + n, "line", line)
        for child in token.children or ():
            if child.type == "code_inline":
                yield Named(page, first, "span", " ".join(child.content.split()))
            elif child.type in ("link_open", "image"):
                target = child.attrs["href" if child.type == "link_open" else "src"]
                yield Named(page, first, "link", str(target))


def links() -> list[Named]:
    """Links within the repository, of every page."""
    return [n for p in pages() for n in named(p) if n.kind == "link" and "://" not in n.text]


def code() -> list[Named]:
    """All code of the pages that speak of what is."""
    return [n for p in pages() if p != _HISTORY for n in named(p) if n.kind != "link"]


def anchors(page: Path) -> set[str]:
    """What `#…` may name in a page: its headings as GitHub writes them in an address."""
    tokens = _MARKDOWN.parse(page.read_text(encoding="utf-8"))
    heads = [tokens[n + 1].content for n, t in enumerate(tokens) if t.type == "heading_open"]
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def commands(program: str) -> list[tuple[Named, list[str]]]:
    """The words after `program`, wherever a page begins a command with it.

    What a page writes for its readers is taken away: brackets around what may be left out, the
    ellipsis behind it, a comment behind `#`, or behind two blanks in a block.
    """
    found = []
    for piece in code():
        for part in re.split(r"&&|\||\$\(|\s#\s", piece.text):
            start = re.match(rf"\s*(?:\w+=\S+ )*(?:\.venv/bin/)?{program}(?=\s|$)(.*)", part)
            if start:
                text = re.sub(r"\S\s{2,}.*", lambda m: m[0][0], start[1].strip())
                found.append((piece, re.sub(r"[][…()]", " ", text).split()))
    return found


def as_patterns(path: str) -> list[str]:
    """The globs of a path with placeholders: `boards/NAME/{a,b}.c`, `<name>`, `*`.

    >>> as_patterns("boards/NAME/board.toml"), as_patterns("a/{b,c}.h")
    (['boards/*/board.toml'], ['a/b.h', 'a/c.h'])
    """
    path = re.sub(_PLACEHOLDER, "*", path.rstrip("/"))
    either = re.search(r"\{(.*?)\}", path)
    if not either:
        return [path]
    return [path.replace(either[0], choice) for choice in either[1].split(",")]


def paths() -> list[Named]:
    """Spans that are a path which begins at a folder of the repository's top."""
    tops = {name.split("/")[0] for name in tracked() if "/" in name}
    return [
        piece
        for piece in code()
        if piece.kind == "span"
        and _DEFINITE_PATH.fullmatch(piece.text)
        and piece.text.split("/")[0] in tops
    ]


def module_file(module: str) -> Path | None:
    """The file that `python -m MODULE` runs, or None."""
    place = ROOT.joinpath(*module.split("."))
    for file in (place.with_suffix(".py"), place / "__main__.py"):
        if file.is_file() and ("__main__" in file.name or '__name__ == "__main__"' in _read(file)):
            return file
    return None


def python_names() -> list[tuple[Named, str]]:
    """Dotted names of our Python that pages use: `einthoven.a.b`, and what their code imports."""
    found = []
    for piece in code():
        text = re.sub(r"python -m einthoven[\w.]*", "", piece.text)
        imported = re.match(r"from (einthoven[\w.]*) import ([\w, ]+)$", text)
        if imported:
            found += [(piece, f"{imported[1]}.{n.strip()}") for n in imported[2].split(",")]
        else:
            file = r"(?!\.(?:ini|html)\b)"
            dotted = re.findall(rf"(?<![\w./])einthoven{file}(?:\.[A-Za-z_]\w*)+(?![\w/])", text)
            found += [(piece, name) for name in dotted]
    return found


def is_python_name(name: str) -> bool:
    """Whether `einthoven.a.b` is a module, or `b` is what the module `einthoven.a` has at its top.

    Read and not imported, as in `module_words`.
    """
    place = ROOT.joinpath(*name.split("."))
    if place.with_suffix(".py").is_file() or place.is_dir():
        return True
    file = place.parent.with_suffix(".py")
    file = file if file.is_file() else place.parent / "__init__.py"
    return file.is_file() and place.name in _top_names(ast.parse(_read(file)))


def _top_names(tree: ast.Module) -> set[str]:
    names: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names |= {target.id for target in targets if isinstance(target, ast.Name)}
    return names


def scripts() -> list[tuple[str, str]]:
    """The Python that pages feed to an interpreter (`python - <<'END'`): page and text."""
    told = r"python - <<'END'\n(.*?)\nEND$"
    return [
        (page, script)
        for page in pages()
        for script in re.findall(told, (ROOT / page).read_text(), re.DOTALL | re.MULTILINE)
    ]


def module_words(file: Path) -> set[str]:
    """The words that a module's command line may know: its strings, and those of its own imports.

    Read and not run, because half of these modules begin with TensorFlow. What it imports counts
    where that adds arguments to a parser.
    """
    tree = ast.parse(_read(file))
    words = _strings(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("einthoven."):
            for name in (node.module, *(f"{node.module}.{alias.name}" for alias in node.names)):
                other = ROOT.joinpath(*str(name).split(".")).with_suffix(".py")
                if other.is_file() and "add_argument" in _read(other):
                    words |= _strings(ast.parse(_read(other)))
    return words


def _strings(tree: ast.AST) -> set[str]:
    return {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def told_commands() -> list[tuple[str, list[str]]]:
    """What messages of our code tell a user to run: place, and the words after `einthoven`.

    Of exceptions and of what is printed; a value that a message fills in is one word.
    """
    found = []
    for name in tracked():
        if name.endswith(".py") and "/tests/" not in name and "test_" not in Path(name).name:
            for node in ast.walk(ast.parse(_read(ROOT / name))):
                if isinstance(node, ast.Raise) or (
                    isinstance(node, ast.Call)
                    and getattr(node.func, "id", getattr(node.func, "attr", "")) == "print"
                ):
                    for text in _texts(node):
                        told = re.findall(r"(?<![\w.`/-])`?einthoven ((?:[\w<>./-]+ ?)+)", text)
                        found += [(f"{name}:{node.lineno}", words.split()) for words in told]
    return found


def _texts(node: ast.AST) -> Iterator[str]:
    """Whole strings below a node, with `x` for each value of an f-string."""
    if isinstance(node, ast.JoinedStr):
        parts = (v.value if isinstance(v, ast.Constant) else "x" for v in node.values)
        yield "".join(map(str, parts))
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    else:
        for child in ast.iter_child_nodes(node):
            yield from _texts(child)


@cache
def _read(file: Path) -> str:
    return file.read_text(encoding="utf-8")


@cache
def everything() -> str:
    """All text under version control that is no page: what a name must occur in to be one."""
    texts = []
    for name in tracked():
        if not name.endswith(".md"):
            content = (ROOT / name).read_bytes()
            if b"\0" not in content[:4096]:
                texts.append(content.decode(errors="replace"))
    return "\n".join(texts)
