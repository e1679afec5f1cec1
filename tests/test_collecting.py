"""What waits to be written: nothing is lost or doubled, and it does not grow without need."""

from attnlogic.studies.collecting import SEVERAL, Collector


def test_what_can_be_merged_is_before_it_becomes_many():
    written, waiting = [], []

    def merge(several):
        waiting.append(len(several))
        return sum(several)

    collector = Collector(lambda kind, several: written.append((kind, several)), int, 10**9, merge)
    for number in range(100):
        collector.add("ab"[number % 2], number, number)
        collector.add("ab"[number % 2], number, number)  # the same once more, after an interrupt
    collector.flush()
    assert [(kind, sum(several)) for kind, several in written] == [
        ("a", sum(range(0, 100, 2))),
        ("b", sum(range(1, 100, 2))),
    ]
    assert max(len(several) for _, several in written) < SEVERAL
    assert set(waiting) == {SEVERAL}


def test_rows_are_written_as_they_came():
    written = []
    collector = Collector(lambda kind, several: written.extend(several), int, 10**9)
    for number in range(3 * SEVERAL):
        collector.add("a", number, number)
    collector.flush()
    assert written == [*range(3 * SEVERAL)]
