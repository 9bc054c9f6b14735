"""What every layer needs and that needs no layer: identifiers, revisions, errors, delays."""
