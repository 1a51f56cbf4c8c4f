"""HTTP client of the API: synchronous, standard library only, quick to import."""
