"""How a dialog hands a link on."""

from urllib.parse import quote


def mail(url: str) -> str:
    """Return a link that begins a mail with a link in it."""
    return f"mailto:?body={quote(url, safe='')}"
