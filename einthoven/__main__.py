"""`python -m einthoven`: the command line where no program of that name is on the PATH."""

from einthoven.cli import main

main()
