import CCurl

/// Finished handles for reuse; their connections live in the multi handle. One that served a route is kept as it was set
/// up, for the route's next request; all others are set back.
struct IdleHandles {
    private var plain: [OpaquePointer] = []
    private var ofRoute: [Int: [OpaquePointer]] = [:]
    private var count = 0

    /// A handle costs some kilobytes: a route that has been quiet must not keep many.
    private static let maxCount = 256

    /// A handle, and whether it is set up for the route already.
    mutating func take(route: Int?) -> (handle: OpaquePointer, isKnown: Bool)? {
        if let route, let handle = ofRoute[route]?.popLast() {
            count -= 1
            return (handle, true)
        }
        guard let handle = plain.popLast() else { return nil }
        count -= 1
        return (handle, false)
    }

    mutating func put(_ handle: OpaquePointer, route: Int?) {
        if count >= Self.maxCount { makeRoom() }
        count += 1
        guard let route else {
            curl_easy_reset(UnsafeMutableRawPointer(handle))
            return plain.append(handle)
        }
        // The text's memory goes with the transfer.
        millrace_curl_set_pointer(UnsafeMutableRawPointer(handle), CURLOPT_ERRORBUFFER, nil)
        ofRoute[route, default: []].append(handle)
    }

    mutating func clean() {
        for handle in plain + ofRoute.values.joined() { curl_easy_cleanup(UnsafeMutableRawPointer(handle)) }
        (plain, ofRoute, count) = ([], [:], 0)
    }

    private mutating func makeRoom() {
        if let handle = plain.popLast() {
            curl_easy_cleanup(UnsafeMutableRawPointer(handle))
            count -= 1
        } else if let (route, handles) = ofRoute.first {
            for handle in handles { curl_easy_cleanup(UnsafeMutableRawPointer(handle)) }
            count -= handles.count
            ofRoute[route] = nil
        }
    }
}
