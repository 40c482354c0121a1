"""What speaks against the learning rates of an arm, in words."""


def doubts(runs):
    """The doubts about the learning rates of trials (columns gap, lr_doubt), as one text; "" if there are none.

    A doubt that does not hold at all of their gaps is led by those at which it does.
    """
    gaps, found = set(runs["gap"]), runs[runs["lr_doubt"] != ""]
    texts = []
    for text, doubted in found.groupby("lr_doubt", sort=False):
        at = sorted(set(doubted["gap"]))
        texts.append(text if set(at) == gaps else f"gap {', '.join(map(str, at))}: {text}")
    return "; ".join(texts)
