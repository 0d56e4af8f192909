// A webhook receiver that verifies and deduplicates, with Node's own modules alone.
//
//     node receiver.mjs PORT [SECRET]
//
// Prints one line per new event. Standard Webhooks: the signature covers `{id}.{timestamp}.{body}`; the id is the same on
// every attempt, so an id that was seen is answered and not done twice.

import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";

const [port, secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"] = process.argv.slice(2);
const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
const toleranceSeconds = 300;
const maxBodyBytes = 1 << 20;
const seen = new Set();

/** Whether any signature in the header is ours, compared in constant time, and the timestamp is recent. */
function isSigned(headers, body) {
  const id = headers["webhook-id"] ?? "";
  const timestamp = headers["webhook-timestamp"] ?? "";
  if (!/^\d+$/.test(timestamp) || Math.abs(Date.now() / 1000 - Number(timestamp)) > toleranceSeconds) return false;
  const expected = createHmac("sha256", key).update(`${id}.${timestamp}.`).update(body).digest();
  return (headers["webhook-signature"] ?? "").split(" ").some((part) => {
    const [version, value = ""] = part.split(",");
    const given = Buffer.from(value, "base64");
    return version === "v1" && given.length === expected.length && timingSafeEqual(given, expected);
  });
}

/** Answers, and acts on an event that was not seen before. */
function receive(request, response, body) {
  if (!isSigned(request.headers, body)) return response.writeHead(401).end();
  const id = request.headers["webhook-id"];
  if (!seen.has(id)) {
    seen.add(id);
    const event = JSON.parse(body);
    // In real life: in the same transaction as what the event changes.
    process.stdout.write(`${event.sequence} ${event.type} ${id} ${event.subject}\n`);
  }
  response.writeHead(204).end();
}

const server = createServer((request, response) => {
  const pieces = [];
  let size = 0;
  request.on("data", (piece) => {
    size += piece.length;
    if (size > maxBodyBytes) response.writeHead(413, { connection: "close" }).end(() => request.destroy());
    else pieces.push(piece);
  });
  request.on("end", () => {
    if (size <= maxBodyBytes) receive(request, response, Buffer.concat(pieces));
  });
});
server.listen(Number(port), "127.0.0.1", () => process.stderr.write(`listening on ${server.address().port}\n`));
