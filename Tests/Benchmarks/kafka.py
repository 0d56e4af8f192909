#!/usr/bin/env python3
"""How fast the relay publishes a long backlog to Kafka, beside the least that librdkafka can be asked to do.

    Tests/Benchmarks/kafka.py BINARY [--events N] [--brokers HOST:PORT] [--syslog-ng]

Fills a log by `millrace poll`, then publishes it in both ways, each in turn with a C program that produces the same keys, headers
and bytes from memory with the same settings. Without --brokers it goes into librdkafka's mock cluster, in a process of its own.
With --syslog-ng the same events are published by Debian's syslog-ng too (syslog-ng-core, syslog-ng-mod-rdkafka), which reads them
from a file and remembers how far it has come; without keys and headers, which is less than is asked of the others.
Prints events a second of both, their ratio, the processor time of an event and the relay's largest resident memory. Exits 1 when
an event was not published, or a bound is missed that holds on any machine: half of the bare rate into the mock, 150 MB.
"""

import argparse
import os
import pathlib
import signal
import sqlite3
import struct
import subprocess
import sys
import tempfile
import time

import poll_visits

TOPIC = "millrace.visit"
# The relay's own.
TRANSACTION = 10_000
DEADLINE = 600
# Of the bare producer's rate, and megabytes.
WANTED_RATIO = 0.5
WANTED_MEMORY = 150


def compiled(folder):
    source = pathlib.Path(__file__).with_name("kafka_bare.c")
    program = folder / "kafka_bare"
    subprocess.run(["cc", "-O2", "-o", program, source, "-lrdkafka", "-lpthread"], check=True)
    return program


def filled(binary, folder, count):
    server, listening = poll_visits.beside(poll_visits.serve, count)
    config = poll_visits.configuration(folder, listening.recv(), 1000)
    *_, stored = poll_visits.poll(binary, config, folder)
    server.terminate()
    if stored != count:
        sys.exit(f"kafka: {stored} events of {count} rows")
    return config


def export(folder):
    """The log as kafka_bare reads it."""
    path = folder / "records"
    store = sqlite3.connect(folder / "benchmark.db")
    with open(path, "wb") as file:
        for key, body in store.execute("SELECT key, body FROM events ORDER BY offset"):
            key = key.encode()
            file.write(struct.pack("=II", len(key), len(body)) + key + body)
    store.close()
    return path


def bare(program, brokers, records, each):
    """Events a second and processor microseconds an event."""
    before = os.times()
    done = subprocess.run(
        [program, "produce", brokers, records, TOPIC, str(each)], check=True, capture_output=True, text=True)
    after = os.times()
    count, seconds = done.stdout.split()
    processor = after.children_user + after.children_system - before.children_user - before.children_system
    return int(count) / float(seconds), processor / int(count) * 1e6


SYSLOG_NG = """@version: 3.35
options {{ threaded(yes); keep-hostname(yes); use-dns(no); dns-cache(no); stats-freq(0); }};
source events {{ file("{folder}/lines" follow-freq(0.01) flags(no-parse) log-fetch-limit(2000)
              log-iw-size(200000) log-msg-size(65536)); }};
destination kafka {{ kafka-c(bootstrap-servers("{brokers}") topic("{topic}") message("${{MESSAGE}}")
                     config("enable.idempotence"("true")) log-fifo-size(400000)); }};
log {{ source(events); destination(kafka); flags(flow-control); }};
"""


def syslog_ng(program, folder, brokers, count):
    """Events a second of syslog-ng, from the first record that is seen to the last."""
    store = sqlite3.connect(folder / "benchmark.db")
    with open(folder / "lines", "wb") as file:
        for (body,) in store.execute("SELECT body FROM events ORDER BY offset LIMIT ?", (count,)):
            file.write(body + b"\n")
    store.close()
    config = folder / "syslog-ng.conf"
    config.write_text(SYSLOG_NG.format(folder=folder, brokers=brokers, topic=TOPIC), encoding="ascii")
    process = subprocess.Popen(
        ["syslog-ng", "--foreground", "--no-caps", "--cfgfile", config, "--persist-file", folder / "persist",
         "--pidfile", folder / "pid", "--control", folder / "control"], stderr=subprocess.DEVNULL)
    try:
        done = subprocess.run(
            [program, "await", brokers, TOPIC, str(count)], check=True, capture_output=True, text=True)
    finally:
        process.terminate()
        process.wait()
    came, seconds = done.stdout.split()
    return int(came) / float(seconds)


def position(store):
    row = store.execute("SELECT position FROM sinks WHERE name = 'kafka'").fetchone()
    return row[0] if row else 0


def relay(binary, config, folder, brokers, delivery, count):
    """Events a second, processor microseconds an event, largest resident megabytes."""
    store = sqlite3.connect(folder / "benchmark.db", isolation_level=None)
    store.execute("DELETE FROM sinks")
    text = config.read_text(encoding="utf-8").split("kafka:")[0]
    config.write_text(text + f'kafka: {{brokers: "{brokers}", delivery: {delivery}}}\n', encoding="utf-8")
    process = subprocess.Popen([binary, "run", "--config", config], stderr=subprocess.PIPE, text=True)
    try:
        first, last = None, 0
        while last < count:
            time.sleep(0.005)
            last, now = position(store), time.monotonic()
            # From the first stored position on: start-up and the cluster's first answers are not the question.
            if last and first is None:
                first = (last, now)
                deadline = now + DEADLINE
            if process.poll() is not None or (first and now > deadline):
                sys.exit(f"kafka: the relay published {last} of {count}: {process.stderr.read()[-2000:]}")
        rate = (count - first[0]) / (now - first[1])
        status = pathlib.Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
        memory = int(status.split("VmHWM:")[1].split()[0]) / 1024
        words = pathlib.Path(f"/proc/{process.pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
        processor = (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate()
        store.close()
    return rate, processor / count * 1e6, memory


def mock(program):
    """The brokers and the process of a fresh mock cluster: it keeps what it was sent in memory."""
    topics = [f"{TOPIC}=6", "millrace.operations=1", "millrace.benchmark.log=1"]
    cluster = subprocess.Popen([program, "mock", *topics], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    return cluster.stdout.readline().strip(), cluster


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary", type=pathlib.Path)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--brokers")
    parser.add_argument("--syslog-ng", action="store_true")
    asked = parser.parse_args()
    missed = False
    with tempfile.TemporaryDirectory(prefix="millrace-bench-") as name:
        folder, binary = pathlib.Path(name), asked.binary.resolve()
        program = compiled(folder)
        config = filled(binary, folder, asked.events)
        records = export(folder)
        rates = {}
        for delivery, each in ("at_least_once", 0), ("exactly_once", TRANSACTION):
            brokers, cluster = asked.brokers, None
            if brokers is None:
                brokers, cluster = mock(program)
            theirs = bare(program, brokers, records, each)
            ours = relay(binary, config, folder, brokers, delivery, asked.events)
            rates[delivery] = ours[0]
            if cluster:
                cluster.communicate()
            print(f"kafka {delivery}: {ours[0]:,.0f} events/s, {ours[1]:.1f} µs of processor an event, "
                  f"{ours[2]:.0f} MB resident; bare librdkafka {theirs[0]:,.0f} events/s, {theirs[1]:.1f} µs; "
                  f"{ours[0] / theirs[0]:.2f} of its rate, {theirs[1] / ours[1]:.2f} by processor time", flush=True)
            missed |= ours[2] > WANTED_MEMORY or (asked.brokers is None and ours[0] < WANTED_RATIO * theirs[0])
        if asked.syslog_ng and asked.brokers is None:
            brokers, cluster = mock(program)
            theirs = syslog_ng(program, folder, brokers, min(asked.events, 300_000))
            cluster.communicate()
            print(f"syslog-ng: {rates['at_least_once']:,.0f} events/s; syslog-ng {theirs:,.0f} events/s", flush=True)
    sys.exit(1 if missed else 0)


main()
