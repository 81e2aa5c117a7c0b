"""`python conformance/upstream …`, as README.md says."""

import sys
from pathlib import Path

# Run as a folder, Python would look for modules in it first, and find `secrets` here instead of its own.
sys.path[0] = str(Path(__file__).resolve().parent.parent)

from upstream.cli import main  # noqa: E402

sys.exit(main())
