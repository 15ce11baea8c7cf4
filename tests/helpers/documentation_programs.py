"""The Python code of the pages, put together as its readers do it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from helpers.documentation_pages import Block, Page, page

CONTEXTS = Path(__file__).parents[1] / "documentation" / "contexts"


def program_of(guide: Page) -> list[Block]:
    """Give the blocks of Python that belong to no file: together they are one program."""
    return [block for block in guide.code("python") if block.file is None and block.unchecked is None]


def source(guide: Page, blocks: Sequence[Block]) -> str:
    """Give blocks as one module, each line of code where the page has it."""
    lines = [""] * len(guide.lines)
    for block in blocks:
        lines[block.line - 1 : block.line - 1 + block.code.count("\n")] = block.code.splitlines()
    return "\n".join(lines) + "\n"


def context_of(guide: Page) -> str:
    """Give the code that a page takes for granted: the file of its name in ``contexts``, if there is one."""
    file = CONTEXTS / f"{guide.path.stem.replace('-', '_')}.py"
    return file.read_text(encoding="utf-8") if file.exists() else ""


def write_program(guide: Page, file: Path) -> Path:
    """Write the program of a page, after what the page takes for granted."""
    file.write_text(context_of(guide) + source(guide, program_of(guide)), encoding="utf-8")
    return file


def write_files(guide: Page, folder: Path, lines: range | None = None) -> list[Path]:
    """Write the files of a page, or those of some of its lines, as its reader does it step by step."""
    written: dict[Path, None] = {}
    for block in guide.blocks:
        if block.file is not None and (lines is None or block.line in lines):
            file = folder / block.file
            file.parent.mkdir(parents=True, exist_ok=True)
            before = file.read_text(encoding="utf-8") if block.adds else ""
            file.write_text(before + block.code, encoding="utf-8")
            written[file] = None
    return list(written)


def write_chat(folder: Path) -> Path:
    """Write the application of the tutorial, as it is at its end."""
    write_files(page("docs/tutorial.md"), folder)
    return folder / "chat"
