"""OpenAPI: the documents by which clients know the kinds, in the forms that they ask for."""
