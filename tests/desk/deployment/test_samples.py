from desk.deployment.samples import samples
from the_alchemiser.shared.messaging.messages import REGISTRY


def test_samples_has_every_message_as_its_consumers_read_it() -> None:
    events = samples({})

    assert set(events) == {kind.__name__ for kind in REGISTRY}
    for kind, route in REGISTRY.items():
        event = events[kind.__name__]
        assert (event["source"], event["detail-type"]) == (route.source, kind.__name__)
        assert kind.read(event["detail"]).message_id.startswith("staging-2022-03-16-r2/")
