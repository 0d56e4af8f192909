"""Verifies recorded webhook deliveries with the Standard Webhooks library.

usage: verify_deliveries.py SECRET      one JSON object a line on stdin: {"headers": {…}, "body": base64}

Prints the number of deliveries; exits 1 with a line for each that does not verify, or that still does when it is changed.
"""

import base64
import json
import sys

from standardwebhooks import Webhook, WebhookVerificationError


def verifies(webhook, body, headers):
    try:
        webhook.verify(body, headers)
        return True
    except WebhookVerificationError:
        return False


def main():
    webhook = Webhook(sys.argv[1])
    count, bad = 0, 0
    for line in sys.stdin:
        count += 1
        delivery = json.loads(line)
        headers, body = delivery["headers"], base64.b64decode(delivery["body"])
        event = json.loads(body)
        checks = {
            "does not verify": verifies(webhook, body, headers),
            "verifies with a changed body": not verifies(webhook, body.replace(b"visit", b"visIt"), headers),
            "webhook-id is not the event's id": headers["webhook-id"] == event["id"],
        }
        for problem in (text for text, is_fine in checks.items() if not is_fine):
            bad += 1
            print(f"delivery {count}: {problem}", file=sys.stderr)
    print(count)
    sys.exit(1 if bad else 0)


main()
