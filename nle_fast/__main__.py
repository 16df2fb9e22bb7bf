"""`python -m nle_fast` is `nle-fast`."""

from nle_fast.cli import main

if __name__ == "__main__":
    main()
