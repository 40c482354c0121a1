"""Text as symbols, and symbols as text.

An alphabet is a string of characters, whose texts have no gaps, or a tuple of words, whose texts have spaces between them.

>>> numbers("abc", "cab"), numbers(("a", "dog", "barks"), "a dog")
([2, 0, 1], [0, 1])
>>> text("abc", [2, 0, 1]), text(("a", "dog", "barks"), [0, 1, 2])
('cab', 'a dog barks')
"""

from study.errors import unknown


def numbers(alphabet, text):
    """The symbols of a text as numbers. Raises ValueError for one that is not in the alphabet."""
    place = {symbol: number for number, symbol in enumerate(alphabet)}
    symbols = list(text) if isinstance(alphabet, str) else text.split()
    for symbol in symbols:
        if symbol not in place:
            raise ValueError(unknown("symbol", symbol, alphabet))
    return [place[symbol] for symbol in symbols]


def text(alphabet, numbers):
    """The text of symbols that are given as numbers."""
    return ("" if isinstance(alphabet, str) else " ").join(alphabet[number] for number in numbers)
