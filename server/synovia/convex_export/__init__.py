"""What `npx convex export` wrote, brought into a store: see docs/coming-from-convex.md."""

from synovia.convex_export.archive import Archive, ExportError
from synovia.convex_export.checking import Checked, check
from synovia.convex_export.importing import Imported, import_tables

__all__ = ["Archive", "Checked", "ExportError", "Imported", "check", "import_tables"]
