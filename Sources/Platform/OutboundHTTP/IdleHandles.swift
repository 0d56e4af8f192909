import CCurl

/// Finished handles for reuse; their connections live in the multi handle. One that served a route is kept as it was set
/// up, for the route's next request; all others are set back.
struct IdleHandles {
    private var plain: [EasyHandle] = []
    private var ofRoute: [Int: [EasyHandle]] = [:]
    private var count = 0

    /// A handle costs some kilobytes: a route that has been quiet must not keep many.
    private static let maxCount = 256

    /// A handle, and whether it is set up for the route already.
    mutating func take(route: Int?) -> (handle: EasyHandle, isKnown: Bool)? {
        if let route, let handle = ofRoute[route]?.popLast() {
            count -= 1
            return (handle, true)
        }
        guard let handle = plain.popLast() else { return nil }
        count -= 1
        return (handle, false)
    }

    mutating func put(_ handle: EasyHandle, route: Int?) {
        if count >= Self.maxCount { makeRoom() }
        count += 1
        guard let route else {
            curl_easy_reset(handle.raw)
            return plain.append(handle)
        }
        ofRoute[route, default: []].append(handle)
    }

    mutating func clean() {
        (plain, ofRoute, count) = ([], [:], 0)
    }

    private mutating func makeRoom() {
        if plain.popLast() != nil {
            count -= 1
        } else if let (route, handles) = ofRoute.first {
            count -= handles.count
            ofRoute[route] = nil
        }
    }
}
