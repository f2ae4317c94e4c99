"""`python -m audience_nb.server` is `jupyter audience`."""

from audience_nb.server.app import main

if __name__ == "__main__":
    main()
