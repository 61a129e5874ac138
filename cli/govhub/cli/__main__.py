"""``python -m govhub.cli``: what ./hub runs in a checkout."""

from __future__ import annotations

import sys

from govhub.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
