"""First answers to requests with an idempotency key."""
