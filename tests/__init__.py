"""Tests: `unit` without I/O, `integration` against real servers, `e2e` as a user; `fixtures` are pytest plugins."""
