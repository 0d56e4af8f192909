import CMicroHTTPD

/// Hands an answer to the library; nil when the library refuses it: then nothing is queued yet.
func queue(_ response: HTTPAnswer, on connection: OpaquePointer) -> MHD_Result? {
    guard (200...599).contains(response.status) else { return nil }
    let made = response.body.count > smallBody ? lent(response.body) : copied(response.body)
    return queue(made, response, on: connection)
}

/// Hands over an answer whose body is made while it is sent.
func queue(_ stream: OutgoingStream, _ head: HTTPAnswer, on connection: OpaquePointer) -> MHD_Result? {
    guard (200...599).contains(head.status) else { return nil }
    let source = StreamSource(stream: stream, connection: ConnectionHandle(pointer: connection))
    // The library gives the source back in its last callback, which comes however the connection ends.
    let made = MHD_create_response_from_callback(
        UInt64.max, streamBlock, readStream, Unmanaged.passRetained(source).toOpaque(), freeSource)
    return queue(made, head, on: connection)
}

/// Bodies up to this size are copied whole; of a longer one the library gets a block at a time, so that a page of the feed
/// is not copied twice.
private let smallBody = 16_384
private let bodyBlock = 131_072
/// What a client of HTTP/1.0 gets at once; for all others the connection's own memory is used.
private let streamBlock = 1024

private func queue(
    _ made: OpaquePointer?, _ head: HTTPAnswer, on connection: OpaquePointer
) -> MHD_Result? {
    guard let made else { return nil }
    // The connection has a reference of its own once the response is queued.
    defer { MHD_destroy_response(made) }
    for field in head.headers.fields {
        guard MHD_add_response_header(made, field.name, field.value) == .YES else { return nil }
    }
    return MHD_queue_response(connection, UInt32(head.status), made)
}

private func copied(_ body: [UInt8]) -> OpaquePointer? {
    body.withUnsafeBytes { body in
        MHD_create_response_from_buffer(
            body.count, UnsafeMutableRawPointer(mutating: body.baseAddress), .RESPMEM_MUST_COPY)
    }
}

private func lent(_ body: [UInt8]) -> OpaquePointer? {
    MHD_create_response_from_callback(
        UInt64(body.count), bodyBlock, readBody, Unmanaged.passRetained(BodySource(bytes: body)).toOpaque(),
        freeSource)
}

/// What a response's callbacks reach.
private final class BodySource {
    let bytes: [UInt8]

    init(bytes: [UInt8]) {
        self.bytes = bytes
    }
}

private final class StreamSource {
    let stream: OutgoingStream
    let connection: ConnectionHandle

    init(stream: OutgoingStream, connection: ConnectionHandle) {
        (self.stream, self.connection) = (stream, connection)
    }
}

private let endOfStream = -1

private let readBody: MHD_ContentReaderCallback = { context, position, buffer, size in
    guard let context, let buffer else { return endOfStream }
    let bytes = Unmanaged<BodySource>.fromOpaque(context).takeUnretainedValue().bytes
    let rest = bytes[min(Int(position), bytes.count)...].prefix(size)
    rest.withUnsafeBytes { UnsafeMutableRawBufferPointer(start: buffer, count: size).copyMemory(from: $0) }
    return rest.count
}

private let readStream: MHD_ContentReaderCallback = { context, _, buffer, size in
    guard let context, let buffer else { return endOfStream }
    let source = Unmanaged<StreamSource>.fromOpaque(context).takeUnretainedValue()
    let read = source.stream.read(into: UnsafeMutableRawBufferPointer(start: buffer, count: size)) {
        MHD_suspend_connection(source.connection.pointer)
        return source.connection
    }
    switch read {
    case .bytes(let count): return count
    case .nothing: return 0
    case .end: return endOfStream
    }
}

private let freeSource: MHD_ContentReaderFreeCallback = { context in
    guard let context else { return }
    Unmanaged<AnyObject>.fromOpaque(context).release()
}
