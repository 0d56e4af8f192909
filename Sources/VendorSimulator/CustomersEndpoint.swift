import EventModel
import Foundation
import InboundHTTP
import Synchronization

/// The two endpoints that answer one customer at a time: follow records and files, over the customers of the relations' world.
final class CustomersEndpoint: Sendable {
    static let recordsPath = "/api/v2/customer/follow/qw-list-by-customer"
    static let filesPath = "/api/v3/customer/list-file-of-customer"

    private struct Worlds {
        var records: SimulatedCustomerRows
        var files: SimulatedCustomerRows
    }

    private struct Asked: Decodable {
        let externalUserId, userId: String?
        let salesId: String?
        let customerId: Int64?
        let pageSize: Int?
        let lastId: Int64?
    }

    private let door: TanmaDoor
    private let relations: RelationsEndpoint
    private let worlds: Mutex<Worlds>

    init(_ door: TanmaDoor, relations: RelationsEndpoint, start: Timestamp) {
        (self.door, self.relations) = (door, relations)
        worlds = Mutex(
            Worlds(
                records: SimulatedCustomerRows(door.options, start: start, salt: 0x666F_6C6C_6F77),
                files: SimulatedCustomerRows(
                    door.options.withoutDeletions, start: start, salt: 0x6669_6C65_73)))
    }

    // MARK: - Truth

    func followRecords(at instant: Timestamp) -> [TrueFollowRecord] {
        records(at: instant).filter { $0.isListed(at: instant) }.compactMap { $0.followRecord(at: instant) }
    }

    /// Records that were listed once and are not any more.
    func deletedRecords(at instant: Timestamp) -> [TrueFollowRecord] {
        records(at: instant).filter { !$0.isListed(at: instant) && $0.created <= instant.milliseconds }
            .compactMap { $0.followRecord(at: instant) }
    }

    func files(at instant: Timestamp) -> [TrueCustomerFile] {
        let relations = relations.everMade(until: instant)
        return worlds.withLock { worlds in
            worlds.files.advance(to: instant, relations: relations)
            return worlds.files.rows.map { $0.file(at: instant) }
        }
    }

    private func records(at instant: Timestamp) -> [SimulatedCustomerRows.Row] {
        let relations = relations.everMade(until: instant)
        return worlds.withLock { worlds in
            worlds.records.advance(to: instant, relations: relations)
            return worlds.records.rows
        }
    }

    // MARK: - Serving

    func serve(_ request: InboundRequest, at path: String) -> TanmaDoor.Reply {
        door.serve(request, at: path) { instant, line throws(Refusal) in
            let asked: Asked
            do { asked = try JSONDecoder().decode(Asked.self, from: Data(request.body)) } catch {
                throw .parameter("body")
            }
            return path == Self.recordsPath
                ? try recordsPage(asked, instant, &line) : try filesPage(asked, instant, &line)
        }
    }

    private func recordsPage(
        _ asked: Asked, _ instant: Timestamp, _ line: inout SimulatedRequest
    ) throws(Refusal) -> HTTPAnswer {
        guard let external = asked.externalUserId else { throw .parameter("externalUserId") }
        let rows = followRecords(at: instant).filter { $0.externalUserID == external }
        var writer = JSONWriter(reserving: rows.count * 250 + 128)
        writer.object { reply in
            reply.member("code", 0 as Int64)
            reply.member("message", "success")
            if rows.isEmpty, door.options.emptyIsNull { return reply.member("data", nil as String?) }
            reply.array("data") { list in
                for row in rows { list.object { Self.encode(row, &$0) } }
            }
        }
        return answer(writer.bytes, rows: rows.count, &line)
    }

    private func filesPage(
        _ asked: Asked, _ instant: Timestamp, _ line: inout SimulatedRequest
    ) throws(Refusal) -> HTTPAnswer {
        guard let staff = asked.userId ?? asked.salesId else { throw .parameter("userId") }
        guard let customer = asked.customerId else { throw .parameter("customerId") }
        let all = files(at: instant).filter { $0.customerID == customer && $0.staff == staff }
        let size = min(asked.pageSize ?? 10, door.options.maxPageSize)
        let newest = all.sorted { $0.id > $1.id }.drop { row in
            asked.lastId.map { door.options.lastIDComesBack ? row.id > $0 : row.id >= $0 } ?? false
        }
        let rows = newest.prefix(size)
        var writer = JSONWriter(reserving: rows.count * 500 + 256)
        writer.object { reply in
            reply.member("code", 0 as Int64)
            reply.member("message", "success")
            if all.isEmpty { return reply.member("data", nil as String?) }
            reply.object("data") { data in
                data.member("totalCount", Int64(all.count))
                data.member("totalPage", Int64((all.count + size - 1) / size))
                data.member("pageNo", 0 as Int64)
                data.member("pageSize", Int64(size))
                data.array("result") { list in
                    for row in rows { list.object { Self.encode(row, &$0) } }
                }
            }
        }
        return answer(writer.bytes, rows: rows.count, &line)
    }

    private func answer(_ body: [UInt8], rows: Int, _ line: inout SimulatedRequest) -> HTTPAnswer {
        line.rows = rows
        door.served(rows, fault: line.fault)
        return TanmaDoor.json(line.fault == .malformedPage ? Array(body.dropLast(body.count / 2)) : body)
    }

    private static func encode(_ row: TrueFollowRecord, _ object: inout JSONWriter) {
        object.member("id", row.id)
        object.member("qwUserId", row.staff)
        object.member("externalUserId", row.externalUserID)
        object.member("content", row.content)
        object.member("followType", row.type)
        object.member("gmtCreateTime", row.createTime)
    }

    /// `fileContent` is JSON in a text, as in the vendor's sample.
    private static func encode(_ row: TrueCustomerFile, _ object: inout JSONWriter) {
        var content = JSONWriter(reserving: 160)
        content.object { file in
            file.member("name", row.name)
            file.member("url", "https://files.example.com/\(row.id).pdf")
            file.member("size", "29.9KB")
            file.member("type", "pdf")
            file.member("fileId", "group1/\(row.id).pdf")
        }
        object.member("id", row.id)
        object.member("corpid", "ww0123456789abcdef")
        object.member("salesId", 446_755_638_177_856 as Int64)
        object.member("customerId", row.customerID)
        object.member("createTime", row.createTime)
        object.member("fileContent", String(decoding: content.bytes, as: UTF8.self))
        object.member("fileName", row.name)
        object.member("operatorId", 410_992_262_547_520 as Int64)
        object.member("authorName", "admin")
        object.member("followContent", row.note)
    }
}
