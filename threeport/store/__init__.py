"""Objects in a relational database, CockroachDB or PostgreSQL. All SQL of the project is here."""
