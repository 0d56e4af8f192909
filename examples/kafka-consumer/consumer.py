"""Reads Millrace's events from Kafka, each once, whatever happens to this process.

    python3 consumer.py BROKERS STATE TOPIC... [--count N] [-X property=value]...

Prints one line per new event. Offsets and ids are kept in STATE (SQLite), in the same transaction as what an event changes:
after a crash the next start goes on behind the last event that was done, and an event that comes again (a replay, at least
once) is recognised by its id. Needs the package confluent-kafka. `--count` ends after so many events are done in all.
"""

import argparse
import json
import sqlite3
import sys

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition


def open_state(path):
    state = sqlite3.connect(path, isolation_level=None)
    state.executescript(
        """
        CREATE TABLE IF NOT EXISTS done (id TEXT PRIMARY KEY) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS offsets (topic TEXT, part INTEGER, next INTEGER, PRIMARY KEY (topic, part));
        """
    )
    return state


def partitions(consumer, topics, state):
    """Every partition of the topics, each from behind the last event that was done."""
    known = {(topic, part): after for topic, part, after in state.execute("SELECT topic, part, next FROM offsets")}
    metadata = consumer.list_topics(timeout=30)
    return [
        TopicPartition(topic, part, known.get((topic, part), OFFSET_BEGINNING))
        for topic in topics
        for part in metadata.topics[topic].partitions
    ]


def handle(message, state):
    """Does what the event asks for, unless it was done before; True when it is new."""
    headers = dict(message.headers() or [])
    event = json.loads(message.value()) if b"cloudevents+json" in headers["content-type"] else None
    identifier = headers["ce_id"].decode()
    state.execute("BEGIN IMMEDIATE")
    is_new = state.execute("INSERT OR IGNORE INTO done VALUES (?)", (identifier,)).rowcount == 1
    # In real life: what the event changes is written here.
    state.execute(
        "INSERT OR REPLACE INTO offsets VALUES (?, ?, ?)",
        (message.topic(), message.partition(), message.offset() + 1),
    )
    state.execute("COMMIT")
    if is_new:
        sequence = event["sequence"] if event else headers["ce_sequence"].decode()
        print(sequence, headers["ce_type"].decode(), identifier, message.key().decode(), flush=True)
    return is_new


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("brokers")
    parser.add_argument("state")
    parser.add_argument("topics", nargs="+")
    parser.add_argument("--count", type=int)
    parser.add_argument("-X", dest="properties", action="append", default=[])
    arguments = parser.parse_args()
    state = open_state(arguments.state)
    consumer = Consumer(
        dict(item.split("=", 1) for item in arguments.properties)
        | {
            "bootstrap.servers": arguments.brokers,
            # Offsets are our own business: the group only has to have a name.
            "group.id": "millrace-example",
            "enable.auto.commit": False,
            # What a relay has aborted is not there.
            "isolation.level": "read_committed",
        }
    )
    consumer.assign(partitions(consumer, arguments.topics, state))
    done = state.execute("SELECT count(*) FROM done").fetchone()[0]
    try:
        while arguments.count is None or done < arguments.count:
            message = consumer.poll(1)
            if message is None:
                continue
            if message.error():
                print(message.error(), file=sys.stderr)
                continue
            done += handle(message, state)
    except KeyboardInterrupt:
        pass
    finally:
        consumer.close()


main()
