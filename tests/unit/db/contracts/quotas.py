# SPDX-License-Identifier: Apache-2.0
"""Quotas: exact with any number of requests at once."""

from __future__ import annotations

import dataclasses

import pytest

from nova import errors
from nova.db import instances, key_pairs, quota_limits, quotas
from nova.db.engine import Database, Transaction
from nova.domain.instance import KeyPair
from tests.unit.db.contracts.samples import ACTIVE, at_once

DEFAULTS = {"instances": 15, "cores": 20, "ram": 51200, "key_pairs": 100, "fixed_ips": -1}
PAIR = KeyPair(name="k", user_id="ann", public_key="ssh-ed25519 AAAA", fingerprint="aa:bb")


def boot(tx: Transaction, *, cores: int = 1, project: str = "red", user: str = "ann", count: int = 1) -> None:
    """Claim and record servers, as the API does."""
    amounts = {"instances": count, "cores": cores * count, "ram": 512 * count}
    quotas.claim(tx, amounts, project_id=project, user_id=user, defaults=DEFAULTS)
    instances.insert(tx, [dataclasses.replace(ACTIVE, project_id=project, user_id=user)] * count)


class Quotas:
    """Claims, limits, recounts."""

    def used(self, db: Database, resource: str, *, project: str = "red", user: str = "") -> int:
        with db.transaction(write=False) as tx:
            return quotas.usages(tx, project, user_id=user, defaults=DEFAULTS)[resource].in_use

    def test_thirty_two_claims_at_once_are_all_counted(self, db: Database) -> None:
        claim = lambda: db.run(  # noqa: E731
            lambda tx: quotas.claim(tx, {"fixed_ips": 3}, project_id="red", user_id="ann", defaults=DEFAULTS)
        )
        assert at_once([claim] * 32) == [None] * 32
        assert self.used(db, "fixed_ips") == 96
        assert self.used(db, "fixed_ips", user="ann") == 96

    def test_of_twenty_boots_at_once_fifteen_find_room(self, db: Database) -> None:
        outcomes = at_once([lambda: db.run(boot)] * 20)
        assert outcomes.count(None) == 15
        assert all(outcome is None or isinstance(outcome, errors.QuotaExceeded) for outcome in outcomes)
        assert (self.used(db, "instances"), self.used(db, "cores"), self.used(db, "ram")) == (15, 15, 15 * 512)
        with db.transaction(write=False) as tx:
            assert len(instances.find(tx, instances.InstanceQuery())) == 15

    def test_a_refusal_says_what_does_not_fit_and_keeps_nothing(self, db: Database) -> None:
        db.run(lambda tx: boot(tx, cores=18))
        with pytest.raises(errors.QuotaExceeded) as refusal:
            db.run(lambda tx: boot(tx, cores=3))
        assert refusal.value.data == {"resource": "cores", "limit": 20, "in_use": 18, "requested": 3}
        assert (self.used(db, "instances"), self.used(db, "cores")) == (1, 18)

    def test_a_refusal_names_the_resource_that_did_not_fit(self, db: Database) -> None:
        db.run(lambda tx: boot(tx, count=11))
        with pytest.raises(errors.QuotaExceeded) as refusal:
            db.run(lambda tx: boot(tx, cores=4, count=3))
        assert refusal.value.data == {"resource": "cores", "limit": 20, "in_use": 11, "requested": 12}
        assert refusal.value.message == "Quota exceeded for cores: Requested 12, but already used 11 of 20 cores"

    def test_a_refusal_that_is_swallowed_cannot_be_committed(self, db: Database) -> None:
        with pytest.raises(errors.InternalError), db.transaction() as tx:  # noqa: PT012
            with pytest.raises(errors.QuotaExceeded):
                boot(tx, cores=21)
            instances.insert(tx, [ACTIVE])
        assert self.used(db, "instances") == 0

    def test_the_nearest_limit_holds(self, db: Database) -> None:
        with db.transaction() as tx:
            quota_limits.set_class_limits(tx, "default", {"instances": 5})
            assert quota_limits.effective(tx, "red", defaults=DEFAULTS)["instances"] == 5
            quota_limits.set_limits(tx, "red", {"instances": 8})
            quota_limits.set_limits(tx, "red", {"instances": 7, "cores": -1})
            quota_limits.set_limits(tx, "red", {"instances": 2}, user_id="ann")
            assert quota_limits.effective(tx, "red", defaults=DEFAULTS)["instances"] == 7
            assert quota_limits.effective(tx, "red", user_id="ann", defaults=DEFAULTS)["instances"] == 2
            assert quota_limits.effective(tx, "red", user_id="bob", defaults=DEFAULTS)["instances"] == 7
            assert quota_limits.effective(tx, "blue", defaults=DEFAULTS)["instances"] == 5
            assert quota_limits.class_limits(tx) == {"instances": 5}

    def test_a_users_own_limit_counts_what_he_had_before(self, db: Database) -> None:
        db.run(boot)
        db.run(lambda tx: quota_limits.set_limits(tx, "red", {"instances": 2}, user_id="ann"))
        db.run(boot)
        with pytest.raises(errors.QuotaExceeded) as refusal:
            db.run(boot)
        assert refusal.value.data["limit"] == 2
        db.run(lambda tx: boot(tx, user="bob"))
        db.run(lambda tx: quota_limits.delete_limits(tx, "red", user_id="ann"))
        db.run(boot)
        assert self.used(db, "instances") == 4
        assert self.used(db, "instances", user="bob") == 1

    def test_a_release_is_exact_and_never_below_nothing(self, db: Database) -> None:
        db.run(lambda tx: boot(tx, cores=4))
        give_back = {"instances": 1, "cores": 3}
        db.run(lambda tx: quotas.release(tx, give_back, project_id="red", user_id="ann"))
        assert (self.used(db, "instances"), self.used(db, "cores"), self.used(db, "ram")) == (0, 1, 512)
        db.run(lambda tx: quotas.release(tx, give_back, project_id="red", user_id="ann"))
        assert (self.used(db, "instances"), self.used(db, "cores", user="ann")) == (0, 0)

    def test_a_recount_repairs_what_drifted(self, db: Database) -> None:
        db.run(boot)
        db.run(lambda tx: boot(tx, user="bob"))
        db.run(lambda tx: quotas.release(tx, {"cores": 1}, project_id="red", user_id="bob"))
        db.run(lambda tx: instances.insert(tx, [dataclasses.replace(ACTIVE, user_id="eve")]))
        count = lambda tx: quotas.recount(  # noqa: E731
            tx, "red", resources=("instances", "cores", "ram"), counter=instances.usage_by_user
        )
        assert db.run(count) == {
            ("", "instances"): (2, 3),
            ("", "cores"): (1, 3),
            ("", "ram"): (1024, 1536),
            ("bob", "cores"): (0, 1),
            ("eve", "instances"): (0, 1),
            ("eve", "cores"): (0, 1),
            ("eve", "ram"): (0, 512),
        }
        assert db.run(count) == {}
        with db.transaction(write=False) as tx:
            assert quotas.projects(tx) == ["red"]

    def test_key_pairs_are_limited_by_user(self, db: Database) -> None:
        def add(number: int) -> KeyPair:
            pair = dataclasses.replace(PAIR, name=f"k{number:02}")
            return db.run(lambda tx: key_pairs.create(tx, pair, limit=15))

        outcomes = at_once([lambda n=n: add(n) for n in range(20)])
        assert sum(isinstance(outcome, errors.QuotaExceeded) for outcome in outcomes) == 5
        with db.transaction(write=False) as tx:
            pairs = key_pairs.find(tx, "ann")
            assert len(pairs) == key_pairs.count(tx, "ann") == 15
            assert key_pairs.find(tx, "ann", marker=pairs[3].name, limit=2) == pairs[4:6]
        db.run(lambda tx: key_pairs.remove(tx, "ann", pairs[0].name))
        db.run(lambda tx: key_pairs.create(tx, PAIR, limit=15))

    def test_key_pairs_are_unique_by_user_and_exact_name(self, db: Database) -> None:
        db.run(lambda tx: key_pairs.create(tx, PAIR, limit=-1))
        with db.transaction() as tx:
            with pytest.raises(errors.AlreadyExists, match="Key pair 'k' already exists"):
                key_pairs.create(tx, PAIR, limit=2)
            for name, user in (("K", "ann"), ("k ", "ann"), ("k", "bob")):
                key_pairs.create(tx, dataclasses.replace(PAIR, name=name, user_id=user), limit=3)
            assert key_pairs.get(tx, "ann", "K").name == "K"
            with pytest.raises(errors.NotFound):
                key_pairs.remove(tx, "bob", "K")
            with pytest.raises(errors.InvalidInput):
                key_pairs.find(tx, "bob", marker="K")
