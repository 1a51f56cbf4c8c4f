"""What may go wrong with one step before it runs."""


class StepRefused(Exception):
    """A step cannot be made into a command; the text says what is wrong and what would be right."""
