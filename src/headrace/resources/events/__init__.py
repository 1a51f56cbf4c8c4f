"""What starts builds from outside: Git webhooks, events with a secret, times; and who is told of them."""
