"""`python -m einthoven.training.studies.page` writes docs/reference-studies.md."""

import sys

from einthoven.training.studies.page.whole import main

sys.exit(main())
