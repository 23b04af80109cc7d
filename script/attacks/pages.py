"""Anyone who knows the home's address, with a link or without one: the pages that need no account."""

import asyncio
from collections.abc import Sequence
from secrets import token_urlsafe
from time import monotonic

from demo.house import NAME
from demo.scene import selfies

from .attack import Room
from .grounds import FACE_OF, FACES, SILENT, VISITOR, Grounds
from .guest import Answer, Guest
from .outcome import Promise, Trial

ROOM = Room(Promise.PAGES, "docs/privacy.md#if-you-are-asked-to-agree")
ROOT = "/familiar_faces"
PROMPT_SECONDS = 3.0
"""Within this a right link answers while wrong ones are tried."""
STRICT = {
    "Content-Security-Policy": "default-src 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
}
METHODS = ("HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "LOCK", "QUERY")
HIDDEN = frozenset(
    "\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"
)
LINKS = ("https://evil", "www.evil", "](")


def wrong_paths() -> list[str]:
    """Return paths that open nothing: tokens that nobody was given, and what is no token at all."""
    tokens = [
        token_urlsafe(32),
        "a",
        "%00",
        "%27%20OR%201%3D1--",
        "%F0%9F%98%80",
        "A" * 43,
        "A" * 2000,
        "%ed%a0%80",
    ]
    below = ("", "/photos", "/choices", "/download", "/withdraw", "/photos/1", "/visits/1")
    paths = [f"{ROOT}/invitation/{token}" for token in tokens] + [f"{ROOT}/me/{token}" for token in tokens]
    paths += [f"{ROOT}/me/{token_urlsafe(32)}{each}" for each in below[1:]]
    return [*paths, f"{ROOT}/who/{token_urlsafe(32)}", f"{ROOT}/nothing", f"{ROOT}/record/en"]


@ROOM.attack()
async def replay_invitation(grounds: Grounds, trial: Trial) -> None:
    """Use an invitation twice, and twice at the same time."""
    at = await grounds.live()
    path = await at.invite()
    guests = [at.guest() for _ in range(3)]
    answers = await asyncio.gather(*(each.accept(path, "Corwin") for each in guests))
    taken = [each for each in answers if each.status == 303]
    trial.holds(len(taken) == 1, f"an invitation was accepted {len(taken)} times")
    late = await at.guest().accept(path, "Corwin")
    trial.holds(late.status == 404, f"a used invitation answers {late.status}")
    await _gone(trial, [each for each in guests if each.own])


@ROOM.attack()
async def closed_links(grounds: Grounds, trial: Trial) -> None:
    """Use an invitation that the owner took back."""
    at = await grounds.live()
    guest, path = at.guest(), await at.invite()
    trial.holds((await guest.get(path)).status == 200, "an open invitation shows no form")
    await at.owner.call("familiar_faces", "close_invitations", {})
    for answer in await asyncio.gather(guest.get(path), guest.accept(path, "Corwin")):
        trial.holds(answer.status == 404, f"a closed invitation answers {answer.status}")


@ROOM.attack()
async def odd_methods(grounds: Grounds, trial: Trial) -> None:
    """Tell a right link from a wrong one by a method that browsers do not use."""
    at = await grounds.live()
    guest = at.guest()
    wrong = f"{ROOT}/me/{token_urlsafe(32)}"
    for method in METHODS:
        nothing, right, other = await asyncio.gather(
            guest.ask(method, f"{ROOT}/nothing"),
            guest.ask(method, grounds.links[VISITOR]),
            guest.ask(method, wrong),
        )
        trial.holds(
            right.alike == other.alike == nothing.alike,
            f"{method} answers {right.status} for a right link, {other.status} for a wrong one, "
            f"{nothing.status} for nothing",
        )
        trial.holds(nothing.status == 404, f"{method} answers {nothing.status} instead of 404")


@ROOM.attack()
async def strict_headers(grounds: Grounds, trial: Trial) -> None:
    """Find an answer that a browser may keep, show in a frame, or run scripts of others in."""
    at = await grounds.live()
    guest = at.guest()
    own = grounds.links[VISITOR]
    paths = [
        own,
        f"{own}/photos",
        f"{own}/choices",
        f"{own}/withdraw",
        f"{ROOT}/nothing",
        f"{ROOT}/static/style.css",
    ]
    paths += [await at.invite(), f"{own}/visits/{grounds.visits[VISITOR]}"]
    for path in paths:
        answer = await guest.get(path)
        for header, wanted in STRICT.items():
            said = answer.headers.get(header, "")
            trial.holds(wanted in said, f"{_kind(path)} says {header}: {said!r}")
        trial.holds("Set-Cookie" not in answer.headers, f"{_kind(path)} sets a cookie")
    await at.owner.call("familiar_faces", "close_invitations", {})


@ROOM.attack()
async def names_as_markup(grounds: Grounds, trial: Trial) -> None:
    """Agree under a name that is markup, a link, a template, or looks like another one."""
    at = await grounds.live()
    names = (
        "<img src=x onerror=alert(1)>",
        "[Corwin](https://evil.example)",
        "https://evil.example",
        "www.evil.example",
        "{{ states('sun.sun') }}",
        "Cor\u200bwin",
        "Cor\u200cwin",
        "\u202eniwroC",
        "\u2066Corwin\u2069",
    )
    for name in names:
        guest = at.guest()
        await guest.accept(await at.invite(), name)
        if not guest.own:
            trial.holds(True, "")
            continue
        page = await guest.get(guest.own)
        if page.status == 303:
            page = await guest.get(f"{guest.own}/withdraw")
        text = page.text.partition("<body")[2]
        trial.holds(name.strip() not in text, f"the name {name!a} is taken as it is")
        trial.holds(not HIDDEN & set(text), f"what cannot be seen is left of {name!a}")
        raw = page.body.decode(errors="replace")
        trial.holds("<img src=x" not in raw, f"{name!a} is markup on the page")
        # What Markdown makes a link of in the owner's dialogs, without a sign of markup.
        trial.holds(not any(each in text for each in LINKS), f"{name!a} can be a link")
        await _gone(trial, [guest])
    await at.owner.call("familiar_faces", "close_invitations", {})


@ROOM.attack()
async def cross_links(grounds: Grounds, trial: Trial) -> None:
    """Reach somebody else's photo, visit or page with one's own link."""
    at = await grounds.live()
    mine, theirs = at.guest(grounds.links[SILENT]), at.guest(grounds.links[VISITOR])
    page = await theirs.get(f"{theirs.own}/photos")
    ids = sorted({each.split('"')[0] for each in page.text.split(f"{theirs.own}/photos/")[1:]})
    ids = [each.partition("/")[0] for each in ids]
    trial.holds(ids, "there is no photo to try it with")
    for photo_id in ids[:2]:
        trial.holds(
            (await theirs.get(f"{theirs.own}/photos/{photo_id}")).status == 200,
            "a photo of one's own is not shown",
        )
        for answer in (
            await mine.get(f"{mine.own}/photos/{photo_id}"),
            await mine.send(f"{mine.own}/photos/{photo_id}/remove", {}),
        ):
            trial.holds(answer.status == 404, f"a photo of somebody else answers {answer.status}")
        trial.holds(
            (await theirs.get(f"{theirs.own}/photos/{photo_id}")).status == 200,
            "a photo of somebody else was removed",
        )
    visit = grounds.visits[VISITOR]
    answer = await mine.get(f"{mine.own}/visits/{visit}")
    trial.holds(answer.status == 404, f"the picture of somebody else's visit answers {answer.status}")


@ROOM.attack()
async def forms_from_elsewhere(grounds: Grounds, trial: Trial) -> None:
    """Have a visitor's browser send a form from another site."""
    at = await grounds.live()
    guest = at.guest(grounds.links[VISITOR])
    for headers in (
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "http://["},
    ):
        answer = await guest.send(f"{guest.own}/withdraw", {}, headers=headers)
        trial.holds(answer.status == 403, f"a form with {headers} answers {answer.status}")
    trial.holds(await guest.is_let_in(), "a form from another site withdrew somebody's consent")
    form = "application/x-www-form-urlencoded"
    for kind, sent in ((form, b"x" * 100_000), ("application/json", b"{}"), (form, b"&".join([b"a="] * 500))):
        answer = await guest.ask("POST", f"{guest.own}/choices", sent, {"Content-Type": kind})
        trial.holds(answer.status == 413, f"what is no form of ours answers {answer.status}")


@ROOM.attack()
async def forged_addresses(grounds: Grounds, trial: Trial) -> None:
    """Pretend to come from elsewhere, or that the home is elsewhere, by what a proxy would say."""
    at = await grounds.live()
    guest = at.guest()
    wrong, own = f"{ROOT}/me/{token_urlsafe(32)}", grounds.links[VISITOR]
    for header in ("X-Forwarded-For", "Forwarded", "X-Real-IP", "X-Forwarded-Proto"):
        said = {header: "for=192.0.2.7" if header == "Forwarded" else "192.0.2.7"}
        right, other = await guest.ask("GET", own, headers=said), await guest.ask("GET", wrong, headers=said)
        # Home Assistant refuses what no proxy that it trusts has said, before the page is asked.
        trial.holds(right.status == 200 or right.alike == other.alike, f"{header} answers {right.status}")
        trial.holds(other.status in (400, 404), f"a wrong link with {header} answers {other.status}")
    for header in ("Host", "X-Forwarded-Host"):
        answer = await guest.ask("GET", own, headers={header: "evil.example"})
        trial.holds(b"evil.example" not in answer.body, f"a page takes its address from {header}")
        trial.holds("evil.example" not in str(answer.headers), f"a header takes its address from {header}")


@ROOM.attack(check=False)
async def name_of_another(grounds: Grounds, trial: Trial) -> None:
    """Learn by a name of one's own that somebody of this name is known."""
    async with grounds.copied() as folder, grounds.start(folder) as at:
        await at.guest(grounds.links[SILENT]).withdraw()
        guest = at.guest()
        await guest.accept(await at.invite(), NAME)
        # Now that they are gone, nobody else has this face.
        for photo in selfies(FACES[FACE_OF[SILENT]]):
            await guest.give_photo(photo)
        trial.holds(
            (await guest.done()).headers.get("Location", "").partition("?")[0] == guest.own, "not enrolled"
        )
        for path in ("", "/photos", "/choices", "/withdraw"):
            page: Answer = await guest.get(f"{guest.own}{path}")
            trial.holds(f"{NAME} 2" not in page.text, f"{path or 'the own page'} tells of another {NAME}")


@ROOM.attack()
async def guess_links(grounds: Grounds, trial: Trial) -> None:
    """Guess links of all kinds, and look for a difference between the answers."""
    at = await grounds.live()
    guest = at.guest()
    nothing = await guest.get(f"{ROOT}/nothing")
    trial.holds(nothing.status == 404, f"a path that there never was answers {nothing.status}")
    paths = wrong_paths()
    asking = asyncio.gather(*(guest.get(path) for path in paths))
    await asyncio.sleep(0.2)
    begun = monotonic()
    right = await guest.get(grounds.links[VISITOR])
    took = monotonic() - begun
    trial.holds(
        right.status == 200 and took < PROMPT_SECONDS,
        f"a right link was answered {right.status} in {took:.1f} s while others were guessed",
    )
    for path, answer in zip(paths, await asking, strict=True):
        trial.holds(answer.alike == nothing.alike, f"{path[:60]} is told from nothing ({answer.status})")


async def _gone(trial: Trial, guests: Sequence[Guest]) -> None:
    """Have those withdraw who only came to try something."""
    for guest in guests:
        answer = await guest.withdraw()
        trial.holds(
            answer.status == 200, f"who tried something could not withdraw afterwards ({answer.status})"
        )


def _kind(path: str) -> str:
    """Return a path without its secret."""
    return "/".join(each if len(each) < 40 else "..." for each in path.split("/"))
