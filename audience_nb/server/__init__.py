"""The REST face: a view of sessions for Jupyter Server."""
