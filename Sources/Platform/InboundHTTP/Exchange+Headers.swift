import CMicroHTTPD

/// Every header of the request, in order.
func readHeaders(of connection: OpaquePointer) -> HTTPHeaders {
    var headers = HTTPHeaders()
    withUnsafeMutablePointer(to: &headers) { headers in
        _ = MHD_get_connection_values_n(
            connection, .HEADER_KIND,
            { context, _, name, nameSize, value, valueSize in
                // The context is the pointer above, which outlives this synchronous walk.
                let headers = context?.assumingMemoryBound(to: HTTPHeaders.self)
                headers?.pointee.append(text(name, nameSize), text(value, valueSize))
                return .YES
            }, headers)
    }
    return headers
}

private func text(_ start: UnsafePointer<CChar>?, _ count: Int) -> String {
    String(decoding: UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : count), as: UTF8.self)
}
