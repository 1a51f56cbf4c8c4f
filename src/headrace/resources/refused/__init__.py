"""Operations of the public API that this server does not carry out, each with what to do instead."""
