"""`python -m streams.benchmarks` is `make bench`."""

import sys

from streams.benchmarks.run import main

sys.exit(main())
