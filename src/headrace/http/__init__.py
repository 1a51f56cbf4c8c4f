"""What all routes share: routing, scopes, authentication, errors, paging, streams, OpenAPI."""
