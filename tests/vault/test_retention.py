"""What is due is erased at its very second, and not one before."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from custom_components.familiar_faces.people.choices import Choices, Keeping
from custom_components.familiar_faces.vault.retention import MONTH, Retention
from custom_components.familiar_faces.vault.store import Vault
from custom_components.familiar_faces.vault.times import from_stamp, to_stamp
from tests.vault.makers import DAY, MARIA, NOW, OTTO, SECOND, a_consent, a_photo, a_visit, enrol

NOTHING = timedelta(0)
LONG = Retention(after_expiry=14 * DAY, unseen=36 * MONTH, audit=60 * MONTH)


def test_defaults_are_the_promised_ones() -> None:
    kept = Retention()
    assert kept.visits == timedelta(days=30)
    assert kept.pictures == timedelta(days=7)
    assert kept.consent == kept.unseen == timedelta(days=365)
    assert kept.child_consent == timedelta(days=182, hours=12)
    assert kept.audit == timedelta(days=1095)
    assert kept.after_expiry == kept.after_withdrawal == timedelta(days=14)


@pytest.mark.parametrize(
    ("name", "shortest", "longest"),
    [
        ("consent", 30 * DAY, 36 * MONTH),
        ("child_consent", 30 * DAY, 36 * MONTH),
        ("visits", NOTHING, 365 * DAY),
        ("pictures", NOTHING, 90 * DAY),
        ("unseen", 30 * DAY, 36 * MONTH),
        ("review", NOTHING, 30 * DAY),
        ("invitation", timedelta(hours=1), 7 * DAY),
        ("audit", 12 * MONTH, 60 * MONTH),
        ("counts", 7 * DAY, 53 * 7 * DAY),
        ("after_expiry", NOTHING, 14 * DAY),
        ("after_withdrawal", NOTHING, 14 * DAY),
    ],
)
def test_ranges_are_kept(name: str, shortest: timedelta, longest: timedelta) -> None:
    for good in (shortest, longest):
        assert getattr(replace(Retention(), **{name: good}), name) == good
    for bad in (shortest - SECOND, longest + SECOND):
        with pytest.raises(ValueError, match=f"^{name} is kept"):
            replace(Retention(), **{name: bad})


def test_visits_go_at_their_second(vault: Vault) -> None:
    enrol(vault)
    vault.add_visit(a_visit("old"), a_photo(1), NOW)
    vault.add_visit(a_visit("new", started_at=NOW + SECOND), None, NOW)
    kept = Retention(visits=30 * DAY, pictures=90 * DAY)
    due = NOW + 30 * DAY

    purged = vault.purge(due - SECOND, kept)
    assert (purged.visits, purged.pictures, purged.people) == (0, 0, ())
    assert vault.next_purge(due - SECOND, kept) == due
    assert vault.next_purge(due, kept) == due
    assert vault.next_purge(due + 5 * SECOND, kept) == due + 5 * SECOND

    purged = vault.purge(due, kept)
    assert (purged.visits, purged.pictures) == (1, 1)
    assert [visit.visit_id for visit in vault.visits()] == ["new"]
    assert vault.next_purge(due, kept) == due + SECOND


def test_pictures_go_at_their_second_and_the_visit_stays(vault: Vault) -> None:
    enrol(vault)
    vault.add_visit(a_visit("one"), a_photo(1), NOW)
    due = NOW + 7 * DAY
    assert vault.purge(due - SECOND, Retention()).pictures == 0
    assert vault.visit_picture("one") == a_photo(1)
    assert vault.next_purge(due - SECOND, Retention()) == due
    assert vault.purge(due, Retention()).pictures == 1
    assert vault.visit_picture("one") is None
    assert vault.visits() == [a_visit("one")]
    assert vault.next_purge(due, Retention()) == NOW + 30 * DAY


def test_off_means_gone_at_once(vault: Vault) -> None:
    enrol(vault)
    vault.add_visit(a_visit("one"), a_photo(1), NOW)
    assert vault.purge(NOW, Retention(pictures=NOTHING)).pictures == 1
    assert vault.purge(NOW, Retention(visits=NOTHING)).visits == 1


def test_many_visits_go_in_batches(vault: Vault) -> None:
    enrol(vault)
    for number in range(130):
        vault.add_visit(a_visit(f"v{number}"), a_photo(number, 100) if number % 2 else None, NOW)
    vault.add_visit(a_visit("stays", started_at=NOW + SECOND), None, NOW)
    purged = vault.purge(NOW + 30 * DAY, Retention(pictures=90 * DAY))
    assert (purged.visits, purged.pictures) == (130, 65)
    assert [visit.visit_id for visit in vault.visits()] == ["stays"]
    batches = [entry.details for entry in vault.audit_entries() if entry.kind == "purged"]
    assert [batch["visits"] for batch in batches] == [30, 50, 50]
    assert sum(int(batch["pictures"] or 0) for batch in batches) == 65


def test_an_expired_consent_is_followed_by_forgetting(vault: Vault) -> None:
    enrol(vault, consent=a_consent("m", given_at=NOW, lasts=30 * DAY))
    enrol(vault, OTTO, "Otto", seeds=(2,))
    due = NOW + 44 * DAY
    assert vault.purge(due - SECOND, LONG).people == ()
    assert vault.next_purge(due - SECOND, LONG) == due
    (receipt,) = vault.purge(due, LONG).people
    assert (receipt.person_id, receipt.photos, receipt.verified) == (MARIA, 1, True)
    assert [person.person_id for person in vault.people()] == [OTTO]
    assert vault.was_forgotten(MARIA)
    assert vault.audit_entries(MARIA)[0].details["reason"] == "expired"


def test_a_renewed_consent_prevents_it(vault: Vault) -> None:
    enrol(vault, consent=a_consent("m", given_at=NOW, lasts=30 * DAY))
    vault.record_consent(MARIA, a_consent("n", given_at=NOW + 43 * DAY))
    assert vault.purge(NOW + 44 * DAY, LONG).people == ()


def test_a_withdrawn_consent_is_followed_by_forgetting(vault: Vault) -> None:
    enrol(vault)
    vault.withdraw_consent(MARIA, NOW)
    due = NOW + 14 * DAY
    assert vault.next_purge(NOW, LONG) == due
    assert vault.next_purge(NOW, replace(LONG, after_withdrawal=NOTHING)) == NOW
    assert vault.purge(due - SECOND, LONG).people == ()
    assert [receipt.person_id for receipt in vault.purge(due, LONG).people] == [MARIA]
    assert vault.audit_entries(MARIA)[0].details["reason"] == "withdrawn"


@pytest.mark.parametrize("sign", ["visit", "mark", "consent", "nothing"])
def test_someone_not_seen_for_long_is_forgotten(vault: Vault, sign: str) -> None:
    enrol(vault, consent=a_consent("m", given_at=NOW - DAY, lasts=3000 * DAY))
    last = NOW + 10 * DAY
    match sign:
        case "visit":
            vault.add_visit(a_visit("v", started_at=last), None, last)
            vault.add_visit(a_visit("earlier", started_at=NOW), None, last)
        case "mark":
            # Of a visit that is not kept.
            vault.continue_visit("elsewhere", MARIA, last, None, None)
        case "consent":
            vault.record_consent(MARIA, a_consent("n", given_at=last, lasts=3000 * DAY))
        case "nothing":
            last = NOW
    due = last + 365 * DAY
    assert vault.purge(due - SECOND, Retention()).people == ()
    assert vault.next_purge(due - SECOND, Retention()) == due
    assert [receipt.person_id for receipt in vault.purge(due, Retention()).people] == [MARIA]
    assert vault.audit_entries(MARIA)[0].details["reason"] == "unseen"


def test_nothing_kept_is_never_due(vault: Vault) -> None:
    assert vault.next_purge(NOW, Retention()) is None
    purged = vault.purge(NOW, Retention())
    assert (purged.visits, purged.pictures, purged.people, purged.audit_entries) == (0, 0, (), 0)
    assert vault.stored().audit_entries == 0


def test_tombstones_go_with_the_audit_log(vault: Vault) -> None:
    enrol(vault)
    vault.forget(MARIA, NOW)
    vault.finish_forgetting(MARIA, {}, NOW)
    due = NOW + 36 * MONTH
    vault.purge(due - SECOND, Retention())
    assert vault.was_forgotten(MARIA)
    vault.purge(due, Retention())
    assert not vault.was_forgotten(MARIA)


@pytest.mark.parametrize(
    "started_at",
    [
        datetime(2026, 3, 29, 1, 59, 59, tzinfo=ZoneInfo("Europe/Amsterdam")),  # the hour is skipped next
        datetime(2026, 10, 25, 2, 30, tzinfo=ZoneInfo("Europe/Amsterdam")),  # the hour comes twice
        datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=ZoneInfo("Europe/Amsterdam")),
    ],
)
def test_daylight_saving_changes_no_length(vault: Vault, started_at: datetime) -> None:
    consent = a_consent("m", given_at=started_at.astimezone(UTC), lasts=400 * DAY)
    enrol(vault, consent=consent, now=started_at)
    vault.add_visit(a_visit("v", started_at=started_at), a_photo(1), started_at)
    # Hours that pass, not hours on the wall.
    due = (started_at.astimezone(UTC) + 7 * DAY).astimezone(ZoneInfo("Europe/Amsterdam"))
    assert vault.purge(due.astimezone(UTC) - SECOND, Retention()).pictures == 0
    assert vault.next_purge(started_at, Retention()) == due
    assert vault.purge(due, Retention()).pictures == 1


def test_moments_come_back_to_the_microsecond() -> None:
    for moment in (
        datetime(1969, 12, 31, 23, 59, 59, 999999, UTC),
        datetime(2026, 10, 25, 2, 30, 0, 1, ZoneInfo("Europe/Amsterdam"), fold=1),
        datetime(9999, 12, 31, 23, 59, 59, 999999, UTC),
    ):
        assert from_stamp(to_stamp(moment)) == moment.astimezone(UTC)
    assert to_stamp(datetime(2026, 3, 1, tzinfo=UTC)) == 1_772_323_200_000_000
    with pytest.raises(ValueError, match="time zone"):
        to_stamp(datetime(2026, 3, 1))


def test_nobody_s_visits_are_kept_longer_than_they_agreed_to(vault: Vault) -> None:
    agreed = replace(a_consent("m"), visits_for=10 * DAY, pictures_for=2 * DAY)
    enrol(vault, consent=agreed)
    enrol(vault, OTTO, "Otto", seeds=(2,))
    for person_id in (MARIA, OTTO):
        vault.add_visit(a_visit(f"of-{person_id}", person_id), a_photo(1), NOW)
    longer = Retention(visits=365 * DAY, pictures=90 * DAY)
    assert vault.person(MARIA).consent == agreed
    assert vault.next_purge(NOW, longer) == NOW + 2 * DAY
    assert vault.purge(NOW + 2 * DAY - SECOND, longer).pictures == 0
    assert vault.purge(NOW + 2 * DAY, longer).pictures == 1
    assert vault.next_purge(NOW + 2 * DAY, longer) == NOW + 10 * DAY
    assert vault.purge(NOW + 10 * DAY, longer).visits == 1
    assert [visit.person_id for visit in vault.visits()] == [OTTO]
    # A shorter period of the owner's counts for everybody, and a new yes for longer from then on.
    assert vault.purge(NOW + 10 * DAY, Retention(visits=10 * DAY)).visits == 1
    vault.record_consent(MARIA, replace(a_consent("n"), visits_for=365 * DAY, pictures_for=90 * DAY))
    vault.add_visit(a_visit("later"), None, NOW)
    assert vault.purge(NOW + 365 * DAY - SECOND, replace(longer, unseen=1095 * DAY)).visits == 0


def test_whoever_has_nothing_kept_is_not_forgotten_for_not_being_seen(vault: Vault) -> None:
    lasting = a_consent("m", given_at=NOW, lasts=1000 * DAY)
    enrol(vault, consent=replace(lasting, choices=Choices(keeping=Keeping.NOTHING)))
    enrol(vault, OTTO, "Otto", seeds=(2,), consent=replace(lasting, consent_id="o"))
    purged = vault.purge(NOW + 400 * DAY, Retention(visits=NOTHING))
    assert purged.people == ()
    purged = vault.purge(NOW + 400 * DAY, Retention())
    assert [receipt.person_id for receipt in purged.people] == [OTTO]
    assert vault.next_purge(NOW + 400 * DAY, replace(Retention(), audit=1825 * DAY)) == NOW + 1014 * DAY
