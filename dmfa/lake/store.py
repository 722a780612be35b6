"""The store of a lake's files, as DuckDB reaches it: by the same keys as everybody else in this program."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass

from duckdb import DuckDBPyConnection

from dmfa.address import Address
from dmfa.lake.border import disk, engine
from dmfa.lake.location import Location, text


@dataclass(frozen=True)
class S3:
    """How S3 is reached, found as its client finds it; its text tells no key.

    Attributes:
        endpoint: host and port, without scheme; empty for Amazon's own.
        encrypted: whether it is spoken to by TLS.
        region: region of the bucket.
        keys: key, secret and token of the session, empty where there is none.
    """

    endpoint: str
    encrypted: bool
    region: str
    keys: tuple[str, str, str]

    def __repr__(self) -> str:
        return f"S3({self.endpoint or 'aws'}, {self.region})"

    @classmethod
    def found(cls) -> S3:
        """What the environment, the configuration files and the machine's role say.

        Raises:
            OSError: a role is named and cannot be taken.
        """
        from botocore.exceptions import BotoCoreError
        from botocore.session import Session

        session = Session()
        try:
            credentials = session.get_credentials()
            frozen = credentials.get_frozen_credentials() if credentials else None
        except BotoCoreError:
            raise OSError(errno.EACCES, "no keys can be had from where they are looked for") from None
        url = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or ""
        scheme, _, endpoint = url.rpartition("://")
        keys = (frozen.access_key or "", frozen.secret_key or "", frozen.token or "") if frozen else ("", "", "")
        region = str(session.get_config_variable("region") or "us-east-1")
        return cls(endpoint.strip("/"), scheme != "http", region, keys)


def let_in(connection: DuckDBPyConnection, location: Location) -> None:
    """Give DuckDB the keys of the lake's store as they are now: those of a role last an hour or so.

    Raises:
        LakeProblem: there are none.
    """
    if not isinstance(location.folder, Address):
        return
    with disk(location, "opening"):
        s3 = S3.found()
    facts = dict(zip(("KEY_ID", "SECRET", "SESSION_TOKEN"), s3.keys, strict=True)) | {"REGION": s3.region}
    if s3.endpoint:  # only Amazon's own buckets have hosts of their own
        facts |= {"ENDPOINT": s3.endpoint, "URL_STYLE": "path"}
    told = ", ".join(f"{fact} {text(value)}" for fact, value in facts.items() if value)
    with engine(location, "opening"):
        connection.execute(f"CREATE OR REPLACE SECRET store (TYPE s3, {told}, USE_SSL {str(s3.encrypted).lower()})")
