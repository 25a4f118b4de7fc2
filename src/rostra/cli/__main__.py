"""`python -m rostra.cli`: how the supervisor starts its children, whatever is in PATH."""

from rostra.cli.main import main

if __name__ == "__main__":
    main()
