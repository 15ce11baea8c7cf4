"""Pages that are written to be read on a forge, changed to what the site can show better."""

from __future__ import annotations

import re

PAGES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "reporting.md",
    "CHANGELOG.md": "changelog.md",
}
"""Where the pages of the project's root are on the site."""

_NAMED = re.compile(r"^```(\w+) (file|more)=(\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\((?:docs/)?([\w./-]+\.md)((?:#[^)]*)?)\)")
_BARE = re.compile(r"\[(?:docs/)?([\w./-]+\.md)\]\(((?:docs/)?\1(?:#[^)]*)?)\)")
_FILE = re.compile(r"\[([^\]]+)\]\((?![a-z]+:|#)[\w./-]+(?<!\.md)\)")
_EXAMPLE = re.compile(r"\[([^\]]+)\]\((?:\.\./)?(?:apps|examples)/[^)]*\)")
_PICTURE = re.compile(r'<picture>.*?srcset="(.*?)".*?alt="(.*?)" src="(.*?)".*?</picture>', re.DOTALL)


def with_titles(text: str) -> str:
    """Let a link whose text is the name of its page show its title; links to what is on no page, as examples, go."""
    return _BARE.sub(r"[](\2)", _EXAMPLE.sub(r"\1", text))


def with_captions(text: str) -> str:
    """Show over a block which file it is: ``python file=chat/schema.py``."""

    def captioned(block: re.Match[str]) -> str:
        language, how, file, code = block.groups()
        caption = file if how == "file" else f"{file}, below what is there"
        return f"```{{code-block}} {language}\n:caption: {caption}\n\n{code}```"

    return _NAMED.sub(captioned, text)


def moved_to_site(text: str) -> str:
    """Change the links of a page of the root: it is shown from ``docs/``, where pages have other names."""
    text = _LINK.sub(lambda link: f"]({PAGES.get(link[1], link[1])}{link[2]})", text)
    text = _FILE.sub(r"\1", text)  # such as LICENSE, which is not on the site
    return _PICTURE.sub(_pictures, text)


def _pictures(picture: re.Match[str]) -> str:
    dark, alt, light = (part.removeprefix("docs/") for part in picture.groups())
    return "\n".join(
        f"```{{image}} {file}\n:alt: {alt}\n:class: only-{theme}\n```\n"
        for file, theme in ((light, "light"), (dark, "dark"))
    )
