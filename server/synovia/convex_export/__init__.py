"""What `npx convex export` wrote, brought into a store: see docs/coming-from-convex.md."""

from synovia.convex_export.archive import Archive
from synovia.convex_export.checking import Checked, check
from synovia.convex_export.importing import import_tables
from synovia.export.errors import ExportError
from synovia.export.inserting import Imported

__all__ = ["Archive", "Checked", "ExportError", "Imported", "check", "import_tables"]
