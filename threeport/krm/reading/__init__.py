"""GET of one object and LIST of many: which objects, from where on, and in which form they are answered."""
