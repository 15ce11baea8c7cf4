"""What the README shows works as it stands there."""

from __future__ import annotations

import re
from pathlib import Path

from support.clinic import open_clinic

ROOT = Path(__file__).resolve().parents[1]
BLOCKS = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)


async def test_the_first_query_works(tmp_path: Path) -> None:
    server, client = BLOCKS
    application = tmp_path / "chat.py"
    application.write_text(server, encoding="utf-8")
    async with open_clinic("sqlite://:memory:", application) as clinic:
        shown: list[object] = []
        address = f"ws://127.0.0.1:{clinic.port}"
        code = client.replace("ws://127.0.0.1:8000", address).replace("asyncio.run(main())", "")
        code = code.replace("print(", "return shown.append(")
        namespace: dict[str, object] = {"shown": shown}
        exec(compile(code, "README.md", "exec"), namespace)
        await namespace["main"]()  # type: ignore[operator]
        assert shown == [["hello"]]


def test_every_link_leads_somewhere() -> None:
    for page in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name}: {target}"
