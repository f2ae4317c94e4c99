"""Migrations of the history, oldest first; Alembic reads them from here."""
