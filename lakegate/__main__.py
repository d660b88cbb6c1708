"""`python -m lakegate` is `lakegate`."""

from lakegate.cli import main

if __name__ == "__main__":
    main()
