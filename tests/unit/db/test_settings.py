# SPDX-License-Identifier: Apache-2.0
"""What operators write into [database] connection."""

from __future__ import annotations

import pytest

from nova import errors
from nova.db.engine import Database, DatabaseSettings
from nova.db.settings import parse_url, place


@pytest.mark.parametrize(
    ("written", "driver", "shown"),
    [
        ("mysql://nova:pw@db/nova", "mysql+pymysql", "mysql database 'nova' on db as user 'nova'"),
        ("mysql+pymysql://n:pw@db:3307/x", "mysql+pymysql", "mysql database 'x' on db:3307 as user 'n'"),
        ("postgresql://nova:pw@db/nova", "postgresql+psycopg2", "postgresql database 'nova' on db as user 'nova'"),
        ("postgres://nova:pw@db/nova", "postgresql+psycopg2", "postgresql database 'nova' on db as user 'nova'"),
        ("sqlite:////var/lib/nova.sqlite", "sqlite", "SQLite file /var/lib/nova.sqlite"),
        ("sqlite://", "sqlite", "SQLite file :memory:"),
    ],
)
def test_old_and_new_spellings_name_the_driver_and_hide_the_password(written: str, driver: str, shown: str) -> None:
    url = parse_url(written)
    assert url.drivername == driver
    assert place(url) == shown
    assert "pw" not in repr(DatabaseSettings(url=written))


@pytest.mark.parametrize("written", ["", "nonsense with pw", "oracle://n:pw@h/x", "mssql+pyodbc://n:pw@h/x"])
def test_what_is_no_supported_database_is_refused_without_repeating_it(written: str) -> None:
    with pytest.raises(errors.InvalidConfiguration) as refusal:
        Database(DatabaseSettings(url=written))
    assert "pw" not in str(refusal.value)


def test_a_file_that_cannot_be_opened_is_unavailable_after_the_tries() -> None:
    pauses: list[float] = []
    db = Database(
        DatabaseSettings(url="sqlite:////nonexistent/dir/x", max_retries=2, retry_interval_s=3), sleep=pauses.append
    )
    with pytest.raises(errors.Unavailable):
        db.connect()
    assert pauses == [3, 3]
