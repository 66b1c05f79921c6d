"""The one place that makes engines and sessions; each session belongs to a scope."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session, SessionTransaction, sessionmaker

from tenants.cipher import Cipher, forget_keys
from tenants.error import DomainError
from tenants.scope import Scope, sign_scope

_ENTER_SCOPE = text("""
    SELECT set_config('concord.scope', :setting, true), scope_is_valid(), set_config('concord.origin', :origin, true),
           set_config('concord.address', :address, true), set_config('concord.request_id', :request_id, true)
""")
_BEGUN = text("SELECT CAST(extract(epoch FROM transaction_timestamp()) AS float)")
"""When the transaction began: a signature holds for as long as its transaction, however late in it it is made."""
_WHENCE = ("origin", "address", "request_id")
"""What a session's facts may say of where it comes from; entries of the audit that say nothing else say this."""


class ScopeRefused(DomainError):
    """The database did not accept the scope's signature; nothing can be read or written."""


class Database:
    """A pool of connections to one database, opened for one scope at a time."""

    def __init__(
        self,
        url: str,
        *,
        scope_key: bytes,
        master_key: bytes,
        former_master_key: bytes | None = None,
        pool_size: int = 5,
        max_overflow: int = 5,
        facts: Mapping[str, object] | None = None,
    ) -> None:
        self._facts = dict(facts or {})
        self._scope_key = scope_key
        self._cipher = Cipher(master_key, former_master_key)
        self._engine = create_engine(
            url,
            pool_size=pool_size,
            max_overflow=max_overflow,
            pool_pre_ping=True,
            pool_recycle=1800,
            # An error's text must not quote what was to be written: it may be of a person.
            hide_parameters=True,
        )
        self._sessions = sessionmaker(self._engine, expire_on_commit=False)
        event.listen(self._sessions, "after_begin", self._enter_scope)
        event.listen(self._sessions, "after_soft_rollback", _forget_keys)

    @contextmanager
    def transaction(self, scope: Scope) -> Iterator[Session]:
        """Open a session as ``scope``, commit when the block ends, roll back when it raises.

        Its ``info`` holds the facts that the database was opened with. A refusal that is to be put on record is, in a
        transaction of its own.

        :raises ScopeRefused: when the database does not verify the scope.
        """
        try:
            with self._session(scope) as session, session.begin():
                yield session
        except DomainError as refusal:
            if refusal.afterwards is not None:
                with self._session(scope) as later, later.begin():
                    later.info.update({name: session.info[name] for name in _WHENCE if name in session.info})
                    refusal.afterwards(later)
            raise

    @contextmanager
    def acting(self, session: Session, scope: Scope) -> Iterator[None]:
        """Go on in the same transaction as another scope for the block: for what is done to two agencies or to none.

        :raises ScopeRefused: when the database does not verify the scope.
        """
        before = scope_of(session)
        session.flush()
        self._change_scope(session, scope)
        try:
            yield
            session.flush()
            self._change_scope(session, before)
        finally:
            session.info["scope"] = before

    def _change_scope(self, session: Session, scope: Scope) -> None:
        session.info["scope"] = scope
        forget_keys(session)
        self._sign(session, session.connection(), now=session.scalar(_BEGUN))

    def _session(self, scope: Scope) -> Session:
        return self._sessions(info={**self._facts, "scope": scope, "cipher": self._cipher})

    def ping(self) -> None:
        """Ask the database for a sign of life; raises what the driver raises when it is away."""
        with self._engine.connect() as connection:
            connection.execute(text("SELECT 1"))

    def after_fork(self) -> None:
        """Forget the connections of the parent process without closing them under it."""
        self._engine.dispose(close=False)

    def dispose(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    @property
    def engine(self) -> Engine:
        """Return the engine, for instruments that watch it; sessions come from ``transaction`` alone."""
        return self._engine

    def _enter_scope(self, session: Session, transaction: SessionTransaction, connection: Connection) -> None:
        if transaction.nested:
            # A savepoint inherits the scope; signed anew, it would be refused once its transaction is five minutes old.
            return
        self._sign(session, connection)

    def _sign(self, session: Session, connection: Connection, *, now: float | None = None) -> None:
        scope: Scope = session.info["scope"]
        # Nobody's scope is signed too: it alone may start a sign-in, and it covers whatever a connection that was
        # used before may still carry.
        pid = connection.connection.driver_connection.info.backend_pid  # type: ignore[union-attr]
        setting = sign_scope(scope, key=self._scope_key, backend_pid=pid, now=now)
        whence = {name: str(session.info.get(name) or "") for name in _WHENCE}
        if not connection.execute(_ENTER_SCOPE, {"setting": setting, **whence}).one()[1]:
            raise ScopeRefused(
                "The database refused this program's scope: its scope key differs from the database's, or the two "
                "clocks are more than five minutes apart. Run “concord doctor”."
            )


def _forget_keys(session: Session, _rolled_back: SessionTransaction) -> None:
    # A savepoint that is rolled back takes an agency's first key with it; nothing more may be sealed under that.
    forget_keys(session)


def scope_of(session: Session) -> Scope:
    """Return the scope that ``session`` was opened for."""
    scope: Scope = session.info["scope"]
    return scope
