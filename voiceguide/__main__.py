"""`python -m voiceguide`."""

import sys

from voiceguide.cli import main

if __name__ == "__main__":
    sys.exit(main())
