"""``python -m flexmine``."""

from flexmine.cli import main

if __name__ == "__main__":
    main()
