"""``python -m nn.cli`` is ``jitgrad``."""

import sys

from . import main

sys.exit(main())
