import EventModel
import InboundHTTP
import Persisting

/// Why a request was refused, as the caller reads it (RFC 9457). Names the field; never repeats a token or a body.
struct Problem: Error, Sendable {
    let status: Int
    /// The last part of `urn:millrace:problem:…`.
    let type: String
    let title: String
    let detail: String
    /// The parameter or body field that is wrong.
    var field: String?
    /// Numbers and texts a program needs to go on: the oldest offset, the head, the log's id.
    var numbers: [(name: StaticString, value: Int64)] = []
    var logID: String?
    var headers: HTTPHeaders = [:]

    init(_ status: Int, _ type: String, _ title: String, _ detail: String, field: String? = nil) {
        (self.status, self.type, self.title, self.detail, self.field) = (status, type, title, detail, field)
    }

    static func invalid(_ field: String, _ detail: String) -> Problem {
        Problem(400, "invalid-parameter", "Invalid parameter", "\(field): \(detail)", field: field)
    }

    static func unprocessable(_ field: String, _ detail: String) -> Problem {
        Problem(422, "invalid-field", "Invalid field", "\(field): \(detail)", field: field)
    }

    static func notFound(_ detail: String, field: String? = nil) -> Problem {
        Problem(404, "not-found", "Not found", detail, field: field)
    }

    static func conflict(_ detail: String, field: String? = nil) -> Problem {
        Problem(409, "conflict", "Conflict", detail, field: field)
    }

    static let tooLarge = Problem(
        413, "body-too-large", "Body too large", "A body has at most 1 MiB.")

    /// Passing trouble of the store is the server's, and the caller may ask again.
    init(_ error: LogError) {
        self.init(
            error.isTransient ? 503 : 500, error.isTransient ? "store-unavailable" : "internal-error",
            error.isTransient ? "The store is not available" : "Internal error",
            error.isTransient ? "The store cannot be used at the moment." : "The log has the reason.")
        if error.isTransient { headers.append("Retry-After", "5") }
    }

    var answer: HTTPAnswer {
        var writer = JSONWriter(reserving: 256)
        writer.object { object in
            object.member("type", "urn:millrace:problem:\(type)")
            object.member("title", title)
            object.member("status", Int64(status))
            object.member("detail", detail)
            if let field { object.member("field", field) }
            for number in numbers { object.member(number.name, number.value) }
            if let logID { object.member("log_id", logID) }
        }
        var fields = headers
        fields.append("Content-Type", "application/problem+json")
        return HTTPAnswer(status: status, headers: fields, body: writer.bytes)
    }
}

/// The room below as the API tells of it.
func stored<T>(_ body: () async throws(LogError) -> T) async throws(Problem) -> T {
    do throws(LogError) {
        return try await body()
    } catch {
        throw Problem(error)
    }
}
