"""A deployed environment with a lake in memory. The last completed session of its broker is 2022-11-25."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from desk.operations.environment import Environment
from tests.desk.operations.duty import ROOT, FakeEnvironment, World, environment
from tests.the_alchemiser.shared.market_data.in_memory_objects import InMemoryObjects
from tests.the_alchemiser.shared.market_data.samples import ORIGIN
from the_alchemiser.data_v2.progress import RefreshProgress
from the_alchemiser.shared.dynamo import typed
from the_alchemiser.shared.errors import StateUnavailableError
from the_alchemiser.shared.market_data.bars import Bars
from the_alchemiser.shared.market_data.lake import Lake, parquet_key
from the_alchemiser.shared.market_data.objects import StoredObject, digest_of
from the_alchemiser.shared.market_data.verdict import VERDICT_KEY, Verdict

NO_BUCKET = ClientError({"Error": {"Code": "NoSuchBucket", "Message": "no such bucket"}}, "ListObjectsV2")


class LakeObjects(InMemoryObjects):
    """Objects of a bucket that may be missing."""

    has_bucket = True

    def get(self, key: str) -> StoredObject | None:
        if not self.has_bucket:
            raise StateUnavailableError(f"s3://lake/{key}: {NO_BUCKET}")
        return super().get(key)


@dataclass
class Stock:
    """What is stored.

    Attributes:
        progress: what the table answers in turn; the last one is repeated.
        has_bucket: whether the bucket exists.
    """

    world: World = field(default_factory=World)
    objects: LakeObjects = field(default_factory=LakeObjects)
    progress: list[RefreshProgress | None] = field(default_factory=list)
    reads: list[str] = field(default_factory=list)
    has_bucket: bool = True

    def store(self, symbol: str, history: Bars) -> None:
        lake = Lake(self.objects)
        lake.replace(lake.read(symbol), history, origin=ORIGIN)

    def truncate(self, symbol: str) -> None:
        """Cut the object of a symbol; its digest stays."""
        stored = self.objects.objects[parquet_key(symbol)]
        self.objects.plant(parquet_key(symbol), stored.body[:-9], sha256=digest_of(stored.body))

    def quarantine(self, **reasons: str) -> None:
        verdict = Verdict(checked_at=ORIGIN.fetched_at, as_of=ORIGIN.asked_from, quarantined=reasons)
        self.objects.plant(VERDICT_KEY, verdict.to_json().encode())

    def connect(self, root: Path, name: str) -> Environment:
        assert (root, name) == (ROOT, "prod")
        return StockedEnvironment.over(self)

    # What boto3's clients of S3 and DynamoDB do.

    def get_paginator(self, operation: str) -> "Stock":
        assert operation == "list_objects_v2"
        return self

    def paginate(self, **request: str) -> Iterator[dict[str, Any]]:
        assert request == {"Bucket": "lake", "Prefix": "bars/v1/"}
        if not self.has_bucket:
            raise NO_BUCKET
        yield {}
        for key in self.objects.objects:
            if key.startswith("bars/v1/"):
                yield {"Contents": [{"Key": key}]}

    def get_item(self, **request: Any) -> dict[str, Any]:
        assert request["TableName"] == "requests"
        self.reads.append(request["Key"]["symbol"]["S"])
        answer = self.progress.pop(0) if len(self.progress) > 1 else self.progress[0]
        return {} if answer is None else {"Item": typed({"body": answer.to_json()})}


@dataclass(frozen=True)
class StockedEnvironment(FakeEnvironment):
    """FakeEnvironment with what is stored."""

    stock: Stock = field(default_factory=Stock)

    @classmethod
    def over(cls, stock: Stock) -> "StockedEnvironment":
        deployed = environment(stock.world, "prod", BrokerAccount=stock.world.account)
        values = {name: getattr(deployed, name) for name in deployed.__dataclass_fields__}
        return cls(**values | {"client": lambda _service: stock}, stock=stock)

    def objects(self) -> Any:
        return self.stock.objects
