"""Checks that all SQL of the project is understood by CockroachDB and by PostgreSQL.

`collect` finds the statements, `rules` judges each on its syntax tree, `vocabulary` is what both databases have.
"""
