#!/usr/bin/env python3
"""How fast the relay polls: `millrace poll` reads visits from a local server that answers with prepared bytes.

    Tests/Benchmarks/poll_visits.py BINARY [--rows N] [--page N]

Prints rows a second of wall clock, the relay's own processor time a row, its largest resident memory, and, for comparing
machines, the processor time a row of a plain Python program that decodes the same rows and stores them in SQLite.
Exits 1 when the relay did not store every row.
"""

import argparse
import bisect
import datetime
import http.server
import json
import multiprocessing
import os
import pathlib
import random
import resource
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time

START = datetime.datetime(2021, 8, 6, 0, 0, 0)
CHINA = datetime.timezone(datetime.timedelta(hours=8))
ROWS_A_SECOND = 10
APP_KEY = "benchmark-key"


def text(second):
    return (START + datetime.timedelta(seconds=second)).strftime("%Y-%m-%d %H:%M:%S")


def make_rows(count):
    """Visits of the vendor's shape, about 480 bytes each, ten to a second; the same on every run."""
    draw = random.Random(1)
    rows = []
    for number in range(count):
        visitor = draw.randrange(20_000)
        rows.append(json.dumps({
            "unionid": f"o9ATRwThiackDCbyaxFyQB{visitor:06d}", "customerId": draw.choice([None, 397158546743296]),
            "nickname": draw.choice(["Dowen🐶", "杨小姐", "7.k", "a \"quoted\" name"]),
            "avatar": f"https://thirdwx.qlogo.cn/mmopen/vi_32/Q0j4TwGTfTJCksh3ZbV3GvtFDnbsRTVdEVZibowpHerQX{visitor}/132",
            "mobile": None, "contentType": "1", "contentId": f"f3a7b9d1f10811ebaf07{draw.randrange(500):012d}",
            "contentTitle": "秋季新品发布会:报名与日程", "visitTime": text(number // ROWS_A_SECOND),
            "viewDuration": draw.choice([None, draw.randrange(3000)]), "viewTimes": number, "qwUserId": "ZhangSan",
            "createTime": text(0), "shareFrom": {"type": 1, "prevVisitorUnionId": None, "qwUserId": None},
            "shareChainSteps": None, "shareTo": [],
        }, ensure_ascii=False, separators=(",", ":")).encode())
    return rows


class Vendor(http.server.BaseHTTPRequestHandler):
    """The visits endpoint without its checks: rows from `since`, before `before`, at most `size`."""

    protocol_version = "HTTP/1.1"
    rows = []

    def setup(self):
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def do_POST(self):
        query = json.loads(self.rfile.read(int(self.headers["content-length"])))
        first = self.place(query["since"])
        page = self.rows[first:min(self.place(query["before"]), first + query["size"])]
        cursor = b'"next"' if page else b"null"
        body = b'{"code":0,"message":"ok","data":{"list":[' + b",".join(page) + b'],"nextCursor":' + cursor + b"}}"
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def place(self, time):
        since = datetime.datetime.strptime(time, "%Y-%m-%d %H:%M:%S") - START
        return max(0, min(int(since.total_seconds()) * ROWS_A_SECOND, len(self.rows)))

    def log_message(self, *_):
        pass


def serve(listening, count):
    Vendor.rows = make_rows(count)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Vendor)
    listening.send(server.server_port)
    server.serve_forever()


def configuration(folder, port, page):
    path = folder / "millrace.yaml"
    path.write_text(f"""
relay: {{name: benchmark}}
store: {{url: "sqlite:{folder}/benchmark.db"}}
accounts:
  - {{name: vendor, vendor: tanma, base_url: "http://127.0.0.1:{port}/apiServer", app_id: ww0123456789abcdef_Demo01,
     app_key: {APP_KEY}, requests_per_second: 1000}}
sources:
  - {{name: visits, account: vendor, kind: tanma.visits, start: "{START.isoformat()}+08:00", page_size: {page}}}
""", encoding="utf-8")
    return path


def poll(binary, config, folder):
    """The relay's wall clock, processor time and largest resident memory, and how many events it stored."""
    begun = time.monotonic()
    process = subprocess.Popen([binary, "poll", "visits", "--config", config], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    store = sqlite3.connect(f"file:{folder}/benchmark.db?mode=ro", uri=True)
    stored, = store.execute("SELECT count(*) FROM events").fetchone()
    store.close()
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, stored


def plain(done, count, folder):
    """Processor seconds of the least a poller written in Python has to do with these rows."""
    rows = make_rows(count)
    before = resource.getrusage(resource.RUSAGE_SELF)
    store = sqlite3.connect(folder / "plain.db")
    store.execute("PRAGMA journal_mode = WAL")
    store.execute("CREATE TABLE events (id TEXT PRIMARY KEY, body TEXT)")
    for first in range(0, len(rows), 1000):
        page = [json.loads(row) for row in rows[first:first + 1000]]
        with store:
            store.executemany("INSERT OR IGNORE INTO events VALUES (?, ?)", (
                (f"{row['visitTime']} {row['unionid']} {row['viewTimes']}", json.dumps(row)) for row in page))
    store.close()
    after = resource.getrusage(resource.RUSAGE_SELF)
    done.send(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def beside(work, *arguments):
    """A process of its own, and where it answers. This one stays small: Linux counts the memory a program was started
    from as that program's."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.Process(target=work, args=(theirs, *arguments), daemon=True)
    process.start()
    return process, ours


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary", type=pathlib.Path)
    parser.add_argument("--rows", type=int, default=300_000)
    parser.add_argument("--page", type=int, default=1000)
    asked = parser.parse_args()
    server, listening = beside(serve, asked.rows)
    with tempfile.TemporaryDirectory(prefix="millrace-bench-") as name:
        folder = pathlib.Path(name)
        config = configuration(folder, listening.recv(), asked.page)
        wall, processor, memory, stored = poll(asked.binary.resolve(), config, folder)
        # Not by a signal that whoever started this program may have blocked.
        server.kill()
        _, done = beside(plain, asked.rows, folder)
        other = done.recv()
    print(f"poll visits: {stored / wall:,.0f} rows/s, {processor / asked.rows * 1e6:.1f} µs of processor a row, "
          f"{memory:.0f} MB resident; plain Python {other / asked.rows * 1e6:.1f} µs a row, "
          f"{other / processor:.2f} times ours")
    if stored != asked.rows:
        print(f"poll visits: {stored} events of {asked.rows} rows", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
