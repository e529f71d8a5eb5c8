"""`python -m einthoven.training.studies.page` writes docs/reference-studies.md."""

import sys

from einthoven.no_arguments import no_arguments
from einthoven.training.studies.page.whole import main

no_arguments(__doc__)
sys.exit(main())
