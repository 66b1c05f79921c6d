"""Words that no record says any more are forgotten, and only those."""

from __future__ import annotations

import psycopg
from sqlalchemy import delete, text

from concord.servers.login import DatabaseUrls
from concord.settings import libpq_url
from matching.household import Household
from tenants.database import Database
from tests.factories import Factories
from workers.word_keeping import forget_words


class TestForgetWords:
    def test_waits_for_writers_and_keeps_what_is_still_said(
        self, database: Database, factories: Factories, migrated: DatabaseUrls
    ) -> None:
        us, them = factories.two_tenants()
        gone = factories.household(us, profile="A zucchetto and a quokka.")
        factories.household(them, profile="A quokka.")
        with database.transaction(us.scope) as session:
            session.execute(delete(Household).where(Household.id == gone))
        counted = (
            "SELECT count(*) FILTER (WHERE word LIKE 'zucch%'), count(*) FILTER (WHERE word = 'quokka') "
            "FROM search_word"
        )

        with database.transaction(them.scope) as writer:
            writer.execute(text("UPDATE household SET smokers = 'yes'"))
            assert forget_words(database) == 0
        assert forget_words(database) >= 1

        with psycopg.connect(libpq_url(migrated.admin)) as admin:
            assert admin.execute(counted).fetchone() == (0, 1)
